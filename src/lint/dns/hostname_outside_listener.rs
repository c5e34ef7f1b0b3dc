//! Hostnames in annotations that no listener of the route has.

use envoy_gateway::exposure::dns::{PREFIXES, annotation};
use envoy_gateway::hostname::overlap;
use envoy_gateway::{Resolved, Route};
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Pointer, variable};

manifest::code! {
    "dns"/"hostname-outside-listener", Warning, "A hostname in an annotation that no listener of the route has.",
    r#"
The annotation `hostname` of a route names a host that matches no hostname of the listeners to which the route is
attached. external-dns leaves such names out, and Envoy doesn't answer for them either.

## Wrong

```yaml
# the listener has the hostname "*.example.com"
kind: HTTPRoute
metadata:
  annotations:
    external-dns.kubernetes.io/hostname: shop.example.org
```

## Right

```yaml
# the listener has the hostname "*.example.com"
kind: HTTPRoute
metadata:
  annotations:
    external-dns.kubernetes.io/hostname: shop.example.com
```
"#
}

/// Reports names in annotations of routes that are outside of all their listeners.
pub(crate) fn check<'a>(resolved: &Resolved<'a>) -> Vec<(&'a Object, Diagnostic)> {
    let routes = resolved.routes().iter();
    routes
        .filter_map(|route| Some((route.object, outside(resolved, route)?)))
        .collect()
}

fn outside(resolved: &Resolved<'_>, route: &Route<'_>) -> Option<Diagnostic> {
    let names = annotation(route.object, "hostname")?;
    let attached = route.parents.iter().flat_map(|parent| &parent.attachments);
    let listeners: Vec<_> = attached
        .filter_map(|it| resolved.listener(it.listener))
        .collect();
    if listeners.is_empty() {
        return None;
    }
    let is_outside = |name: &&str| {
        !name.is_empty()
            && !variable::in_text(name)
            && !listeners.iter().any(|it| {
                it.hostname.is_some_and(variable::in_text) || overlap(it.hostname, Some(name))
            })
    };
    let name = names.split(',').map(str::trim).find(is_outside)?;
    let annotations = Pointer::root().key("metadata").key("annotations");
    let keys = PREFIXES
        .iter()
        .map(|prefix| annotations.key(format!("{prefix}hostname")));
    let pointer = keys
        .into_iter()
        .find(|at| route.object.node.at(at).is_some())?;
    let mut hostnames: Vec<&str> = listeners.iter().filter_map(|it| it.hostname).collect();
    hostnames.sort_unstable();
    hostnames.dedup();
    let message = format!("no listener of the route has {name}");
    Some(
        finding(CODE, route.object, &pointer, message)
            .why("external-dns leaves the name out, and Envoy doesn't answer for it")
            .help(format!(
                "write a name that fits a listener ({})",
                hostnames.join(", ")
            )),
    )
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, graded, route};

    #[test]
    fn names_in_annotations_fit_a_listener() {
        let says = |name: &str| {
            let route = route("sectionName: https", "hostnames: [app.example.com]").replacen(
                "metadata: {",
                &format!(
                    "metadata: {{annotations: {{external-dns.kubernetes.io/hostname: {name}}}, "
                ),
                1,
            );
            let found = graded(&(GATEWAY.to_owned() + &route));
            found
                .into_iter()
                .filter(|one| one.contains(" dns/"))
                .collect::<Vec<_>>()
        };
        assert_eq!(says("other.example.com"), [""; 0]);
        let found = says("app.example.org");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains("no listener of the route has app.example.org"),
            "{found:?}"
        );
    }
}
