//! Routes that no listener of their parent accepts.

use envoy_gateway::condition::Condition;
use envoy_gateway::{Listener, Parent, Route};
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
    parent: &Parent<'_>,
    place: &Pointer,
    name: &str,
    accepted: &Condition,
    listeners: &[&Listener<'_>],
) -> Diagnostic {
    let message = format!("{name} doesn't accept this route: {}", accepted.message);
    let found = finding(CODE, route.object, place, message).why("the route is not attached there");
    let is_meant = |it: &&&Listener<'_>| {
        let reference = &parent.reference;
        reference.section.is_none_or(|section| section == it.name)
            && reference.port.is_none_or(|port| port == it.port)
    };
    let fits = |it: &&&Listener<'_>| it.kinds.contains(&route.kind);
    let mut meant = listeners.iter().filter(is_meant);
    match meant.clone().find(fits).or_else(|| meant.next()) {
        Some(listener) if listener.kinds.contains(&route.kind) => found
            .help(format!(
                "write `allowedRoutes: {{namespaces: {{from: All}}}}` in listener `{}`, which admits routes from all namespaces, or attach the route to another listener",
                listener.name
            ))
            .related(listener.object.span(&listener.pointer), "the listener"),
        Some(listener) => found
            .help(format!(
                "extend `allowedRoutes.kinds` of listener `{}` if its protocol {} can have a {}, or attach the route to another listener",
                listener.name,
                listener.protocol,
                route.kind.as_str()
            ))
            .related(listener.object.span(&listener.pointer), "the listener"),
        None => found.help("extend `allowedRoutes` of the listener, or attach the route to another one"),
    }
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
                "attachment/not-allowed /spec/parentRefs/0: Gateway network/external doesn't accept this route: no listener of the parent allows HTTPRoute from namespace `apps` (write `allowedRoutes: {namespaces: {from: All}}` in listener `http`, which admits routes from all namespaces, or attach the route to another listener)"
            ]
        );
    }
}
