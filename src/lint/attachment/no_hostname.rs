//! Routes whose hostnames don't match those of their listeners.

use std::collections::BTreeSet;

use super::cluster::spec;
use envoy_gateway::{Listener, Parent, Route};
use manifest::diagnostic::Diagnostic;
use manifest::finding;

manifest::code! {
    "attachment"/"no-hostname", Error, "A route whose hostnames don't match those of its listeners.",
    r#"
The route and the listener have no hostname in common, so no request can match both, and the route attaches to
nothing. A listener's `*.example.com` matches one or more labels below `example.com`, but not `example.com`
itself.

## Wrong

```yaml
# The listener's hostname is "*.example.com".
hostnames: [app.example.org]
```

## Right

```yaml
hostnames: [app.example.com]
```
"#
}

/// Reports a route whose hostnames match none of its parent's listeners. `name` is the parent's.
pub(super) fn report(
    route: &Route<'_>,
    parent: &Parent<'_>,
    name: &str,
    listeners: &[&Listener<'_>],
) -> Diagnostic {
    let section = parent.reference.section;
    let named = listeners
        .iter()
        .filter(|it| section.is_none_or(|section| section == it.name));
    let hosts: BTreeSet<&str> = named.filter_map(|it| it.hostname).collect();
    let hosts: Vec<&str> = hosts.into_iter().collect();
    let message = format!(
        "no hostname of the route matches a listener of {name} ({})",
        hosts.join(", ")
    );
    finding(CODE, route.object, &spec().key("hostnames"), message)
        .why("the route is not attached there")
        .help("use a hostname that the listener's hostname covers, or attach the route to another listener")
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, route, said};

    #[test]
    fn a_route_without_a_hostname_of_its_listener_is_told() {
        let text =
            GATEWAY.to_owned() + &route("sectionName: https", "hostnames: [app.example.org]");
        assert_eq!(
            said(&text),
            [
                "attachment/no-hostname /spec/hostnames: no hostname of the route matches a listener of Gateway network/external (*.example.com) (use a hostname that the listener's hostname covers, or attach the route to another listener)"
            ]
        );
    }
}
