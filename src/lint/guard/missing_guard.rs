//! Routes on external gateways without the guards that `rules.external.requires` asks for.

use super::exposed::Violation;
use manifest::diagnostic::{Diagnostic, Span};

manifest::code! {
    "guard"/"missing-guard", Error, "A hostname on an external gateway lacks a guard that `[rules]` requires.",
    r#"
`rules.external.requires` lists the guards that every answer on an external gateway must have, except for redirects. A
route of any kind is attached to such a gateway, and an answer of it has none of them: neither a policy of the route,
nor one of its listener or gateway. `auth` is any guard that asks who the client is, and `allow list` an authorization
by networks. Guard the route, or add an exception with a reason and an end.

## Wrong

```toml
# HTTPRoute www/www is attached to envoy-external, and no SecurityPolicy targets it
[rules.external]
requires = ["auth or allow list"]
```

## Right

```toml
[rules.external]
requires = ["auth or allow list"]
exceptions = [{ host = "www.example.com", reason = "the public website", until = "2027-12-31" }]
```
"#
}

/// Reports a route without one of the required guards.
pub(crate) fn report(
    violation: &Violation<'_, '_>,
    requirement: &str,
    rule: Option<Span>,
) -> Diagnostic {
    let message = format!(
        "{} is on the external gateway {} without {requirement}",
        violation.hosts(),
        violation.gateway
    );
    violation
        .finding(CODE, message)
        .related(rule, "required here")
        .why(format!("anybody on the Internet can send requests to {}", violation.route_name()))
        .help("guard the route with a SecurityPolicy, or add an exception with a reason and an end to `rules.external.exceptions`")
}
