//! Paths of routes with an asterisk, which stands for itself.

use super::route_rules;
use crate::lint::LintContext;
use envoy_gateway::read::{list, text};
use manifest::diagnostic::Diagnostic;
use manifest::finding;

manifest::code! {
    "envoy"/"literal-wildcard", Warning, "A path with an asterisk that only matches an asterisk.",
    r#"
In a path of the type `PathPrefix` or `Exact`, `*` is a character like any other: `/api/*` matches requests whose path
contains an asterisk there, and no others. A prefix needs no wildcard, since `/api` also matches `/api/users`. Only the
type `RegularExpression` has patterns.

## Wrong

```yaml
matches: [{path: {type: PathPrefix, value: "/api/*"}}]
```

## Right

```yaml
matches: [{path: {type: PathPrefix, value: /api}}]
```
"#
}

/// Reports paths with asterisks.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    route_rules(context, |object, rule, place| {
        let matches = list(rule, &["matches"]).iter().enumerate();
        let found = matches.filter_map(|(at, one)| {
            let kind = text(one, &["path", "type"]).unwrap_or("PathPrefix");
            let value = text(one, &["path", "value"]).filter(|value| value.contains('*'))?;
            if !matches!(kind, "PathPrefix" | "Exact") {
                return None;
            }
            let place = place.key("matches").index(at).key("path").key("value");
            let message = format!("`{value}` only matches paths with an asterisk in them");
            let plain = value.trim_end_matches('*').trim_end_matches('/');
            let help = match plain.contains('*') || plain.is_empty() {
                true => "use `type: RegularExpression`, or a prefix without an asterisk".to_owned(),
                false => format!("write `type: PathPrefix` and `value: {plain}`, which matches everything below it, too"),
            };
            let found = finding(CODE, object, &place, message)
                .why("in this type of path, `*` is an ordinary character, so the rule gets hardly any requests")
                .help(help);
            Some(found)
        });
        found.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn an_asterisk_in_a_path_is_told() {
        let with = |path: &str| {
            let text = format!(
                "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: a, namespace: apps}}
spec: {{rules: [{{matches: [{{path: {{{path}}}}}]}}]}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        for right in ["value: /api", "type: RegularExpression, value: '/api/.*'"] {
            assert_eq!(with(right), [""; 0], "{right}");
        }
        assert_eq!(
            with("value: '/api/*'"),
            [
                "warning envoy/literal-wildcard /spec/rules/0/matches/0/path/value: `/api/*` only matches paths with an asterisk in them"
            ]
        );
        assert_eq!(with("type: Exact, value: '/*'").len(), 1);
    }
}
