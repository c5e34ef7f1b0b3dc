//! Routes that refer to a gateway that doesn't exist.

use std::collections::BTreeSet;

use super::cluster::{ClusterAttachments, is_known, is_walked, list};
use super::routes::NOT_ATTACHED;
use envoy_gateway::index::{GATEWAY_API, Key};
use envoy_gateway::{Parent, Route};
use manifest::diagnostic::suggest::{MOST_COMPARED, nearest};
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::value::Pointer;
use manifest::{Object, finding};

manifest::code! {
    "attachment"/"no-gateway", Error, "A route that refers to a gateway that doesn't exist.",
    r#"
A route refers to a Gateway that doesn't exist; so may the values of a HelmRelease from which a chart creates
a route. The route attaches to nothing: requests for its hostnames get status 404 or no answer, and only the
route's status shows why. This is reported only if other Gateways of that namespace are among the manifests, or if the
namespace is misspelt. A parentRef without a namespace refers to the route's own namespace.

## Wrong

```yaml
values:
  route:
    app:
      hostnames: ["app.example.com"]
      parentRefs:
        - name: envoy-extrenal
          namespace: network
```

## Right

```yaml
values:
  route:
    app:
      hostnames: ["app.example.com"]
      parentRefs:
        - name: envoy-external
          namespace: network
          sectionName: https
```
"#
}

/// The names of gateways that charts make without a word in their values: that of Traefik's chart.
const MADE_BY_CHARTS: [&str; 1] = ["traefik-gateway"];

impl<'a> ClusterAttachments<'_, 'a> {
    /// A gateway that doesn't exist, although it would have to be among the given objects.
    pub(super) fn no_gateway(
        &self,
        route: &Route<'_>,
        parent: &Parent<'_>,
        place: &Pointer,
    ) -> Option<Diagnostic> {
        let reference = &parent.reference;
        let is_gateway = reference.kind.is_none_or(|kind| kind == "Gateway")
            && reference.group.is_none_or(|group| group == GATEWAY_API);
        let key = Key {
            namespace: reference.namespace.unwrap_or(route.object.namespace()),
            name: reference.name,
        };
        if reference.kind == Some("ListenerSet") {
            return self.no_listener_set(CODE, route.object, key, place);
        }
        if !is_gateway {
            return None;
        }
        if self.is_listener_set(key) {
            let message = format!("there is no Gateway {key}, but a ListenerSet");
            return Some(
                finding(CODE, route.object, place, message)
                    .why(NOT_ATTACHED)
                    .help("add `kind: ListenerSet`"),
            );
        }
        let message = format!("there is no Gateway {key}");
        let missing = self.missing_gateway(route.object, key, reference.namespace.is_none());
        let Some(missing) = missing else {
            let meant = self.misspelt_namespace(route.object, key)?;
            return Some(
                finding(CODE, route.object, &place.key("namespace"), message)
                    .why(NOT_ATTACHED)
                    .help(format!("write `namespace: {meant}`, where the Gateway is")),
            );
        };
        let one = match missing {
            Missing::Among(there) => {
                finding(CODE, route.object, &place.key("name"), message)
                    .help(meant(reference.name, &there))
            }
            Missing::In(namespace) => {
                finding(CODE, route.object, place, message)
                    .severity(Severity::Warning)
                    .help(format!(
                        "without a namespace, a parent is in the route's own namespace; write `namespace: {namespace}`"
                    ))
            }
        };
        Some(one.why(NOT_ATTACHED))
    }

    /// The namespace that is meant by a similar one, in which there is nothing at all.
    pub(super) fn misspelt_namespace(&self, from: &Object, key: Key<'_>) -> Option<&'a str> {
        let is_sure =
            is_known(key.name) && is_known(key.namespace) && is_walked(self.context, from);
        let mut objects = self.all.iter().map(|one| one.object);
        let is_used = |it: &Object| {
            it.namespace() == key.namespace
                || (it.kind() == "Namespace" && it.name() == key.namespace)
                || (it.kind() == "Gateway" && it.name() == key.name && !is_known(it.namespace()))
        };
        if !is_sure || objects.any(is_used) {
            return None;
        }
        let of_name = self.gateways.iter();
        let of_name = of_name.filter(|(it, is_walked)| it.name == key.name && **is_walked);
        nearest(key.namespace, of_name.map(|(it, _)| it.namespace))
    }

    /// Says that a gateway doesn't exist, if it would have to be among the given objects: there are others in its
    /// namespace, or, if `may_be_elsewhere`, one with its name in another namespace.
    pub(super) fn missing_gateway(
        &self,
        from: &Object,
        key: Key<'_>,
        may_be_elsewhere: bool,
    ) -> Option<Missing<'a>> {
        if !is_known(key.name) || !is_known(key.namespace) || !is_walked(self.context, from) {
            return None;
        }
        if MADE_BY_CHARTS.contains(&key.name) {
            return None;
        }
        let near = || {
            let all = self.gateways.iter();
            all.filter(|(it, _)| it.namespace == key.namespace || !is_known(it.namespace))
        };
        if near().any(|(it, _)| it.name == key.name || !is_known(it.name)) {
            return None;
        }
        let names: BTreeSet<&str> = near()
            .filter(|(_, is_walked)| **is_walked)
            .map(|(it, _)| it.name)
            .collect();
        if !names.is_empty() {
            return Some(Missing::Among(names.into_iter().collect()));
        }
        let all = self.gateways.keys();
        let mut elsewhere = all.filter(|it| may_be_elsewhere && it.name == key.name);
        match (elsewhere.next(), elsewhere.next()) {
            (Some(one), None) => Some(Missing::In(one.namespace)),
            _ => None,
        }
    }
}

/// What exists instead of a gateway.
pub(super) enum Missing<'a> {
    /// These gateways in the same namespace.
    Among(Vec<&'a str>),
    /// A gateway with the same name in this namespace.
    In(&'a str),
}

/// A suggestion for a name that doesn't exist.
pub(super) fn meant(name: &str, there: &[&str]) -> String {
    match nearest(name, there.iter().copied().take(MOST_COMPARED)) {
        Some(near) if there.len() == 1 => format!("write `{near}`"),
        Some(near) => format!("write `{near}`; there are {}", list(there)),
        None => format!("use one that exists: {}", list(there)),
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, graded, route, said};

    #[test]
    fn a_gateway_that_is_not_there_is_told_where_others_of_its_namespace_are() {
        let to = |name: &str| {
            let route = route("sectionName: https", "rules: []");
            let route = route.replace("name: external, namespace: network", name);
            said(&(GATEWAY.to_owned() + &route))
        };
        assert_eq!(
            to("name: extrenal, namespace: network"),
            [
                "attachment/no-gateway /spec/parentRefs/0/name: there is no Gateway network/extrenal (write `external`)"
            ]
        );
        for silent in [
            "name: \"${GATEWAY}\", namespace: network",
            "name: x, namespace: network, kind: Service, group: \"\"",
            "name: external, namespace: other",
        ] {
            let found = to(silent);
            assert_eq!(found, [""; 0], "{silent}");
        }
        assert_eq!(
            to("name: external, namespace: netwrok"),
            [
                "attachment/no-gateway /spec/parentRefs/0/namespace: there is no Gateway netwrok/external (write `namespace: network`, where the Gateway is)"
            ]
        );
        let own = route("", "rules: []").replace(", namespace: network, ", "");
        assert_eq!(
            graded(&(GATEWAY.to_owned() + &own)),
            [
                "warning attachment/no-gateway HTTPRoute /spec/parentRefs/0: there is no Gateway apps/external"
            ]
        );
    }
}
