//! What changed between two tables: what opens first, then what is otherwise, then what closes.

mod guards;
mod listeners;
mod trusted;

use std::collections::{BTreeMap, BTreeSet};

use super::table::{Exposure, Hostname, Side, Table};

/// Which way a change goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// More can reach more, or with less to pass.
    Wider,
    /// Neither, or nothing tells.
    Other,
    /// Less can be reached.
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
        /// What changed, the gravest first.
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
    /// A hostname that only the own network reached faces the Internet.
    MovedExternal = "moved-external";
    /// A gateway that faced the own network faces the Internet.
    GatewayExternal = "gateway-external";
    /// Something that was asked of clients is not any more.
    GuardLost = "guard-lost";
    /// A guard lets more in than before, or no longer stands before everything.
    GuardWeakened = "guard-weakened";
    /// More may say what a client's address is.
    TrustWidened = "trust-widened";
    /// A listener takes routes from more namespaces.
    ListenerOpened = "listener-opened";
    /// What was only answered with TLS is answered without.
    PlainOpened = "plain-opened";
    /// A hostname is new at a gateway.
    HostnameAdded = "hostname-added";
    /// A DNS record is published that was not.
    RecordPublished = "record-published";
    /// A gateway is new.
    GatewayAdded = "gateway-added";
    /// A listener is new.
    ListenerAdded = "listener-added";
    /// A listener has another hostname.
    ListenerHostname = "listener-hostname";
    /// A DNS record leads elsewhere.
    RecordTarget = "record-target";
    /// A hostname is with other guards of the same kind.
    GuardChanged = "guard-changed";
    /// A gateway that faced the Internet faces the own network.
    GatewayInternal = "gateway-internal";
    /// A hostname that faced the Internet is reached by the own network only.
    MovedInternal = "moved-internal";
    /// Clients have to pass what they had not to.
    GuardAdded = "guard-added";
    /// A guard lets less in than before.
    GuardTightened = "guard-tightened";
    /// Less may say what a client's address is.
    TrustNarrowed = "trust-narrowed";
    /// A listener takes routes from fewer namespaces.
    ListenerClosed = "listener-closed";
    /// Nothing is answered without TLS any more.
    PlainClosed = "plain-closed";
    /// A hostname is gone from a gateway.
    HostnameRemoved = "hostname-removed";
    /// A DNS record is no longer published.
    RecordWithdrawn = "record-withdrawn";
    /// A gateway is gone.
    GatewayRemoved = "gateway-removed";
    /// A listener is gone.
    ListenerRemoved = "listener-removed";
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which way it goes.
    pub direction: Direction,
    /// What changed.
    pub kind: ChangeKind,
    /// The gateway, `namespace/name`.
    pub gateway: String,
    /// What it is about: hostnames, or listeners.
    pub subjects: Vec<String>,
    /// What became of them, in words that follow their names.
    pub words: String,
}

/// How many subjects a message names.
const NAMED: usize = 4;

impl Change {
    /// The change in a sentence.
    pub fn message(&self) -> String {
        let shown = self.subjects.iter().take(NAMED).map(String::as_str);
        let shown = shown.collect::<Vec<_>>().join(", ");
        let more = match self.subjects.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{shown}{more} {}", self.words)
    }
}

/// Changes as they are found; those that say the same of several subjects become one.
#[derive(Default)]
struct Found {
    all: BTreeMap<(Direction, ChangeKind, String, String), BTreeSet<String>>,
}

impl Found {
    fn add(
        &mut self,
        direction: Direction,
        kind: ChangeKind,
        gateway: &str,
        subject: impl Into<String>,
        words: impl Into<String>,
    ) {
        let key = (direction, kind, gateway.to_owned(), words.into());
        self.all.entry(key).or_default().insert(subject.into());
    }
}

/// What changed from one table to another.
pub fn compare(before: &Table, after: &Table) -> Vec<Change> {
    let mut found = Found::default();
    listeners::compare(before, after, &mut found);
    hostnames(before, after, &mut found);
    let all = found.all.into_iter();
    all.map(|((direction, kind, gateway, words), subjects)| Change {
        direction,
        kind,
        gateway,
        subjects: subjects.into_iter().collect(),
        words,
    })
    .collect()
}

/// The exposures of each hostname by gateway. What is only redirected is no exposure of its own.
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

fn hostnames(before: &Table, after: &Table, found: &mut Found) {
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

/// The gateways that a hostname is reached by, and the table that tells their sides.
type Reached<'a, 't> = (&'t Table, &'a BTreeMap<&'t str, &'t Exposure>);

/// A hostname at gateways where it was not, and no longer at those where it was.
fn moved(subject: &str, was: Reached<'_, '_>, is: Reached<'_, '_>, found: &mut Found) {
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
        let (direction, kind, words) = match side(&is, gateway) {
            Side::External if !was_external && !was.1.is_empty() => (
                Direction::Wider,
                ChangeKind::MovedExternal,
                format!("now on external {gateway}; before only on {from}"),
            ),
            Side::Internal if was_external && !is_external => (
                Direction::Narrower,
                ChangeKind::MovedInternal,
                format!("now only on internal {gateway}; before on {from}"),
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
        found.add(direction, kind, gateway, subject, words);
    }
    for gateway in was.1.keys().filter(|gateway| !is.1.contains_key(*gateway)) {
        if !has_moved {
            let words = format!("gone from {}{gateway}", adjective(side(&was, gateway)));
            found.add(
                Direction::Narrower,
                ChangeKind::HostnameRemoved,
                gateway,
                subject,
                words,
            );
        }
    }
}

/// The side before a gateway's name, where it is known.
fn adjective(side: Side) -> &'static str {
    match side {
        Side::External => "external ",
        Side::Internal => "internal ",
        Side::Unknown => "",
    }
}

/// A hostname at a gateway where it was before.
fn stayed(old: &Exposure, new: &Exposure, tables: (&Table, &Table), found: &mut Found) {
    let (gateway, subject) = (new.gateway.as_str(), new.hostname.to_string());
    guards::of_exposures(old, new, tables, found);
    match (old.is_plain, new.is_plain) {
        (false, true) => {
            let words = format!("answered without TLS now, at {gateway}");
            found.add(
                Direction::Wider,
                ChangeKind::PlainOpened,
                gateway,
                &subject,
                words,
            );
        }
        (true, false) => {
            let words = format!("no longer answered without TLS, at {gateway}");
            found.add(
                Direction::Narrower,
                ChangeKind::PlainClosed,
                gateway,
                &subject,
                words,
            );
        }
        _ => {}
    }
    let certain = |it: &Exposure| -> BTreeMap<String, Option<String>> {
        let all = it.records.all.iter().filter(|it| it.is_certain);
        all.map(|it| (it.by.clone(), it.target.clone())).collect()
    };
    let (was, is) = (certain(old), certain(new));
    for (by, target) in &is {
        match was.get(by) {
            None => {
                let words = format!("now published by {by}");
                found.add(
                    Direction::Wider,
                    ChangeKind::RecordPublished,
                    gateway,
                    &subject,
                    words,
                );
            }
            Some(old) if old != target => {
                let text = |it: &Option<String>| {
                    it.clone()
                        .unwrap_or_else(|| "the gateway's address".to_owned())
                };
                let words = format!(
                    "led to {} by {by} now, before to {}",
                    text(target),
                    text(old)
                );
                found.add(
                    Direction::Other,
                    ChangeKind::RecordTarget,
                    gateway,
                    &subject,
                    words,
                );
            }
            _ => {}
        }
    }
    for by in was.keys().filter(|by| !is.contains_key(*by)) {
        let words = format!("no longer published by {by}");
        found.add(
            Direction::Narrower,
            ChangeKind::RecordWithdrawn,
            gateway,
            &subject,
            words,
        );
    }
}
