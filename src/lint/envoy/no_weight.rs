//! Rules of routes all of whose backends have the weight 0.

use super::route_rules;
use crate::lint::LintContext;
use envoy_gateway::read::{int, list};
use manifest::diagnostic::Diagnostic;
use manifest::finding;

manifest::code! {
    "envoy"/"no-weight", Warning, "A rule all of whose backends have the weight 0.",
    r#"
A backend with `weight: 0` gets no requests. If all backends of a rule have that weight, nothing handles its requests,
and Envoy answers them with status 500.

## Wrong

```yaml
rules: [{backendRefs: [{name: app, port: 80, weight: 0}]}]
```

## Right

```yaml
rules: [{backendRefs: [{name: app, port: 80}]}]
```
"#
}

/// Reports rules that send requests nowhere.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    route_rules(context, |object, rule, place| {
        let backends = list(rule, &["backendRefs"]);
        let is_idle = backends.iter().all(|it| int(it, &["weight"]) == Some(0));
        if backends.is_empty() || !is_idle {
            return Vec::new();
        }
        let place = place.key("backendRefs").index(0).key("weight");
        let message = "no backend of the rule gets requests, because all have the weight 0";
        let found = finding(CODE, object, &place, message)
            .why("requests that match the rule are answered with 500")
            .help("give a backend a weight above 0, or remove `weight`, which is 1 then");
        vec![found]
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn a_rule_has_a_backend_with_a_weight() {
        let with = |backends: &str| {
            let text = format!(
                "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: a, namespace: apps}}
spec: {{rules: [{{backendRefs: [{backends}]}}]}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(
            with("{name: a, port: 80, weight: 0}, {name: b, port: 80}"),
            [""; 0]
        );
        assert_eq!(
            with("{name: a, port: 80, weight: 0}, {name: b, port: 80, weight: 0}"),
            [
                "warning envoy/no-weight /spec/rules/0/backendRefs/0/weight: no backend of the rule gets requests, because all have the weight 0"
            ]
        );
    }
}
