//! HTTPS listeners that share hostnames or certificates: a browser may send one's requests over the other's
//! connection, so HTTP/2 is turned off where they share certificates.

use super::Resolver;
use super::condition::{Status, kind};
use super::hostname::overlap;
use super::view::{Listener, ListenerId};

impl Resolver<'_, '_> {
    /// Marks overlaps, gateway by gateway, or class by class where the class merges its gateways.
    pub(super) fn overlaps(&mut self) {
        let mut groups = self.merged_listeners();
        for gateway in self.view.gateways() {
            let class = gateway.class.and_then(|class| self.view.class(class));
            if class.is_some_and(|class| !class.merges) {
                groups.push(gateway.listeners.clone());
            }
        }
        for group in groups {
            let https: Vec<ListenerId> = group
                .into_iter()
                .filter(|id| {
                    self.view
                        .listener(*id)
                        .is_some_and(|it| it.protocol == "HTTPS" && is_sound(it))
                })
                .collect();
            self.overlaps_among(&https);
        }
    }

    fn overlaps_among(&mut self, https: &[ListenerId]) {
        let hosts = |one: &Listener<'_>, other: &Listener<'_>| {
            overlap(one.hostname, other.hostname).then(|| {
                let host = |it: &Listener<'_>| it.hostname.unwrap_or("all hostnames").to_owned();
                (host(one), host(other))
            })
        };
        self.mark_pairs(https, "OverlappingHostnames", hosts);
        self.opaque_certificates(https);
        let certificates = |one: &Listener<'_>, other: &Listener<'_>| {
            let mut pairs = one
                .certificate_names
                .iter()
                .flat_map(|a| other.certificate_names.iter().map(move |b| (a, b)));
            pairs
                .find(|(a, b)| overlap(Some(a), Some(b)))
                .map(|(a, b)| (a.clone(), b.clone()))
        };
        self.mark_pairs(https, "OverlappingCertificates", certificates);
    }

    /// Marks each listener with the first other on its port that shares something with it.
    fn mark_pairs(
        &mut self,
        https: &[ListenerId],
        reason: &'static str,
        shared: impl Fn(&Listener<'_>, &Listener<'_>) -> Option<(String, String)>,
    ) {
        // Shared hostnames are only noted.
        let follows = match reason {
            "OverlappingCertificates" => ": HTTP/2 is off unless a ClientTrafficPolicy asks for it",
            _ => "",
        };
        let mut found: Vec<Option<String>> = vec![None; https.len()];
        for (i, one) in https.iter().enumerate() {
            if found.get(i).is_some_and(Option::is_some) {
                continue;
            }
            for (j, other) in https.iter().enumerate().skip(i + 1) {
                if found.get(j).is_some_and(Option::is_some) {
                    continue;
                }
                let (Some(a), Some(b)) = (self.view.listener(*one), self.view.listener(*other))
                else {
                    continue;
                };
                if a.port != b.port {
                    continue;
                }
                let Some((mine, theirs)) = shared(a, b) else {
                    continue;
                };
                let say = |mine: &str, theirs: &str, other: &Listener<'_>| {
                    let key = super::index::Key::of(other.object);
                    let name = other.name;
                    Some(format!(
                        "`{mine}` overlaps with `{theirs}` of listener {key}/{name}{follows}"
                    ))
                };
                let (first, second) = (say(&mine, &theirs, b), say(&theirs, &mine, a));
                // As in 1.9.0, the first listener keeps the last other that it meets.
                for (at, message) in [(i, first), (j, second)] {
                    if let Some(slot) = found.get_mut(at) {
                        *slot = message;
                    }
                }
            }
        }
        for (id, message) in https.iter().zip(found) {
            if let (Some(listener), Some(message)) =
                (self.view.lists.listener.get_mut(id.0), message)
            {
                listener
                    .conditions
                    .set(kind::OVERLAPPING_TLS, Status::True, reason, message);
            }
        }
    }

    /// Certificates that Envoy fetches by itself can't be compared: they count as overlapping.
    fn opaque_certificates(&mut self, https: &[ListenerId]) {
        for id in https {
            let Some(listener) = self.view.listener(*id) else {
                continue;
            };
            let on_port = || {
                let all = https.iter().filter_map(|id| self.view.listener(*id));
                all.filter(|other| other.port == listener.port)
            };
            let is_met = on_port().filter(|other| other.uses_sds).any(|opaque| {
                std::ptr::eq(opaque, listener)
                    || opaque.hostname.is_none()
                    || listener
                        .certificate_names
                        .iter()
                        .any(|name| overlap(opaque.hostname, Some(name)))
            });
            if on_port().count() < 2 || !is_met {
                continue;
            }
            let message = "a certificate on this port is fetched by Envoy (SDS), so its names can't be compared: HTTP/2 is off unless a ClientTrafficPolicy asks for it";
            if let Some(listener) = self.view.lists.listener.get_mut(id.0) {
                listener.conditions.set(
                    kind::OVERLAPPING_TLS,
                    Status::True,
                    "SDSCertificateOpaque",
                    message,
                );
            }
        }
    }
}

/// Whether nothing is wrong with a listener but, at most, one certificate among good ones.
fn is_sound(listener: &Listener<'_>) -> bool {
    let conditions = &listener.conditions;
    let refs = conditions.get(kind::RESOLVED_REFS);
    !conditions.is(kind::PROGRAMMED, Status::False)
        && !conditions.is(kind::ACCEPTED, Status::False)
        && refs.is_none_or(|one| {
            one.status != Status::False || one.reason == "PartiallyInvalidCertificateRef"
        })
}
