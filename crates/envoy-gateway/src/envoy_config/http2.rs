//! HTTPS listeners without HTTP/2. A browser that has a connection to one listener may send it requests for another one
//! with the same certificate, so Envoy Gateway offers only HTTP/1.1 on listeners of one port whose certificates overlap,
//! unless a ClientTrafficPolicy says which protocols to offer (`tls.alpnProtocols`).

use std::collections::{BTreeMap, BTreeSet};

use super::listeners_by_envoy;
use crate::condition::{Status, kind};
use crate::policy::PolicyKind;
use crate::read::{has, list, text};
use crate::view::{Listener, ListenerId, Resolved};

/// A listener that offers only HTTP/1.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithoutHttp2 {
    /// The listener.
    pub listener: ListenerId,
    /// The Secret that it shares with another listener, if that is the reason that is known.
    pub shared: Option<(String, String)>,
}

/// The listeners that offer only HTTP/1.1 because of their certificates.
pub fn without_http2(resolved: &Resolved<'_>) -> Vec<WithoutHttp2> {
    let policies_in_force = resolved.effective_policies();
    let chooses = |id: ListenerId| {
        let policies = resolved.effective(&policies_in_force, PolicyKind::Client, None, id);
        let mut specs = policies
            .iter()
            .filter_map(|policy| resolved.policy(*policy)?.spec());
        specs.any(|spec| has(spec, &["tls", "alpnProtocols"]))
    };
    let groups = listeners_by_envoy(resolved).into_iter();
    groups
        .flat_map(|listeners| of_envoy(resolved, &listeners))
        .filter(|it| !chooses(it.listener))
        .collect()
}

fn of_envoy(resolved: &Resolved<'_>, listeners: &[ListenerId]) -> Vec<WithoutHttp2> {
    let https: Vec<(ListenerId, &Listener<'_>)> = listeners
        .iter()
        .filter_map(|id| Some((*id, resolved.listener(*id)?)))
        .filter(|(_, it)| it.protocol == "HTTPS" && it.is_ready())
        .collect();
    let mut users: BTreeMap<(i64, (String, String)), usize> = BTreeMap::new();
    for (_, listener) in &https {
        for secret in secrets(listener) {
            *users.entry((listener.port, secret)).or_default() += 1;
        }
    }
    let all = https.into_iter().filter_map(|(id, listener)| {
        let overlaps = listener.conditions.get(kind::OVERLAPPING_TLS);
        let is_known = overlaps
            .is_some_and(|it| it.status == Status::True && it.reason != "OverlappingHostnames");
        let is_shared = |secret: &(String, String)| {
            let count = users.get(&(listener.port, secret.clone()));
            count.is_some_and(|count| *count > 1)
        };
        let shared = secrets(listener).into_iter().find(is_shared);
        (is_known || shared.is_some()).then_some(WithoutHttp2 {
            listener: id,
            shared,
        })
    });
    all.collect()
}

/// The Secrets of a listener, by namespace and name.
fn secrets(listener: &Listener<'_>) -> BTreeSet<(String, String)> {
    let references = list(listener.node, &["tls", "certificateRefs"]).iter();
    let secrets = references.filter(|it| text(it, &["kind"]).unwrap_or("Secret") == "Secret");
    secrets
        .filter_map(|it| {
            let own = listener.object.namespace();
            let namespace = text(it, &["namespace"]).unwrap_or(own);
            Some((namespace.to_owned(), text(it, &["name"])?.to_owned()))
        })
        .collect()
}
