//! Compares two tables. Changes that open something come first, then other changes, then those that close
//! something.

mod guards;
mod listeners;
mod trusted;

use std::collections::{BTreeMap, BTreeSet};

use super::table::{Exposure, Hostname, Side, Table};

/// The effect of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// More clients can reach something, or there are fewer checks.
    Wider,
    /// The effect is neutral or unknown.
    Other,
    /// Fewer clients can reach something, or there are more checks.
    Narrower,
}

impl Direction {
    /// `wider`, `other`, `narrower`.
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::Wider => "wider",
            Direction::Other => "other",
            Direction::Narrower => "narrower",
        }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// The kind of change, the most serious first.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ChangeKind {
            $($(#[$doc])* $name,)*
        }

        impl ChangeKind {
            /// The name, for people and programs.
            pub fn as_str(self) -> &'static str {
                match self { $(ChangeKind::$name => $text,)* }
            }
        }
    };
}

kinds! {
    /// A hostname that was only reachable from the internal network is now reachable from the Internet.
    MovedExternal = "moved-external";
    /// A gateway that faced the internal network now faces the Internet.
    GatewayExternal = "gateway-external";
    /// A check of clients was removed.
    GuardLost = "guard-lost";
    /// A guard admits more clients than before, or no longer applies to all answers.
    GuardWeakened = "guard-weakened";
    /// More sources are trusted for the client's address.
    TrustWidened = "trust-widened";
    /// A listener accepts routes from more namespaces.
    ListenerOpened = "listener-opened";
    /// Something that was only answered with TLS is now answered without it.
    PlainOpened = "plain-opened";
    /// A hostname is new at a gateway.
    HostnameAdded = "hostname-added";
    /// A DNS record is newly published.
    RecordPublished = "record-published";
    /// A gateway is new.
    GatewayAdded = "gateway-added";
    /// A listener is new.
    ListenerAdded = "listener-added";
    /// A listener has another hostname.
    ListenerHostname = "listener-hostname";
    /// A gateway requests other addresses.
    AddressMoved = "address-moved";
    /// A DNS record has another target.
    RecordTarget = "record-target";
    /// The routes of a hostname lead to other backends.
    BackendChanged = "backend-changed";
    /// A hostname has different guards of the same kind.
    GuardChanged = "guard-changed";
    /// A gateway that faced the Internet now faces the internal network.
    GatewayInternal = "gateway-internal";
    /// A hostname that was reachable from the Internet is now only reachable from the internal network.
    MovedInternal = "moved-internal";
    /// There is a new check of clients.
    GuardAdded = "guard-added";
    /// A guard admits fewer clients than before.
    GuardTightened = "guard-tightened";
    /// Fewer sources are trusted for the client's address.
    TrustNarrowed = "trust-narrowed";
    /// A listener accepts routes from fewer namespaces.
    ListenerClosed = "listener-closed";
    /// Nothing is answered without TLS any more.
    PlainClosed = "plain-closed";
    /// A hostname was removed from a gateway.
    HostnameRemoved = "hostname-removed";
    /// A DNS record is no longer published.
    RecordWithdrawn = "record-withdrawn";
    /// A gateway was removed.
    GatewayRemoved = "gateway-removed";
    /// A listener was removed.
    ListenerRemoved = "listener-removed";
}

/// A change of what is exposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The cluster; `None` if there is only one.
    pub cluster: Option<String>,
    /// The effect of the change.
    pub direction: Direction,
    /// The kind of the change.
    pub kind: ChangeKind,
    /// The gateway as `namespace/name`.
    pub gateway: String,
    /// The hostnames or listeners that changed.
    pub subjects: Vec<String>,
    /// The rest of the message, which follows the names of the subjects.
    pub description: String,
}

/// The maximum number of subjects that a message names.
const NAMED: usize = 4;

impl Change {
    /// The change as a sentence.
    pub fn message(&self) -> String {
        let shown = self.subjects.iter().take(NAMED).map(String::as_str);
        let shown = shown.collect::<Vec<_>>().join(", ");
        let more = match self.subjects.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let cluster = self.cluster.as_deref();
        let cluster = cluster.map_or_else(String::new, |name| format!("cluster {name}: "));
        format!("{cluster}{shown}{more} {}", self.description)
    }
}

/// The changes found so far. Changes with the same message for several subjects are combined.
#[derive(Default)]
struct Changes {
    all: BTreeMap<(Direction, ChangeKind, String, String), BTreeSet<String>>,
}

impl Changes {
    fn add(
        &mut self,
        direction: Direction,
        kind: ChangeKind,
        gateway: &str,
        subject: impl Into<String>,
        description: impl Into<String>,
    ) {
        let key = (direction, kind, gateway.to_owned(), description.into());
        self.all.entry(key).or_default().insert(subject.into());
    }
}

/// The changes of each cluster. A cluster without a name is the only one. A cluster that is only on one side is compared
/// with nothing.
pub fn compare_clusters(
    before: &[(Option<String>, Table)],
    after: &[(Option<String>, Table)],
) -> Vec<Change> {
    let names: BTreeSet<&Option<String>> =
        before.iter().chain(after).map(|(name, _)| name).collect();
    let nothing = (None, Table::default());
    let mut found: Vec<Change> = Vec::new();
    for name in names {
        let was = before
            .iter()
            .find(|(own, _)| own == name)
            .unwrap_or(&nothing);
        let is = after
            .iter()
            .find(|(own, _)| own == name)
            .unwrap_or(&nothing);
        let changes = compare(&was.1, &is.1).into_iter();
        found.extend(changes.map(|change| Change {
            cluster: name.clone(),
            ..change
        }));
    }
    found.sort_by_key(|change| (change.direction, change.kind));
    found
}

/// The changes from one table to another.
pub fn compare(before: &Table, after: &Table) -> Vec<Change> {
    let mut found = Changes::default();
    listeners::compare(before, after, &mut found);
    hostnames(before, after, &mut found);
    let all = found.all.into_iter();
    all.map(
        |((direction, kind, gateway, description), subjects)| Change {
            cluster: None,
            direction,
            kind,
            gateway,
            subjects: subjects.into_iter().collect(),
            description,
        },
    )
    .collect()
}

/// The exposures of each hostname, by gateway. An exposure that only redirects is not included.
type ByHostname<'t> = BTreeMap<&'t Hostname, BTreeMap<&'t str, &'t Exposure>>;

fn by_hostname(table: &Table) -> ByHostname<'_> {
    let mut all = ByHostname::new();
    for exposure in table.exposures.iter().filter(|it| !it.is_redirect) {
        all.entry(&exposure.hostname)
            .or_default()
            .insert(&exposure.gateway, exposure);
    }
    all
}

fn hostnames(before: &Table, after: &Table, found: &mut Changes) {
    let (old, new) = (by_hostname(before), by_hostname(after));
    let none = BTreeMap::new();
    let all: BTreeSet<&Hostname> = old.keys().chain(new.keys()).copied().collect();
    for hostname in all {
        let was = old.get(hostname).unwrap_or(&none);
        let is = new.get(hostname).unwrap_or(&none);
        moved(&hostname.to_string(), (before, was), (after, is), found);
        for (gateway, exposure) in is {
            if let Some(old) = was.get(gateway) {
                stayed(old, exposure, (before, after), found);
            }
        }
    }
}

/// The gateways of a hostname, with the table that knows their sides.
type Reached<'a, 't> = (&'t Table, &'a BTreeMap<&'t str, &'t Exposure>);

/// Adds the changes of a hostname's gateways: where it is new, and where it was removed.
fn moved(subject: &str, was: Reached<'_, '_>, is: Reached<'_, '_>, found: &mut Changes) {
    let side = |(table, _): &Reached<'_, '_>, gateway: &str| table.side(gateway);
    let on = |it: &Reached<'_, '_>, wanted: Side| -> Vec<String> {
        let all = it.1.keys().filter(|gateway| it.0.side(gateway) == wanted);
        all.map(|gateway| (*gateway).to_owned()).collect()
    };
    let was_external = !on(&was, Side::External).is_empty();
    let is_external = !on(&is, Side::External).is_empty();
    let from: Vec<&str> = was.1.keys().copied().collect();
    let from = from.join(" and ");
    let mut has_moved = false;
    for gateway in is.1.keys().filter(|gateway| !was.1.contains_key(*gateway)) {
        let (direction, kind, description) = match side(&is, gateway) {
            Side::External if !was_external && !was.1.is_empty() => (
                Direction::Wider,
                ChangeKind::MovedExternal,
                format!("now on external {gateway}; previously only on {from}"),
            ),
            Side::Internal if was_external && !is_external => (
                Direction::Narrower,
                ChangeKind::MovedInternal,
                format!("now only on internal {gateway}; previously on {from}"),
            ),
            Side::Internal => (
                Direction::Other,
                ChangeKind::HostnameAdded,
                format!("new on internal {gateway}"),
            ),
            it => (
                Direction::Wider,
                ChangeKind::HostnameAdded,
                format!("new on {}{gateway}", adjective(it)),
            ),
        };
        has_moved |= kind != ChangeKind::HostnameAdded;
        found.add(direction, kind, gateway, subject, description);
    }
    for gateway in was.1.keys().filter(|gateway| !is.1.contains_key(*gateway)) {
        if !has_moved {
            let description = format!("removed from {}{gateway}", adjective(side(&was, gateway)));
            found.add(
                Direction::Narrower,
                ChangeKind::HostnameRemoved,
                gateway,
                subject,
                description,
            );
        }
    }
}

/// The word for a side before a gateway's name; empty if the side is unknown.
fn adjective(side: Side) -> &'static str {
    match side {
        Side::External => "external ",
        Side::Internal => "internal ",
        Side::Unknown => "",
    }
}

/// Adds the changes of a hostname at a gateway where it was before.
fn stayed(old: &Exposure, new: &Exposure, tables: (&Table, &Table), found: &mut Changes) {
    let (gateway, subject) = (new.gateway.as_str(), new.hostname.to_string());
    guards::compare_exposure(old, new, tables, found);
    match (old.is_plain, new.is_plain) {
        (false, true) => {
            let description = format!("now answered without TLS, at {gateway}");
            found.add(
                Direction::Wider,
                ChangeKind::PlainOpened,
                gateway,
                &subject,
                description,
            );
        }
        (true, false) => {
            let description = format!("no longer answered without TLS, at {gateway}");
            found.add(
                Direction::Narrower,
                ChangeKind::PlainClosed,
                gateway,
                &subject,
                description,
            );
        }
        _ => {}
    }
    if old.backends != new.backends && !new.is_redirect && !old.is_redirect {
        let named = |all: &[String]| match all.is_empty() {
            true => "no backend".to_owned(),
            false => all.join(", "),
        };
        let description = format!(
            "now leads to {}, at {gateway}; previously to {}",
            named(&new.backends),
            named(&old.backends)
        );
        let kind = ChangeKind::BackendChanged;
        found.add(Direction::Other, kind, gateway, &subject, description);
    }
    let certain = |it: &Exposure| -> BTreeMap<String, Option<String>> {
        let all = it.records.all.iter().filter(|it| it.is_certain);
        all.map(|it| (it.by.clone(), it.target.clone())).collect()
    };
    let (was, is) = (certain(old), certain(new));
    for (by, target) in &is {
        match was.get(by) {
            None => {
                let description = format!("now published by {by}");
                found.add(
                    Direction::Wider,
                    ChangeKind::RecordPublished,
                    gateway,
                    &subject,
                    description,
                );
            }
            Some(old) if old != target => {
                let text = |it: &Option<String>| {
                    it.clone()
                        .unwrap_or_else(|| "the gateway's address".to_owned())
                };
                let description = format!(
                    "now points to {} ({by}), previously to {}",
                    text(target),
                    text(old)
                );
                found.add(
                    Direction::Other,
                    ChangeKind::RecordTarget,
                    gateway,
                    &subject,
                    description,
                );
            }
            _ => {}
        }
    }
    for by in was.keys().filter(|by| !is.contains_key(*by)) {
        let description = format!("no longer published by {by}");
        found.add(
            Direction::Narrower,
            ChangeKind::RecordWithdrawn,
            gateway,
            &subject,
            description,
        );
    }
}
