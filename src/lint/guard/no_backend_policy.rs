//! Routes to which no BackendTrafficPolicy applies.

use super::exposed::Violation;
use manifest::diagnostic::{Diagnostic, Span};

manifest::code! {
    "guard"/"no-backend-policy", Error, "No BackendTrafficPolicy applies to a route, although `[rules]` requires one.",
    r#"
With `rules.require_backend_policy`, a BackendTrafficPolicy must apply to each route that has backends: one of the
route, of its listener or of its gateway. Otherwise there are no timeouts, retries and limits of your choice.
Redirects need none.

## Wrong

```toml
# there is no [backend_traffic], and no BackendTrafficPolicy targets HTTPRoute apps/wiki
[rules]
require_backend_policy = true
```

## Right

```toml
[rules]
require_backend_policy = true

[backend_traffic]
timeouts = { request = "30s" }
```
"#
}

/// Reports a route without such a policy.
pub(crate) fn report(violation: &Violation<'_, '_>, rule: Option<Span>) -> Diagnostic {
    let message = format!(
        "no BackendTrafficPolicy applies to {} at {}",
        violation.route_name(),
        violation.gateway
    );
    violation
        .finding(CODE, message)
        .related(rule, "required here")
        .why("requests to its backends have no timeouts, retries and limits of your choice")
        .help("let a BackendTrafficPolicy target the route or its gateway; in cluster.toml, `[backend_traffic]` is for all gateways")
}
