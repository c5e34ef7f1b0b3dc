//! Compressors that compress nothing.

use crate::lint::LintContext;
use crate::lint::front::ENVOY_GATEWAY;
use envoy_gateway::read::{list, text};
use manifest::diagnostic::Diagnostic;
use manifest::value::Pointer;
use manifest::{Object, finding};

manifest::code! {
    "envoy"/"idle-compressor", Warning, "A compressor that compresses nothing.",
    r#"
Envoy Gateway leaves a compressor out if the table that is named after its type is missing, even if the table would
be empty. The policy is accepted, and responses are sent as they are.

## Wrong

```yaml
compressor:
  - type: Gzip
```

## Right

```yaml
compressor:
  - type: Gzip
    gzip: {}
```
"#
}

/// Reports compressors without the table of their type.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let policies = context.of_kind(ENVOY_GATEWAY, "BackendTrafficPolicy");
    let mut found: Vec<Diagnostic> = Vec::new();
    for one in policies.flat_map(|policy| idle(policy.object)) {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

fn idle(policy: &Object) -> Vec<Diagnostic> {
    let compressors = list(&policy.node, &["spec", "compressor"]).iter();
    let idle = compressors.enumerate().filter_map(|(at, compressor)| {
        let kind = text(compressor, &["type"])?;
        let key = kind.to_ascii_lowercase();
        if compressor.get(&key).is_some() {
            return None;
        }
        let place = Pointer::root().key("spec").key("compressor").index(at);
        let message = format!("the compressor `{kind}` does nothing, because it has no `{key}`");
        let found = finding(CODE, policy, &place, message)
            .why("the policy is accepted, but responses are not compressed by it")
            .help(format!("add `{key}: {{}}`"));
        Some(found)
    });
    idle.collect()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn a_compressor_without_its_table_is_told() {
        let with = |compressors: &str| {
            let text = format!(
                "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {{name: a, namespace: network}}
spec: {{compressor: [{compressors}]}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(
            with("{type: Zstd, zstd: {}}, {type: Gzip}"),
            [
                "warning envoy/idle-compressor /spec/compressor/1: the compressor `Gzip` does nothing, because it has no `gzip`"
            ]
        );
        assert_eq!(with("{type: Brotli, brotli: {}}"), [""; 0]);
    }
}
