//! Routes that name no gateway as their parent.

use super::cluster::{ClusterAttachments, is_known, is_walked, spec};
use super::routes::NOT_ATTACHED;
use envoy_gateway::RouteKind;
use envoy_gateway::index::{GATEWAY_API, Key};
use envoy_gateway::read::{list, text};
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::{Object, finding};

manifest::code! {
    "attachment"/"no-parent", Error, "A route that names no gateway as its parent.",
    r#"
A route has no `parentRefs`, or a parent of another kind or group than that of the Gateway with this name. The route is
valid, but it attaches to no gateway, so it handles no requests. A parent without `group` and `kind` is a Gateway.

## Wrong

```yaml
parentRefs: [{group: gateway.envoyproxy.io, kind: Gateway, name: envoy-external}]
```

## Right

```yaml
parentRefs: [{name: envoy-external}]
```
"#
}

impl<'a> ClusterAttachments<'_, 'a> {
    /// Reports routes without a gateway.
    pub(super) fn without_parents(&self) -> Vec<(&'a Object, Diagnostic)> {
        let objects = self.all.iter().map(|one| one.object);
        let routes = objects.filter(|it| {
            it.group() == GATEWAY_API
                && RouteKind::parse(it.kind()).is_some()
                && !self.is_open(it)
                && is_walked(self.context, it)
        });
        let mut found = Vec::new();
        for route in routes {
            let parents = list(&route.node, &["spec", "parentRefs"]);
            if parents.is_empty() {
                let message = format!("the {} has no `parentRefs`", route.kind());
                let one = finding(CODE, route, &spec().key("parentRefs"), message)
                    .severity(Severity::Warning)
                    .why("the route is attached to no gateway, so it handles no requests")
                    .help("name a Gateway in `parentRefs`");
                found.push((route, one));
            }
            for (at, parent) in parents.iter().enumerate() {
                let group = text(parent, &["group"]).unwrap_or(GATEWAY_API);
                let kind = text(parent, &["kind"]).unwrap_or("Gateway");
                let key = Key {
                    namespace: text(parent, &["namespace"]).unwrap_or(route.namespace()),
                    name: text(parent, &["name"]).unwrap_or_default(),
                };
                let is_right =
                    group == GATEWAY_API && kind != "GatewayClass" && kind != "EnvoyProxy";
                if is_right
                    || !is_known(group) && !group.is_empty()
                    || !self.gateways.contains_key(&key)
                {
                    continue;
                }
                let message = format!("{key} is a Gateway, not a {kind} of group `{group}`");
                let place = spec().key("parentRefs").index(at);
                let one = finding(CODE, route, &place, message)
                    .why(NOT_ATTACHED)
                    .help("remove `group` and `kind`; a parent is a Gateway without them");
                found.push((route, one));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, graded, route};

    #[test]
    fn a_route_names_a_gateway() {
        let with = |parents: &str| {
            let route = route("sectionName: https", "rules: []");
            let wrong = route.replace(
                "parentRefs: [{name: external, namespace: network, sectionName: https}]",
                parents,
            );
            assert_ne!(route, wrong);
            let found = graded(&format!("{GATEWAY}{wrong}"));
            found
                .into_iter()
                .filter(|it| it.contains("no-parent"))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            with("parentRefs: []"),
            [
                "warning attachment/no-parent HTTPRoute /spec/parentRefs: the HTTPRoute has no `parentRefs`"
            ]
        );
        assert_eq!(
            with(
                "parentRefs: [{group: gateway.envoyproxy.io, kind: Gateway, name: external, namespace: network}]"
            ),
            [
                "error attachment/no-parent HTTPRoute /spec/parentRefs/0: network/external is a Gateway, not a Gateway of group `gateway.envoyproxy.io`"
            ]
        );
        assert_eq!(
            with("parentRefs: [{group: '', kind: Service, name: app, namespace: network}]"),
            [""; 0]
        );
    }
}
