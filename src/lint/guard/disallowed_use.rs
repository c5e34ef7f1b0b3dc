//! Routes that use what their namespace may not use.

use super::exposed::Violation;
use manifest::diagnostic::{Diagnostic, Span};

manifest::code! {
    "guard"/"disallowed-use", Error, "A route uses a gateway, listener, port or hostname that its namespace may not use.",
    r#"
An entry of `rules.allow` says what the routes of some namespaces may use: gateways, listeners, ports and hostnames.
If entries name the namespace of a route, one of them must allow all that the route uses. The gateway itself may
accept the route: the rule is about what should be merged, not about what works.

## Wrong

```toml
# HTTPRoute team-a/shop in namespace team-a has the hostname shop.example.com
[[rules.allow]]
namespaces = ["team-*"]
hostnames = ["*.apps.example.com"]
```

## Right

```toml
# HTTPRoute team-a/shop in namespace team-a has the hostname shop.apps.example.com
[[rules.allow]]
namespaces = ["team-*"]
hostnames = ["*.apps.example.com"]
```
"#
}

/// Reports a use that no entry allows; `what` is refused by the entry at `rule`.
pub(crate) fn report(violation: &Violation<'_, '_>, what: &str, rule: Option<Span>) -> Diagnostic {
    let message = format!("namespace {} may not use {what}", violation.namespace());
    violation
        .finding(CODE, message)
        .related(rule, "what the namespace may use")
        .why(format!(
            "{} is attached to it, and nothing else would stop it",
            violation.route_name()
        ))
        .help("change the route, or add what it needs to `rules.allow`")
}
