//! Gateways and listeners.

use super::{ChangeKind, Direction, Found, guards, trusted};
use crate::exposure::table::{Door, Front, Namespaces, Side, Table};

pub fn compare(before: &Table, after: &Table, found: &mut Found) {
    for new in &after.gateways {
        match before.gateway(&new.name) {
            Some(old) => fronts(old, new, found),
            None => {
                let direction = opening(new.reach.side);
                let words = match new.reach.side {
                    Side::Unknown => "is a new gateway".to_owned(),
                    side => format!("is a new {} gateway", side.as_str()),
                };
                found.add(
                    direction,
                    ChangeKind::GatewayAdded,
                    &new.name,
                    &new.name,
                    words,
                );
            }
        }
    }
    for old in before
        .gateways
        .iter()
        .filter(|it| after.gateway(&it.name).is_none())
    {
        let words = "is no longer a gateway";
        found.add(
            Direction::Narrower,
            ChangeKind::GatewayRemoved,
            &old.name,
            &old.name,
            words,
        );
    }
}

/// What it means that something is new on a side.
fn opening(side: Side) -> Direction {
    match side {
        Side::Internal => Direction::Other,
        _ => Direction::Wider,
    }
}

fn fronts(old: &Front, new: &Front, found: &mut Found) {
    let gateway = new.name.as_str();
    match (old.reach.side, new.reach.side) {
        (Side::Internal | Side::Unknown, Side::External) => {
            let words = format!("faces the Internet now: {}", new.reach.why);
            found.add(
                Direction::Wider,
                ChangeKind::GatewayExternal,
                gateway,
                gateway,
                words,
            );
        }
        (Side::External, Side::Internal) => {
            let words = format!("faces the own network only: {}", new.reach.why);
            found.add(
                Direction::Narrower,
                ChangeKind::GatewayInternal,
                gateway,
                gateway,
                words,
            );
        }
        _ => {}
    }
    for door in &new.doors {
        match old.doors.iter().find(|it| it.name == door.name) {
            Some(before) => doors(gateway, before, door, found),
            None => {
                let words = format!("new at {gateway}: {} {}", door.protocol, door.port);
                let direction = opening(new.reach.side);
                found.add(
                    direction,
                    ChangeKind::ListenerAdded,
                    gateway,
                    subject(door),
                    words,
                );
            }
        }
    }
    for door in &old.doors {
        if !new.doors.iter().any(|it| it.name == door.name) {
            let words = format!("gone from {gateway}");
            found.add(
                Direction::Narrower,
                ChangeKind::ListenerRemoved,
                gateway,
                subject(door),
                words,
            );
        }
    }
}

fn subject(door: &Door) -> String {
    format!("listener {}", door.name)
}

fn doors(gateway: &str, old: &Door, new: &Door, found: &mut Found) {
    if old.namespaces != new.namespaces {
        let words = format!(
            "takes routes from {} now, before from {}, at {gateway}",
            new.namespaces, old.namespaces
        );
        // Of two selectors nothing tells which takes more.
        let (direction, kind) = match (&old.namespaces, &new.namespaces) {
            (Namespaces::Selected(_), Namespaces::Selected(_)) => {
                let words = format!("selects its namespaces otherwise, at {gateway}");
                found.add(
                    Direction::Wider,
                    ChangeKind::ListenerOpened,
                    gateway,
                    subject(new),
                    words,
                );
                return rest(gateway, old, new, found);
            }
            (old, new) if new > old => (Direction::Wider, ChangeKind::ListenerOpened),
            _ => (Direction::Narrower, ChangeKind::ListenerClosed),
        };
        found.add(direction, kind, gateway, subject(new), words);
    }
    rest(gateway, old, new, found);
}

fn rest(gateway: &str, old: &Door, new: &Door, found: &mut Found) {
    let is_tls = |door: &Door| matches!(door.protocol.as_str(), "HTTPS" | "TLS");
    if is_tls(old) && !is_tls(new) {
        let words = format!(
            "speaks {} now, before {}, at {gateway}",
            new.protocol, old.protocol
        );
        found.add(
            Direction::Wider,
            ChangeKind::PlainOpened,
            gateway,
            subject(new),
            words,
        );
    }
    if old.hostname != new.hostname {
        let text = |it: &Option<String>| it.clone().unwrap_or_else(|| "any hostname".to_owned());
        let words = format!(
            "takes {} now, before {}, at {gateway}",
            text(&new.hostname),
            text(&old.hostname)
        );
        let direction = match (&old.hostname, &new.hostname) {
            (Some(_), None) => Direction::Wider,
            (None, Some(_)) => Direction::Narrower,
            (Some(old), Some(new)) if holds(new, old) => Direction::Wider,
            (Some(old), Some(new)) if holds(old, new) => Direction::Narrower,
            _ => Direction::Other,
        };
        found.add(
            direction,
            ChangeKind::ListenerHostname,
            gateway,
            subject(new),
            words,
        );
    }
    trusted::of_doors(gateway, old, new, found);
    guards::of_doors(gateway, old, new, found);
}

/// Whether a wildcard holds another hostname.
fn holds(wildcard: &str, other: &str) -> bool {
    let suffix = wildcard.strip_prefix('*');
    suffix.is_some_and(|suffix| other.trim_start_matches('*').ends_with(suffix))
}
