//! Retries for status codes that don't happen, because their trigger is missing.

use crate::lint::LintContext;
use crate::lint::front::ENVOY_GATEWAY;
use envoy_gateway::read::list;
use manifest::diagnostic::Diagnostic;
use manifest::value::{Node, Pointer};
use manifest::{Object, finding};

manifest::code! {
    "envoy"/"unused-status-codes", Warning, "Retries for status codes without the trigger for them, or the trigger without codes.",
    r#"
`retryOn.httpStatusCodes` lists status codes after which a request is tried again. Envoy reads the list only if
`retriable-status-codes` is among the `triggers` (it is if there are no `triggers` at all). That trigger does nothing
without a list.

## Wrong

```yaml
retryOn: {triggers: [connect-failure], httpStatusCodes: [503]}
```

## Right

```yaml
retryOn: {triggers: [connect-failure, retriable-status-codes], httpStatusCodes: [503]}
```
"#
}

const TRIGGER: &str = "retriable-status-codes";

/// Reports policies with one of the two, but not the other.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for policy in context.of_kind(ENVOY_GATEWAY, "BackendTrafficPolicy") {
        let one = unused(policy.object);
        found.extend(one.filter(|one| !found.contains(one)));
    }
    found
}

fn unused(policy: &Object) -> Option<Diagnostic> {
    let place = Pointer::root().key("spec").key("retry").key("retryOn");
    let settings = policy.node.at(&place)?;
    let triggers = list(settings, &["triggers"]);
    let codes = list(settings, &["httpStatusCodes"]);
    let trigger = triggers.iter().position(|it| it.as_str() == Some(TRIGGER));
    let is_unknown = |it: &Node| it.as_str().is_some_and(|it| it.contains("${"));
    match trigger {
        Some(at) if codes.is_empty() => Some(
            finding(
                CODE,
                policy,
                &place.key("triggers").index(at),
                format!("the trigger `{TRIGGER}` has no `httpStatusCodes`"),
            )
            .why("no status code is tried again by it")
            .help("add `httpStatusCodes`, for example `[503]`, or remove the trigger"),
        ),
        None if !codes.is_empty() && !triggers.is_empty() && !triggers.iter().any(is_unknown) => {
            Some(
                finding(
                    CODE,
                    policy,
                    &place.key("httpStatusCodes"),
                    format!("`httpStatusCodes` has no effect without the trigger `{TRIGGER}`"),
                )
                .why("requests with these status codes are not tried again")
                .help(format!("add `{TRIGGER}` to `triggers`")),
            )
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn status_codes_need_their_trigger() {
        let with = |settings: &str| {
            let text = format!(
                "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {{name: a, namespace: network}}
spec: {{retry: {{retryOn: {{{settings}}}}}}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(with("httpStatusCodes: [503]"), [""; 0]);
        assert_eq!(
            with("httpStatusCodes: [503], triggers: [reset, retriable-status-codes]"),
            [""; 0]
        );
        assert_eq!(
            with("httpStatusCodes: [503], triggers: [reset]"),
            [
                "warning envoy/unused-status-codes /spec/retry/retryOn/httpStatusCodes: `httpStatusCodes` has no effect without the trigger `retriable-status-codes`"
            ]
        );
        assert_eq!(
            with("triggers: [reset, retriable-status-codes]"),
            [
                "warning envoy/unused-status-codes /spec/retry/retryOn/triggers/1: the trigger `retriable-status-codes` has no `httpStatusCodes`"
            ]
        );
    }
}
