//! Routes with wildcards in their hostnames.

use super::exposed::Violation;
use manifest::diagnostic::{Diagnostic, Span};

manifest::code! {
    "guard"/"wildcard", Error, "A route has a hostname with a wildcard, which `[rules]` forbids.",
    r#"
With `rules.forbid_wildcards`, each route must say which hostnames it answers for. This one has a wildcard, or no
hostname at all at a listener that doesn't have one either, so it answers for names that nobody has thought of.
Redirects may have wildcards.

## Wrong

```toml
# HTTPRoute apps/all has the hostname *.example.com
[rules]
forbid_wildcards = true
```

## Right

```toml
# HTTPRoute apps/all has the hostnames one.example.com and two.example.com
[rules]
forbid_wildcards = true
```
"#
}

/// Reports a route with wildcards.
pub(crate) fn report(violation: &Violation<'_, '_>, rule: Option<Span>) -> Diagnostic {
    let message = format!(
        "{} answers for {} at {}",
        violation.route_name(),
        violation.hosts(),
        violation.gateway
    );
    violation
        .finding(CODE, message)
        .related(rule, "forbidden here")
        .why("it takes requests for hostnames that nobody has listed")
        .help("list the hostnames in the route, or add an exception with a reason and an end to `rules.exceptions`")
}
