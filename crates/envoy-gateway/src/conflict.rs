//! Conflicts between listeners: different protocols on one port, the same hostname on one port, and ports that only
//! one listener can use.
//!
//! Only listeners that are valid by themselves take part, so that an invalid listener doesn't affect others.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::Resolver;
use super::condition::{Status, kind, listed};
use super::listener::set as set_condition;
use super::view::{ClassId, Listener, ListenerId, SetId};

/// A listener on a port: the family of protocols that can share the port, and its ListenerSet.
type OnPort = (ListenerId, &'static str, Option<SetId>);

/// A listener with a hostname on a port, and its ListenerSet.
type OnHost = (ListenerId, Option<SetId>);

impl Resolver<'_, '_> {
    /// Marks conflicts within each gateway, and across gateways if their class merges them.
    pub(super) fn conflicts(&mut self) {
        let own: Vec<Vec<ListenerId>> = self
            .view
            .gateways()
            .iter()
            .map(|it| it.listeners.clone())
            .collect();
        let merged = self.merged_listeners();
        for listeners in own.iter().chain(&merged) {
            self.protocol_conflicts(listeners);
        }
        for listeners in &own {
            self.hostname_conflicts(listeners);
        }
        for protocol in ["TCP", "UDP"] {
            for listeners in &own {
                self.sole_users(listeners, protocol);
            }
        }
        for listeners in &merged {
            self.merged_conflicts(listeners);
        }
    }

    /// The listeners of each class that merges its gateways.
    pub(super) fn merged_listeners(&self) -> Vec<Vec<ListenerId>> {
        let classes = self.view.classes().iter().enumerate();
        let merging = classes.filter(|(_, class)| class.merges);
        merging
            .map(|(at, _)| {
                let gateways = self.view.gateways().iter();
                let of = gateways.filter(|gateway| gateway.class == Some(ClassId(at)));
                of.flat_map(|gateway| gateway.listeners.iter().copied())
                    .collect()
            })
            .collect()
    }

    fn get(&self, id: ListenerId) -> Option<&Listener<'_>> {
        self.view.listener(id)
    }

    fn display(&self, id: ListenerId) -> String {
        let Some(listener) = self.get(id) else {
            return String::new();
        };
        let key = super::index::Key::of(listener.object);
        format!("{key}/{}", listener.name)
    }

    /// `a, b, c`, in order; only the first ones if there are many.
    fn names(&self, ids: &[ListenerId]) -> String {
        let names: BTreeSet<String> = ids.iter().map(|id| self.display(*id)).collect();
        listed(&names)
    }

    fn mark(&mut self, id: ListenerId, reason: &'static str, message: &str) {
        let Some(listener) = self.view.lists.listener.get_mut(id.0) else {
            return;
        };
        set_condition(listener, kind::CONFLICTED, Status::True, reason, message);
        if listener.set.is_some() {
            set_condition(listener, kind::ACCEPTED, Status::False, reason, message);
            set_condition(listener, kind::PROGRAMMED, Status::False, reason, message);
        }
        listener.has_protocol_conflict |= reason == "ProtocolConflict";
    }

    /// All listeners on a port must have compatible protocols: HTTPS and TLS share a port, and UDP shares it with
    /// all. The gateway's own listeners win over those of its ListenerSets. If the gateway's own listeners differ
    /// among themselves, they all lose. Among ListenerSets the first one wins.
    fn protocol_conflicts(&mut self, listeners: &[ListenerId]) {
        let mut ports: BTreeMap<i64, Vec<OnPort>> = BTreeMap::new();
        for id in listeners {
            if let Some(listener) = self.get(*id).filter(|it| it.is_valid)
                && let Some(family) = family(listener.protocol)
            {
                ports
                    .entry(listener.port)
                    .or_default()
                    .push((*id, family, listener.set));
            }
        }
        for on_port in ports.into_values() {
            let families: BTreeSet<&str> = on_port.iter().map(|(_, family, _)| *family).collect();
            if families.len() <= 1 {
                continue;
            }
            let ids: Vec<ListenerId> = on_port.iter().map(|(id, _, _)| *id).collect();
            let message = format!("protocols that can't share a port: {}", self.names(&ids));
            let own: BTreeSet<&str> = on_port
                .iter()
                .filter(|it| it.2.is_none())
                .map(|it| it.1)
                .collect();
            if own.len() > 1 {
                for id in ids {
                    self.mark(id, "ProtocolConflict", &message);
                }
                continue;
            }
            let mut first: HashMap<SetId, &str> = HashMap::new();
            let at_odds: HashSet<SetId> = on_port
                .iter()
                .filter_map(|(_, family, set)| {
                    let set = (*set)?;
                    (*first.entry(set).or_insert(family) != *family).then_some(set)
                })
                .collect();
            let mut winner = own.first().copied();
            for (id, family, set) in &on_port {
                if own.is_empty() && set.is_some_and(|set| at_odds.contains(&set)) {
                    self.mark(*id, "ProtocolConflict", &message);
                    continue;
                }
                match winner {
                    Some(winner) if winner != *family => {
                        self.mark(*id, "ProtocolConflict", &message)
                    }
                    Some(_) => {}
                    None => winner = Some(family),
                }
            }
        }
    }

    /// Only one listener on a port may have a given hostname. The winners are the same as for protocols.
    fn hostname_conflicts(&mut self, listeners: &[ListenerId]) {
        let mut groups: BTreeMap<(i64, String), Vec<OnHost>> = BTreeMap::new();
        for id in listeners {
            if let Some(listener) = self.get(*id)
                && !matches!(listener.protocol, "TCP" | "UDP")
                && listener.is_valid
                && !listener.has_protocol_conflict
            {
                let host = listener.hostname.unwrap_or_default().to_owned();
                groups
                    .entry((listener.port, host))
                    .or_default()
                    .push((*id, listener.set));
            }
        }
        for ((_, host), group) in groups.into_iter().filter(|(_, group)| group.len() > 1) {
            let mut own = group.iter().filter(|(_, set)| set.is_none());
            let sets: Vec<SetId> = group.iter().filter_map(|(_, set)| *set).collect();
            let distinct: HashSet<&SetId> = sets.iter().collect();
            let winner = match (own.next(), own.next()) {
                (Some(_), Some(_)) => None,
                (Some((id, _)), None) => Some(*id),
                _ if distinct.len() < sets.len() => None,
                _ => group.first().map(|(id, _)| *id),
            };
            let ids: Vec<ListenerId> = group.iter().map(|(id, _)| *id).collect();
            let host = if host.is_empty() {
                "no hostname"
            } else {
                &host
            };
            let message = format!(
                "several listeners have the same port and hostname ({host}): {}",
                self.names(&ids)
            );
            for id in ids.into_iter().filter(|id| Some(*id) != winner) {
                self.mark(id, "HostnameConflict", &message);
            }
        }
    }

    /// Connections to TCP and UDP listeners can't be told apart, so the first listener on a port gets the port.
    fn sole_users(&mut self, listeners: &[ListenerId], protocol: &str) {
        let mut first = BTreeMap::new();
        for id in listeners {
            let Some(listener) = self
                .get(*id)
                .filter(|it| it.is_valid && it.protocol == protocol)
            else {
                continue;
            };
            let port = listener.port;
            match first.get(&port).copied() {
                None => {
                    first.insert(port, *id);
                }
                Some(first) => {
                    let message = format!(
                        "{} already uses {protocol} port {port}",
                        self.display(first)
                    );
                    if let Some(listener) = self.view.lists.listener.get_mut(id.0) {
                        set_condition(
                            listener,
                            kind::CONFLICTED,
                            Status::True,
                            "ProtocolConflict",
                            message,
                        );
                    }
                }
            }
        }
    }

    /// Gateways that share a proxy must not have listeners with the same protocol, port and hostname. The first one
    /// wins.
    fn merged_conflicts(&mut self, listeners: &[ListenerId]) {
        let mut first: BTreeMap<(String, String, i64), ListenerId> = BTreeMap::new();
        for id in listeners {
            let Some(listener) = self.get(*id).filter(|it| it.is_valid) else {
                continue;
            };
            let host = listener.hostname.unwrap_or_default().to_owned();
            let key = (listener.protocol.to_owned(), host, listener.port);
            match first.get(&key).copied() {
                None => {
                    first.insert(key, *id);
                }
                Some(first) => {
                    let other = self.display(first);
                    let message = format!(
                        "gateways of the class share one proxy, and {other} has this protocol, port and hostname"
                    );
                    if let Some(listener) = self.view.lists.listener.get_mut(id.0) {
                        set_condition(
                            listener,
                            kind::CONFLICTED,
                            Status::True,
                            "HostnameConflict",
                            message,
                        );
                    }
                }
            }
        }
    }
}

/// The family of protocols that can share a port. `None` for UDP, which conflicts with nothing, and for unknown
/// protocols.
fn family(protocol: &str) -> Option<&'static str> {
    match protocol {
        "HTTPS" | "TLS" => Some("HTTPS or TLS"),
        "HTTP" => Some("HTTP"),
        "TCP" => Some("TCP"),
        _ => None,
    }
}
