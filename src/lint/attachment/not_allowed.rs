//! Routes that no listener of their parent accepts.

use envoy_gateway::Route;
use envoy_gateway::condition::Condition;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::Pointer;

manifest::code! {
    "attachment"/"not-allowed", Error, "A route that no listener of its parent accepts.",
    r#"
No listener of the parent accepts the route: its `allowedRoutes` names other namespaces or other kinds of
route, or its protocol doesn't support routes of this kind. Without `allowedRoutes`, a listener accepts only
routes from its own namespace. The route attaches to nothing.

## Wrong

```yaml
# The Gateway is in `network`, the route in `apps`.
listeners:
  - name: https
    port: 443
    protocol: HTTPS
```

## Right

```yaml
listeners:
  - name: https
    port: 443
    protocol: HTTPS
    allowedRoutes:
      namespaces:
        from: All
```
"#
}

/// Reports a parent that doesn't accept a route, by its condition. `name` is the parent's.
pub(super) fn report(
    route: &Route<'_>,
    place: &Pointer,
    name: &str,
    accepted: &Condition,
) -> Diagnostic {
    let message = format!("{name} doesn't accept this route: {}", accepted.message);
    finding(CODE, route.object, place, message)
        .why("the route is not attached there")
        .help("extend `allowedRoutes` of the listener, or attach the route to another one")
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, route, said};

    #[test]
    fn routes_that_are_not_let_in_are_told() {
        let text = GATEWAY.to_owned() + &route("sectionName: http", "rules: []");
        assert_eq!(
            said(&text),
            [
                "attachment/not-allowed /spec/parentRefs/0: Gateway network/external doesn't accept this route: no listener of the parent allows HTTPRoute from namespace `apps` (extend `allowedRoutes` of the listener, or attach the route to another one)"
            ]
        );
    }
}
