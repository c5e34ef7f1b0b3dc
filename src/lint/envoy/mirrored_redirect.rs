//! Mirrors of requests that are redirected.

use crate::lint::front::GATEWAY_API;
use crate::lint::{Applied, LintContext};
use envoy_gateway::read::{list, text};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer};

manifest::code! {
    "envoy"/"mirrored-redirect", Warning, "A mirror of requests that are redirected.",
    r#"
Envoy answers a redirected request by itself and sends it to no backend, so there is nothing to mirror: a
`RequestMirror` beside a `RequestRedirect` does nothing. Put the mirror into the rule that serves the URL that
clients are redirected to.

## Wrong

```yaml
rules:
  - filters:
      - {type: RequestRedirect, requestRedirect: {hostname: new.example.com}}
      - {type: RequestMirror, requestMirror: {backendRef: {name: audit, port: 80}}}
```

## Right

```yaml
rules:
  - filters:
      - {type: RequestMirror, requestMirror: {backendRef: {name: audit, port: 80}}}
    backendRefs: [{name: app, port: 80}]
```
"#
}

/// Reports mirrors beside redirects.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let routes = context.of_kind(GATEWAY_API, "HTTPRoute");
    let mut found: Vec<Diagnostic> = Vec::new();
    for one in routes.flat_map(|route| mirrors(&route)) {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

fn mirrors(route: &Applied<'_>) -> Vec<Diagnostic> {
    let rules = list(&route.object.node, &["spec", "rules"])
        .iter()
        .enumerate();
    let found = rules.filter_map(|(at, rule)| {
        let filters = list(rule, &["filters"]);
        let place = |kind: &str| {
            let is_it = |filter: &Node| text(filter, &["type"]) == Some(kind);
            filters.iter().position(is_it)
        };
        let (mirror, _) = place("RequestMirror").zip(place("RequestRedirect"))?;
        let pointer = Pointer::root()
            .key("spec")
            .key("rules")
            .index(at)
            .key("filters")
            .index(mirror);
        Some(
            finding(
                CODE,
                route.object,
                &pointer,
                "requests that are redirected can't be mirrored",
            )
            .why("Envoy answers them by itself, so the mirror gets no requests")
            .help(
                "put the mirror into the rule that serves the URL that clients are redirected to",
            ),
        )
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn a_mirror_beside_a_redirect_is_told() {
        let with = |filters: &str| {
            let text = format!(
                "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: a, namespace: network}}
spec: {{rules: [{{filters: [{filters}]}}]}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(
            with("{type: RequestRedirect}, {type: RequestMirror}"),
            [
                "warning envoy/mirrored-redirect /spec/rules/0/filters/1: requests that are redirected can't be mirrored"
            ]
        );
        assert_eq!(with("{type: RequestMirror}"), [""; 0]);
    }
}
