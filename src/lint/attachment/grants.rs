//! References to other namespaces, and the ReferenceGrants that would allow them.

use super::cluster::{ClusterAttachments, is_known, is_walked};
use super::objects::references;
use crate::lint::reference::not_permitted::CODE;
use envoy_gateway::fault::Fault;
use envoy_gateway::helm_routes::HELM;
use envoy_gateway::index::{ENVOY_GATEWAY, GATEWAY_API, Key};
use envoy_gateway::policy::Policy;
use envoy_gateway::read::{list, text};
use envoy_gateway::{Listener, Route};
use flux_repo::{is_flux_kustomization, is_kustomization};
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::value::{Kind, Node, Pointer};
use manifest::{Object, finding};

/// The beginning of what Envoy Gateway's view says of a reference that no grant allows.
pub(super) const REFUSED: &str = "no ReferenceGrant in namespace";

/// A reference of an object to one in another namespace.
struct Crossing<'n> {
    from: &'n Object,
    group: &'n str,
    kind: &'n str,
    key: Key<'n>,
}

impl<'n> Crossing<'n> {
    /// The reference at a node, if it leads to another namespace. Without a kind, it is for `kind`.
    fn new(from: &'n Object, node: &'n Node, kind: &'n str) -> Option<Self> {
        let namespace = text(node, &["namespace"])?;
        let key = Key {
            namespace,
            name: text(node, &["name"])?,
        };
        let is_other =
            is_known(namespace) && is_known(from.namespace()) && namespace != from.namespace();
        is_other.then(|| Crossing {
            from,
            group: text(node, &["group"]).unwrap_or_default(),
            kind: text(node, &["kind"]).unwrap_or(kind),
            key,
        })
    }

    /// Whether an entry of a grant's `from` is for it.
    fn comes(&self, from: &Node) -> bool {
        let field = |key: &str| text(from, &[key]).unwrap_or_default();
        (field("group"), field("kind"), field("namespace"))
            == (self.from.group(), self.from.kind(), self.from.namespace())
    }

    /// Whether an entry of a grant's `to` is for it, but for the name.
    fn leads(&self, to: &Node) -> bool {
        let field = |key: &str| text(to, &[key]).unwrap_or_default();
        (field("group"), field("kind")) == (self.group, self.kind)
    }

    fn is_allowed_by(&self, grant: &Object) -> bool {
        let is_named = |to: &Node| text(to, &["name"]).is_none_or(|name| name == self.key.name);
        let mut to = list(&grant.node, &["spec", "to"]).iter();
        grant.namespace() == self.key.namespace
            && list(&grant.node, &["spec", "from"])
                .iter()
                .any(|it| self.comes(it))
            && to.any(|it| self.leads(it) && is_named(it))
    }

    /// The entries that a grant needs.
    fn entries(&self) -> String {
        format!(
            "`from: [{{group: {}, kind: {}, namespace: {}}}]` and `to: [{{group: \"{}\", kind: {}}}]`",
            self.from.group(),
            self.from.kind(),
            self.from.namespace(),
            self.group,
            self.kind
        )
    }
}

impl<'a> ClusterAttachments<'_, 'a> {
    fn grants(&self) -> impl Iterator<Item = &'a Object> {
        let all = self.all.iter().map(|one| one.object);
        all.filter(|it| it.kind() == "ReferenceGrant" && it.group() == GATEWAY_API)
    }

    /// Whether a grant allows an object to refer to another one.
    pub(super) fn is_granted(&self, from: &Object, to: &Object) -> bool {
        let crossing = Crossing {
            from,
            group: to.group(),
            kind: to.kind(),
            key: Key::of(to),
        };
        self.grants().any(|grant| crossing.is_allowed_by(grant))
    }

    /// What to do so that a reference is allowed: correct a grant that nearly fits, or add one.
    fn help(&self, crossing: &Crossing<'_>) -> String {
        let namespace = crossing.key.namespace;
        let lists = |grant: &Object, key: &str, is_it: &dyn Fn(&Node) -> bool| {
            list(&grant.node, &["spec", key]).iter().any(is_it)
        };
        let comes = |grant: &Object| lists(grant, "from", &|it| crossing.comes(it));
        let leads = |grant: &Object| lists(grant, "to", &|it| crossing.leads(it));
        let misplaced = self
            .grants()
            .find(|it| it.namespace() != namespace && comes(it) && leads(it));
        if let Some(grant) = misplaced {
            return format!(
                "move the ReferenceGrant {} to namespace `{namespace}`: a grant belongs beside the {} that is referred to",
                Key::of(grant),
                crossing.kind
            );
        }
        let near = self
            .grants()
            .find(|it| it.namespace() == namespace && (comes(it) || leads(it)));
        if let Some(grant) = near {
            let (missing, entry) = match comes(grant) {
                false => (
                    "from",
                    format!(
                        "{{group: {}, kind: {}, namespace: {}}}",
                        crossing.from.group(),
                        crossing.from.kind(),
                        crossing.from.namespace()
                    ),
                ),
                true => (
                    "to",
                    format!("{{group: \"{}\", kind: {}}}", crossing.group, crossing.kind),
                ),
            };
            return format!(
                "the ReferenceGrant {} doesn't cover it: add `{entry}` to its `{missing}`",
                Key::of(grant)
            );
        }
        format!(
            "add a ReferenceGrant to namespace `{namespace}` with {}",
            crossing.entries()
        )
    }

    /// What to do about a backend of a route that the route may not refer to.
    pub(super) fn help_for_route(&self, route: &Route<'_>, fault: &Fault) -> Option<String> {
        let node = route.object.node.at(fault.pointer.as_ref()?)?;
        Some(self.help(&Crossing::new(route.object, node, "Service")?))
    }

    /// The first certificate that a listener may not refer to, and what to do about it.
    pub(super) fn help_for_listener(&self, listener: &Listener<'_>) -> Option<(Pointer, String)> {
        let refs = list(listener.node, &["tls", "certificateRefs"]).iter();
        let mut refs = refs.enumerate().filter_map(|(at, it)| {
            let crossing = Crossing::new(listener.object, it, "Secret")?;
            let is_allowed = self.grants().any(|grant| crossing.is_allowed_by(grant));
            (!is_allowed).then_some((at, crossing))
        });
        let (at, crossing) = refs.next()?;
        let place = listener.pointer.key("tls").key("certificateRefs").index(at);
        Some((place, self.help(&crossing)))
    }

    /// Reports backends in the settings of a policy that it may not refer to.
    pub(super) fn crossings(&self, policy: &Policy<'_>) -> Vec<Diagnostic> {
        let object = policy.object;
        if self.is_open(object)
            || object.group() != ENVOY_GATEWAY
            || !is_walked(self.context, object)
        {
            return Vec::new();
        }
        let found = references(object).into_iter().filter_map(|(place, node, kind)| {
            let crossing = Crossing::new(object, node, kind)?;
            if !is_known(crossing.key.name) || self.grants().any(|it| crossing.is_allowed_by(it)) {
                return None;
            }
            let (key, own) = (crossing.key, object.namespace());
            let message = format!(
                "{REFUSED} `{}` allows {} of namespace `{own}` to refer to {} {key}",
                key.namespace, object.kind(), crossing.kind
            );
            let found = finding(CODE, object, &place, message)
                .why("Envoy Gateway refuses the policy, and every route of its targets is answered with 500")
                .help(self.help(&crossing));
            // If the backend comes from elsewhere, so may the grant: from another part of the repository, if there is one.
            match self.is_given(&crossing) {
                true => Some(found),
                false if self.is_repository() => None,
                false => Some(found.severity(Severity::Warning)),
            }
        });
        found.collect()
    }

    /// Whether the manifests are part of something larger, because kustomize or Flux applies some of them.
    pub(super) fn is_repository(&self) -> bool {
        let mut all = self.context.objects.iter();
        all.any(|it| is_kustomization(it) || is_flux_kustomization(it))
    }

    /// Whether the object that is referred to is given, or the release that creates it.
    fn is_given(&self, crossing: &Crossing<'_>) -> bool {
        let mut all = self.all.iter().map(|one| one.object);
        all.any(|it| {
            let is_kind = it.kind() == crossing.kind && it.group() == crossing.group;
            let is_release = it.kind() == "HelmRelease" && it.group() == HELM;
            (is_kind || is_release) && Key::of(it) == crossing.key
        })
    }
}

/// The references to backends below a node, with their places.
pub(super) fn backends<'n>(node: &'n Node, place: &Pointer, found: &mut Vec<(Pointer, &'n Node)>) {
    match &node.kind {
        Kind::Map(map) => {
            for (key, value) in map.iter() {
                let at = place.key(key);
                match (key, value.as_list()) {
                    ("backendRefs", Some(refs)) => {
                        let refs = refs.iter().enumerate();
                        found.extend(refs.map(|(nth, it)| (at.index(nth), it)));
                    }
                    ("backendRef", None) => found.push((at, value)),
                    _ => backends(value, &at, found),
                }
            }
        }
        Kind::List(items) => {
            for (nth, item) in items.iter().enumerate() {
                backends(item, &place.index(nth), found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, graded, policy, said};

    fn grant(namespace: &str, from: &str) -> String {
        format!(
            "---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {{name: login, namespace: {namespace}}}
spec:
  from: [{{group: gateway.envoyproxy.io, kind: SecurityPolicy, namespace: {from}}}]
  to: [{{group: '', kind: Service}}]
"
        )
    }

    fn policy_with(beside: &str) -> String {
        let spec = "{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: external}], \
                    extAuth: {http: {backendRefs: [{name: authelia, namespace: default, port: 80}]}}}";
        format!(
            "{GATEWAY}{}{beside}",
            policy("SecurityPolicy", "login", spec)
        )
    }

    #[test]
    fn a_policy_that_may_not_refer_to_its_backend_is_told() {
        let place = "reference/not-permitted /spec/extAuth/http/backendRefs/0: no ReferenceGrant in namespace `default` allows \
                     SecurityPolicy of namespace `network` to refer to Service default/authelia";
        let told = |beside: &str| said(&policy_with(beside));
        assert_eq!(
            told(""),
            [format!(
                "{place} (add a ReferenceGrant to namespace `default` with `from: [{{group: gateway.envoyproxy.io, kind: \
                 SecurityPolicy, namespace: network}}]` and `to: [{{group: \"\", kind: Service}}]`)"
            )]
        );
        assert_eq!(told(&grant("default", "network")), [""; 0]);
        assert_eq!(
            told(&grant("network", "network")),
            [format!(
                "{place} (move the ReferenceGrant network/login to namespace `default`: a grant belongs beside the Service \
                 that is referred to)"
            )]
        );
        assert_eq!(
            told(&grant("default", "apps")),
            [format!(
                "{place} (the ReferenceGrant default/login doesn't cover it: add `{{group: gateway.envoyproxy.io, kind: \
                 SecurityPolicy, namespace: network}}` to its `from`)"
            )]
        );
        // Whether the backend exists is not known, so the grant may be there, too.
        assert!(graded(&policy_with(""))[0].starts_with("warning"));
    }
}
