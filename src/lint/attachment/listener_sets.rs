//! ListenerSets that their gateway doesn't take, and names of ListenerSets that nothing has.

use std::collections::BTreeSet;

use super::cluster::{ClusterAttachments, is_known, is_walked, spec};
use super::no_gateway::{self, Missing, meant};
use super::not_allowed;
use crate::lint::reference::instead::{Instead, instead};
use envoy_gateway::Resolved;
use envoy_gateway::condition::{Status, kind};
use envoy_gateway::index::Key;
use envoy_gateway::read::text;
use envoy_gateway::view::ListenerSet;
use manifest::diagnostic::{Code, Diagnostic};
use manifest::value::Pointer;
use manifest::{Object, finding};

const UNUSED: &str =
    "the listeners of the ListenerSet are not opened, and its routes handle no requests";

impl<'a> ClusterAttachments<'_, 'a> {
    /// Reports ListenerSets without a gateway that takes them.
    pub(super) fn listener_sets(&self) -> Vec<(&'a Object, Diagnostic)> {
        let sets = self.resolved.listener_sets().iter();
        let sets = sets.filter(|set| !self.is_open(set.object));
        let found = sets.filter_map(|set| {
            let one = match set.gateway {
                Some(_) => self.not_admitted(set),
                None => self.set_without_gateway(set.object),
            };
            Some((set.object, one?))
        });
        found.collect()
    }

    /// A ListenerSet whose gateway allows none from its namespace.
    fn not_admitted(&self, set: &ListenerSet<'a>) -> Option<Diagnostic> {
        let gateway = self.resolved.gateway(set.gateway?)?.object;
        let accepted = set.conditions.get(kind::ACCEPTED)?;
        let is_refused = accepted.status == Status::False && accepted.reason == "NotAllowed";
        if !is_refused || self.is_open(gateway) {
            return None;
        }
        Some(
            finding(
                not_allowed::CODE,
                set.object,
                &spec().key("parentRef"),
                accepted.message.clone(),
            )
            .related(
                gateway.place_to_change(&spec().key("allowedListeners")),
                "the Gateway says which ListenerSets it allows",
            )
            .why(UNUSED)
            .help(
                "set `allowedListeners.namespaces.from: All` in the Gateway, or a `Selector` for the labels of this namespace",
            ),
        )
    }

    /// A ListenerSet whose gateway doesn't exist.
    fn set_without_gateway(&self, set: &'a Object) -> Option<Diagnostic> {
        let parent = set.node.path(&["spec", "parentRef"])?;
        let given = text(parent, &["namespace"]);
        let key = Key {
            namespace: given.unwrap_or(set.namespace()),
            name: text(parent, &["name"])?,
        };
        let place = spec().key("parentRef");
        let wanted = text(parent, &["kind"]).unwrap_or("Gateway");
        let message = format!("there is no Gateway {key}");
        let tell = |place: &Pointer, message: String, help: String| {
            let found = finding(no_gateway::CODE, set, place, message);
            Some(found.why(UNUSED).help(help))
        };
        if wanted != "Gateway" {
            let message = format!("a {wanted} can't be the parent of a ListenerSet");
            return tell(
                &place.key("kind"),
                message,
                "write `kind: Gateway`".to_owned(),
            );
        }
        match self.missing_gateway(set, key, given.is_none()) {
            Some(Missing::Among(there)) => {
                tell(&place.key("name"), message, meant(key.name, &there))
            }
            Some(Missing::In(namespace)) => {
                tell(&place, message, format!("add `namespace: {namespace}`"))
            }
            None => {
                let namespace = self.misspelt_namespace(set, key)?;
                let help = format!("write `namespace: {namespace}`");
                tell(&place.key("namespace"), message, help)
            }
        }
    }

    /// A reference to a ListenerSet that doesn't exist, while there is a similar one. The code is that of the finding.
    pub(super) fn no_listener_set(
        &self,
        code: Code,
        from: &Object,
        key: Key<'_>,
        place: &Pointer,
    ) -> Option<Diagnostic> {
        let is_sure =
            is_known(key.name) && is_known(key.namespace) && is_walked(self.context, from);
        let there = keys(self.resolved);
        if !is_sure || there.contains(&key) || there.iter().any(|it| !is_known(it.namespace)) {
            return None;
        }
        let message = format!("there is no ListenerSet {key}");
        let (place, help) = match instead(key, &there)? {
            Instead::Named(name) => (place.key("name"), format!("write `{name}`")),
            Instead::In(namespace) => (
                place.key("name"),
                format!("the ListenerSet is in the namespace `{namespace}`"),
            ),
        };
        Some(
            finding(code, from, &place, message)
                .why("nothing is attached there, so the object has no effect")
                .help(help),
        )
    }

    /// Whether there is a ListenerSet with this name, but no Gateway.
    pub(super) fn is_listener_set(&self, key: Key<'_>) -> bool {
        keys(self.resolved).contains(&key) && !self.gateways.contains_key(&key)
    }
}

fn keys<'a>(resolved: &Resolved<'a>) -> BTreeSet<Key<'a>> {
    resolved
        .listener_sets()
        .iter()
        .map(ListenerSet::key)
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, said};

    const SET: &str = "---
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: team, namespace: team}
spec:
  parentRef: {name: external, namespace: network}
  listeners: [{name: team-http, port: 8080, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: team}
spec:
  parentRefs: [{kind: ListenerSet, name: team, sectionName: team-http}]
  rules: [{backendRefs: [{name: web, port: 80}]}]
";

    fn with(from: &str, to: &str) -> Vec<String> {
        let gateway = GATEWAY.replace(
            "  listeners:",
            "  allowedListeners: {namespaces: {from: All}}\n  listeners:",
        );
        assert_ne!(gateway, GATEWAY);
        let text = gateway + SET;
        assert!(text.contains(from), "{from}");
        said(&text.replacen(from, to, 1))
    }

    #[test]
    fn listener_sets_are_taken_by_their_gateway() {
        assert_eq!(with("from: All}}", "from: All}}"), [""; 0]);
        assert_eq!(
            with(
                "allowedListeners: {namespaces: {from: All}}",
                "allowedListeners: {namespaces: {from: Same}}"
            ),
            [
                "attachment/not-allowed /spec/parentRef: Gateway network/external allows no ListenerSets from namespace `team` (`allowedListeners`) (set `allowedListeners.namespaces.from: All` in the Gateway, or a `Selector` for the labels of this namespace)"
            ]
        );
        assert_eq!(
            with(
                "{name: external, namespace: network}\n  listeners",
                "{name: extrenal, namespace: network}\n  listeners"
            ),
            [
                "attachment/no-gateway /spec/parentRef/name: there is no Gateway network/extrenal (write `external`)"
            ]
        );
        assert_eq!(
            with(
                "{name: external, namespace: network}\n  listeners",
                "{name: external}\n  listeners"
            ),
            [
                "attachment/no-gateway /spec/parentRef: there is no Gateway team/external (add `namespace: network`)"
            ]
        );
    }

    #[test]
    fn routes_name_listener_sets_that_exist() {
        assert_eq!(
            with(
                "kind: ListenerSet, name: team,",
                "kind: ListenerSet, name: taem,"
            ),
            [
                "attachment/no-gateway /spec/parentRefs/0/name: there is no ListenerSet team/taem (write `team`)"
            ]
        );
        assert_eq!(
            with("{kind: ListenerSet, name: team,", "{name: team,"),
            [
                "attachment/no-gateway /spec/parentRefs/0: there is no Gateway team/team, but a ListenerSet (add `kind: ListenerSet`)"
            ]
        );
    }
}
