//! Routes of namespaces that must not be exposed.

use super::exposed::Violation;
use manifest::diagnostic::{Diagnostic, Span};

manifest::code! {
    "guard"/"never-external", Error, "A namespace that must never be external has a route on an external gateway.",
    r#"
`rules.namespaces.never_external` lists namespaces whose applications must not be reachable from the Internet, and a
route in one of them is attached to an external gateway. A redirect counts too, because it shows that the application
exists. Attach the route to an internal gateway, or remove the namespace from the list.

## Wrong

```toml
# HTTPRoute monitoring/grafana is attached to envoy-external
[rules.namespaces]
never_external = ["monitoring"]
```

## Right

```toml
# HTTPRoute monitoring/grafana is attached to envoy-internal
[rules.namespaces]
never_external = ["monitoring"]
```
"#
}

/// Reports a route of such a namespace.
pub(crate) fn report(violation: &Violation<'_, '_>, rule: Option<Span>) -> Diagnostic {
    let message = format!(
        "namespace {} must never be external, but {} is on the external gateway {}",
        violation.namespace(),
        violation.hosts(),
        violation.gateway
    );
    violation
        .finding(CODE, message)
        .related(rule, "forbidden here")
        .why(format!(
            "{} can be reached from the Internet",
            violation.route_name()
        ))
        .help("attach the route to an internal gateway")
}
