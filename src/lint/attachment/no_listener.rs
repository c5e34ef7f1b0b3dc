//! Routes that refer to a listener that their parent doesn't have.

use super::cluster::list;
use super::routes::NOT_ATTACHED;
use envoy_gateway::{Listener, Parent, Route};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Pointer, variable};

manifest::code! {
    "attachment"/"no-listener", Error, "A route that refers to a listener that its parent doesn't have.",
    r#"
A route refers to a listener (`sectionName`, `port`) that the Gateway or ListenerSet doesn't have. The route
attaches to nothing: requests for its hostnames get status 404 or no answer. The names of the listeners are in
`spec.listeners`.

## Wrong

```yaml
parentRefs:
  - name: envoy-external
    namespace: network
    sectionName: htps
```

## Right

```yaml
parentRefs:
  - name: envoy-external
    namespace: network
    sectionName: https
```
"#
}

/// Reports a reference to a parent without such a listener. `name` is the parent's, and `listeners` are all that it has.
pub(super) fn report(
    route: &Route<'_>,
    parent: &Parent<'_>,
    place: &Pointer,
    name: &str,
    listeners: &[&Listener<'_>],
) -> Option<Diagnostic> {
    let names: Vec<&str> = listeners.iter().map(|it| it.name).collect();
    if names.iter().any(|name| variable::in_text(name)) {
        return None;
    }
    let (pointer, message, help) = match (parent.reference.section, parent.reference.port) {
        (Some(section), _) if !names.contains(&section) => (
            place.key("sectionName"),
            format!("{name} has no listener `{section}`"),
            format!("it has {}", list(&names)),
        ),
        (_, Some(port)) => (
            place.key("port"),
            format!("{name} has no such listener on port {port}"),
            "remove `port`, or use that of a listener".to_owned(),
        ),
        _ => (
            place.clone(),
            format!("{name} has no listener"),
            "add one".to_owned(),
        ),
    };
    Some(
        finding(CODE, route.object, &pointer, message)
            .why(NOT_ATTACHED)
            .help(help),
    )
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, route, said};

    #[test]
    fn a_listener_that_is_not_there_is_told_with_those_that_are() {
        let text = GATEWAY.to_owned() + &route("sectionName: htp", "rules: []");
        assert_eq!(
            said(&text),
            [
                "attachment/no-listener /spec/parentRefs/0/sectionName: Gateway network/external has no listener `htp` (it has `http`, `https`)"
            ]
        );
    }
}
