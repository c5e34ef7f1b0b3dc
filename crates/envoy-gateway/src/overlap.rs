//! HTTPS listeners that share hostnames or certificates. Browsers may reuse a connection to one listener for requests
//! to another one with the same certificate, so HTTP/2 is disabled for listeners that share certificates.

use std::collections::{BTreeSet, HashMap};

use super::Resolver;
use super::condition::{Status, kind};
use super::hostname::overlap;
use super::view::{Listener, ListenerId};

impl Resolver<'_, '_> {
    /// Marks overlaps within each gateway, or within each class if it merges its gateways.
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
        let by_host =
            self.listeners_by_name(https, |it| it.hostname.map(|host| vec![host.to_owned()]));
        self.mark_pairs(https, by_host, "OverlappingHostnames", hosts);
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
        let by_certificate = self.listeners_by_name(https, |it| Some(it.certificate_names.clone()));
        self.mark_pairs(
            https,
            by_certificate,
            "OverlappingCertificates",
            certificates,
        );
    }

    /// Listeners by port and by the names that are compared; `None` stands for all names.
    fn listeners_by_name(
        &self,
        https: &[ListenerId],
        names: impl Fn(&Listener<'_>) -> Option<Vec<String>>,
    ) -> ListenersByName {
        let mut by_name = ListenersByName::default();
        for (at, id) in https.iter().enumerate() {
            if let Some(listener) = self.view.listener(*id) {
                by_name.add(at, listener.port, names(listener));
            }
        }
        by_name
    }

    /// Marks each listener with another one on its port that shares something with it.
    fn mark_pairs(
        &mut self,
        https: &[ListenerId],
        mut by_name: ListenersByName,
        reason: &'static str,
        shared: impl Fn(&Listener<'_>, &Listener<'_>) -> Option<(String, String)>,
    ) {
        // Shared hostnames are only reported.
        let follows = match reason {
            "OverlappingCertificates" => {
                "; HTTP/2 is disabled unless a ClientTrafficPolicy enables it"
            }
            _ => "",
        };
        let mut found: Vec<Option<String>> = vec![None; https.len()];
        for (i, one) in https.iter().enumerate() {
            if found.get(i).is_some_and(Option::is_some) {
                continue;
            }
            // A listener is forgotten once it has been compared, so that the time grows linearly with the number of
            // listeners.
            by_name.forget(i);
            for j in by_name.near(i) {
                let other = https.get(j).and_then(|id| self.view.listener(*id));
                let (Some(a), Some(b)) = (self.view.listener(*one), other) else {
                    continue;
                };
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
                // As in Envoy Gateway 1.9.0, the first listener reports the last one that it overlaps with.
                for (at, message) in [(i, first), (j, second)] {
                    if let Some(slot) = found.get_mut(at) {
                        *slot = message;
                    }
                    by_name.forget(at);
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

    /// Certificates that Envoy fetches by itself can't be compared, so they count as overlapping.
    fn opaque_certificates(&mut self, https: &[ListenerId]) {
        let mut on_port: HashMap<i64, usize> = HashMap::new();
        let mut opaque = ListenersByName::default();
        for (at, id) in https.iter().enumerate() {
            let Some(listener) = self.view.listener(*id) else {
                continue;
            };
            *on_port.entry(listener.port).or_default() += 1;
            if listener.uses_sds {
                let host = listener.hostname.map(|host| vec![host.to_owned()]);
                opaque.add(at, listener.port, host);
            }
        }
        for id in https {
            let Some(listener) = self.view.listener(*id) else {
                continue;
            };
            let is_alone = on_port.get(&listener.port).is_none_or(|count| *count < 2);
            let is_met = listener.uses_sds
                || opaque.has_all(listener.port)
                || listener
                    .certificate_names
                    .iter()
                    .any(|name| opaque.has(listener.port, name));
            if is_alone || !is_met {
                continue;
            }
            let message = "a certificate on this port is fetched by Envoy (SDS), so its names can't be compared; HTTP/2 is disabled unless a ClientTrafficPolicy enables it";
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

/// Listeners by name, to find possible overlaps without comparing all pairs. Names overlap if they are equal, or if
/// one is a wildcard for the first label of the other.
#[derive(Default)]
struct ListenersByName {
    /// The port and the names of each listener; `None` stands for all names.
    own: HashMap<usize, (i64, Option<Vec<String>>)>,
    /// The listeners on a port that have this name.
    named: HashMap<(i64, String), BTreeSet<usize>>,
    /// The listeners on a port that have a name with one more label than this one.
    below: HashMap<(i64, String), BTreeSet<usize>>,
    /// The listeners on a port that stand for all names.
    unnamed: HashMap<i64, BTreeSet<usize>>,
    /// All listeners on a port.
    on_port: HashMap<i64, BTreeSet<usize>>,
}

/// The name without its first label.
fn above(name: &str) -> Option<&str> {
    name.split_once('.').map(|(_, rest)| rest)
}

impl ListenersByName {
    fn add(&mut self, at: usize, port: i64, names: Option<Vec<String>>) {
        for name in names.iter().flatten() {
            self.named
                .entry((port, name.clone()))
                .or_default()
                .insert(at);
            if let Some(above) = above(name) {
                self.below
                    .entry((port, above.to_owned()))
                    .or_default()
                    .insert(at);
            }
        }
        if names.is_none() {
            self.unnamed.entry(port).or_default().insert(at);
        }
        self.on_port.entry(port).or_default().insert(at);
        self.own.insert(at, (port, names));
    }

    /// Removes a listener, so that it is not found any more.
    fn forget(&mut self, at: usize) {
        let Some((port, names)) = self.own.get(&at) else {
            return;
        };
        for name in names.iter().flatten() {
            let named = self.named.get_mut(&(*port, name.clone()));
            named.map(|all| all.remove(&at));
            let below = above(name).map(|above| (*port, above.to_owned()));
            let below = below.and_then(|below| self.below.get_mut(&below));
            below.map(|all| all.remove(&at));
        }
        self.unnamed.get_mut(port).map(|all| all.remove(&at));
        self.on_port.get_mut(port).map(|all| all.remove(&at));
    }

    /// The listeners on the same port whose names may overlap with those of this one, in order.
    fn near(&self, at: usize) -> BTreeSet<usize> {
        let Some((port, names)) = self.own.get(&at) else {
            return BTreeSet::new();
        };
        let Some(names) = names else {
            return self.on_port.get(port).cloned().unwrap_or_default();
        };
        let found = names.iter().flat_map(|name| self.overlapping(*port, name));
        found
            .chain(self.unnamed.get(port))
            .flatten()
            .copied()
            .collect()
    }

    fn overlapping(&self, port: i64, name: &str) -> impl Iterator<Item = &BTreeSet<usize>> {
        let named = self.named.get(&(port, name.to_owned()));
        let (below, wildcard) = match name.strip_prefix("*.") {
            Some(above) => (self.below.get(&(port, above.to_owned())), None),
            None => {
                let wildcard = above(name).map(|above| (port, format!("*.{above}")));
                (
                    None,
                    wildcard.and_then(|wildcard| self.named.get(&wildcard)),
                )
            }
        };
        named.into_iter().chain(below).chain(wildcard)
    }

    fn has_all(&self, port: i64) -> bool {
        self.unnamed.get(&port).is_some_and(|all| !all.is_empty())
    }

    fn has(&self, port: i64, name: &str) -> bool {
        self.overlapping(port, name).any(|all| !all.is_empty())
    }
}

/// Whether nothing is wrong with a listener, except perhaps that some of its certificates can't be used.
fn is_sound(listener: &Listener<'_>) -> bool {
    let conditions = &listener.conditions;
    let refs = conditions.get(kind::RESOLVED_REFS);
    !conditions.is(kind::PROGRAMMED, Status::False)
        && !conditions.is(kind::ACCEPTED, Status::False)
        && refs.is_none_or(|one| {
            one.status != Status::False || one.reason == "PartiallyInvalidCertificateRef"
        })
}
