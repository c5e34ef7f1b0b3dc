//! The Services, Backends, Secrets and ConfigMaps that routes and policies refer to.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::cluster::{ClusterAttachments, is_known, is_walked, spec};
use super::grants::backends;
use crate::lint::field;
use crate::lint::reference::instead::{Instead, instead};
use crate::lint::reference::unknown_object;
use crate::lint::words::any_text;
use envoy_gateway::index::{ENVOY_GATEWAY, GATEWAY_API, Key};
use envoy_gateway::read::text;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::misspelt;
use manifest::value::{Node, Pointer};

/// The references to Secrets and ConfigMaps: the kind of the object, and their paths in it.
const REFERENCES: &[(&str, &str)] = &[
    ("SecurityPolicy", "spec.basicAuth.users"),
    ("SecurityPolicy", "spec.oidc.clientSecret"),
    ("SecurityPolicy", "spec.apiKeyAuth.credentialRefs"),
    (
        "ClientTrafficPolicy",
        "spec.tls.clientValidation.caCertificateRefs",
    ),
    ("BackendTLSPolicy", "spec.validation.caCertificateRefs"),
    ("Backend", "spec.tls.caCertificateRefs"),
    ("HTTPRoute", "spec.rules[].filters[].extensionRef"),
    ("GRPCRoute", "spec.rules[].filters[].extensionRef"),
    ("Gateway", CERTIFICATES),
    ("ListenerSet", CERTIFICATES),
];

/// The certificates of listeners. Where Certificates of cert-manager are given, `reference::unknown_certificate` reports
/// them.
const CERTIFICATES: &str = "spec.listeners[].tls.certificateRefs";

/// The kinds of objects that are looked for, with their groups.
const KINDS: &[(&str, &str)] = &[
    ("", "Service"),
    (ENVOY_GATEWAY, "Backend"),
    (ENVOY_GATEWAY, "HTTPRouteFilter"),
    ("", "Secret"),
    ("", "ConfigMap"),
];

/// The given objects of each kind, and those that given objects create.
type Given<'a> = BTreeMap<&'static str, BTreeSet<Key<'a>>>;

impl<'a> ClusterAttachments<'_, 'a> {
    /// Reports references to objects that don't exist, but are there under another name or in another namespace.
    pub(super) fn unknown_objects(&self) -> Vec<(&'a Object, Diagnostic)> {
        let given = self.given();
        let has_certificates = self.all.iter().any(|it| it.object.kind() == "Certificate");
        let mut found = Vec::new();
        for one in self.all {
            let object = one.object;
            if !matches!(object.group(), GATEWAY_API | ENVOY_GATEWAY)
                || self.is_open(object)
                || !is_walked(self.context, object)
                || has_certificates && matches!(object.kind(), "Gateway" | "ListenerSet")
            {
                continue;
            }
            for (place, node, default) in references(object) {
                let reported = self.unknown_object(&given, object, node, default);
                found.extend(reported.map(|(kind, key, instead)| {
                    (
                        object,
                        unknown_object::report(object, &place, kind, key, instead),
                    )
                }));
            }
        }
        found
    }

    fn given(&self) -> Given<'a> {
        let mut given = Given::new();
        for object in self.all.iter().map(|one| one.object) {
            let own = KINDS
                .iter()
                .find(|it| **it == (object.group(), object.kind()));
            if let Some((_, kind)) = own {
                given.entry(kind).or_default().insert(Key::of(object));
            }
            let made = match object.kind() {
                "Certificate" => text(&object.node, &["spec", "secretName"]),
                "ExternalSecret" => {
                    text(&object.node, &["spec", "target", "name"]).or(Some(object.name()))
                }
                "SealedSecret" => Some(object.name()),
                _ => None,
            };
            if let Some(name) = made {
                let key = Key {
                    namespace: object.namespace(),
                    name,
                };
                given.entry("Secret").or_default().insert(key);
            }
        }
        given
    }

    /// The object that a reference is meant for, if it leads to none.
    fn unknown_object<'n>(
        &self,
        given: &'n Given<'a>,
        from: &'n Object,
        node: &'n Node,
        default: &'static str,
    ) -> Option<(&'static str, Key<'n>, Instead<'n>)> {
        let group = text(node, &["group"]).unwrap_or_default();
        let written = text(node, &["kind"]).unwrap_or(default);
        let (_, kind) = KINDS.iter().find(|it| **it == (group, written))?;
        let key = Key {
            namespace: text(node, &["namespace"]).unwrap_or(from.namespace()),
            name: text(node, &["name"])?,
        };
        let there = given.get(kind)?;
        let may_be_it = |it: &Key<'_>| {
            (it.namespace == key.namespace || !is_known(it.namespace))
                && (it.name == key.name || !is_known(it.name))
        };
        if !is_known(key.name)
            || !is_known(key.namespace)
            || there.contains(&key)
            || there.iter().any(may_be_it)
        {
            return None;
        }
        let instead = instead(key, there)?;
        match instead {
            // No tool makes these, so a similar name is enough.
            Instead::Named(_) if matches!(*kind, "Backend" | "HTTPRouteFilter") => {}
            // Names of several words are often alike, so most of them must agree.
            Instead::Named(name) if is_slip(key.name, name) => {}
            Instead::Named(name) => misspelt(key.name, [name]).map(|_| ())?,
            // An explicit namespace is meant.
            Instead::In(_) if text(node, &["namespace"]).is_some() => return None,
            Instead::In(_) => {}
        }
        (!self.may_be_made(kind, key)).then_some((*kind, key, instead))
    }

    /// Whether something given may create an object that is not given: a chart, or anything that mentions the name of a
    /// Secret or ConfigMap.
    fn may_be_made(&self, kind: &str, key: Key<'_>) -> bool {
        if self.may_come_from_a_chart(key) {
            return true;
        }
        if !matches!(kind, "Secret" | "ConfigMap") {
            return false;
        }
        let generated = self.context.delivery.generated().iter();
        let mut generated = generated.flat_map(|it| it.names());
        let is_user = |it: &Object| matches!(it.group(), GATEWAY_API | ENVOY_GATEWAY);
        let others = self.context.objects.iter().filter(|it| !is_user(it));
        let mut others = others.filter(|it| !KINDS.contains(&(it.group(), it.kind())));
        let is_same = |it: &&Object| it.kind() == kind && it.name() == key.name;
        let mut same = self.context.objects.iter().filter(is_same);
        let copies = &mut |text: &str| text.contains("reflect") || text.contains("replicat");
        generated.any(|name| name == key.name)
            || others.any(|it| any_text(&it.node, &mut |text| text.contains(key.name)))
            || same.any(|it| any_text(&it.node, copies))
    }
}

/// Whether a short name has one letter too many or too few, or two letters in the wrong order.
fn is_slip(name: &str, meant: &str) -> bool {
    const SHORTEST: usize = 4;
    let without = |longer: &str, shorter: &str| {
        let letters: Vec<char> = longer.chars().collect();
        let mut rests = (0..letters.len()).map(|at| {
            let rest = letters.iter().enumerate().filter(|(it, _)| *it != at);
            rest.map(|(_, letter)| *letter).collect::<String>()
        });
        rests.any(|rest| rest == shorter)
    };
    let (given, right) = (name.chars().count(), meant.chars().count());
    let sorted = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    match given.cmp(&right) {
        _ if given.min(right) < SHORTEST || given > MOST_LETTERS => false,
        Ordering::Equal => sorted(name) == sorted(meant),
        Ordering::Less => given + 1 == right && without(meant, name),
        Ordering::Greater => right + 1 == given && without(name, meant),
    }
}

/// The longest name that [`is_slip`] looks at; longer ones may differ by more.
const MOST_LETTERS: usize = 8;

/// The references of an object, with their places and the kind that they are for by default.
pub(super) fn references(object: &Object) -> Vec<(Pointer, &Node, &'static str)> {
    let mut found = Vec::new();
    let mut refs = Vec::new();
    if let Some(settings) = object.node.get("spec") {
        backends(settings, &spec(), &mut refs);
    }
    found.extend(
        refs.into_iter()
            .map(|(place, node)| (place, node, "Service")),
    );
    for (_, path) in REFERENCES.iter().filter(|(kind, _)| *kind == object.kind()) {
        for place in field::find(&object.node, path) {
            let Some(node) = object.node.at(&place) else {
                continue;
            };
            match node.as_list() {
                Some(items) => {
                    let items = items.iter().enumerate();
                    found.extend(items.map(|(at, item)| (place.index(at), item, "Secret")));
                }
                None => found.push((place, node, "Secret")),
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, route, said};

    #[test]
    fn a_service_in_another_namespace_or_with_a_similar_name_is_told() {
        let with = |name: &str, beside: &str| {
            let rules = format!("rules: [{{backendRefs: [{{name: {name}, port: 80}}]}}]");
            let route = route("sectionName: https", &rules);
            let service = |name: &str, namespace: &str| {
                format!(
                    "---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {{ports: [{{port: 80}}]}}\n"
                )
            };
            let services = service("frontend", "apps") + &service("database", "data");
            let found = said(&format!("{GATEWAY}{route}{services}{beside}"));
            found
                .into_iter()
                .filter(|it| !it.contains("no-redirect"))
                .collect::<Vec<_>>()
        };
        assert_eq!(with("frontend", ""), [""; 0]);
        assert_eq!(with("other", ""), [""; 0]);
        assert_eq!(
            with("frontnd", ""),
            [
                "reference/unknown-object /spec/rules/0/backendRefs/0/name: there is no Service apps/frontnd (write `frontend`)"
            ]
        );
        assert_eq!(
            with("database", ""),
            [
                "reference/unknown-object /spec/rules/0/backendRefs/0/name: there is no Service apps/database (it is in namespace \
              `data`: add `namespace: data` and a ReferenceGrant there, or move the HTTPRoute beside it)"
            ]
        );
        let release = "---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: database, namespace: apps}
spec: {}
";
        assert_eq!(with("database", release), [""; 0]);
    }
}
