//! Timeouts of retries that also cut off the first try.

use crate::lint::LintContext;
use crate::lint::front::ENVOY_GATEWAY;
use envoy_gateway::read::{int, text};
use k8s_syntax::time::duration;
use manifest::diagnostic::Diagnostic;
use manifest::value::Pointer;
use manifest::{Object, finding};

manifest::code! {
    "envoy"/"try-timeout", Warning, "A timeout of retries that also cuts off the first try.",
    r#"
`retry.perRetry.timeout` limits every try, the first one included. A response that takes longer is cut off and
asked for again, although `timeout.http.requestTimeout` allows much more time: an upload or a slow report never
ends well. Leave the timeout of retries out, or make it as long as a single response may take. Only settings of
one policy are compared.

## Wrong

```yaml
retry: {numRetries: 2, perRetry: {timeout: 1s}}
timeout: {http: {requestTimeout: 300s}}
```

## Right

```yaml
retry: {numRetries: 2}
timeout: {http: {requestTimeout: 300s}}
```
"#
}

/// How often Envoy Gateway retries if nothing is said.
const RETRIES: i64 = 2;

/// Reports policies whose timeout for each try is too short for what they allow a request.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let policies = context.of_kind(ENVOY_GATEWAY, "BackendTrafficPolicy");
    let mut found: Vec<Diagnostic> = Vec::new();
    for one in policies.filter_map(|policy| cuts_first(policy.object)) {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

fn cuts_first(policy: &Object) -> Option<Diagnostic> {
    let spec = policy.node.get("spec")?;
    let each_text = text(spec, &["retry", "perRetry", "timeout"])?;
    let whole_text = text(spec, &["timeout", "http", "requestTimeout"])?;
    let (each, whole) = (duration(each_text)?, duration(whole_text)?);
    let tries = int(spec, &["retry", "numRetries"])
        .unwrap_or(RETRIES)
        .saturating_add(1);
    // 0 stands for no limit, both for a try and for a request.
    let is_cut = each > 0 && tries > 1 && (whole == 0 || whole > each.saturating_mul(tries));
    let allowed = match whole {
        0 => "as much time as it needs".to_owned(),
        _ => whole_text.to_owned(),
    };
    let place = Pointer::root()
        .key("spec")
        .key("retry")
        .key("perRetry")
        .key("timeout");
    let message = format!(
        "every try ends after {each_text}, the first one included, although a request gets {allowed}"
    );
    is_cut.then(|| {
        finding(CODE, policy, &place, message)
            .why("a response that takes longer is cut off and asked for again, and in the end the client gets an error")
            .help("remove `perRetry.timeout`, or make it as long as a single response may take")
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn a_timeout_that_cuts_off_the_first_try_is_told() {
        let with = |each: &str, whole: &str| {
            let text = format!(
                "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {{name: a, namespace: network}}
spec: {{retry: {{numRetries: 2, perRetry: {{timeout: {each}}}}}, timeout: {{http: {{requestTimeout: {whole}}}}}}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(
            with("1s", "300s"),
            [
                "warning envoy/try-timeout /spec/retry/perRetry/timeout: every try ends after 1s, the first one included, although \
              a request gets 300s"
            ]
        );
        assert_eq!(with("1s", "0s").len(), 1);
        assert_eq!(with("10s", "30s"), [""; 0]);
    }
}
