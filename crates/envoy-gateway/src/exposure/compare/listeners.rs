//! Compares gateways and their listeners.

use super::{ChangeKind, Changes, Direction, guards, trusted};
use crate::exposure::table::{ExposedGateway, ExposedListener, Namespaces, Side, Table};

pub(super) fn compare(before: &Table, after: &Table, found: &mut Changes) {
    for new in &after.gateways {
        match before.gateway(&new.name) {
            Some(old) => compare_gateway(old, new, found),
            None => {
                let direction = opening(new.reach.side);
                let description = match new.reach.side {
                    Side::Unknown => "is a new gateway".to_owned(),
                    side => format!("is a new {} gateway", side.as_str()),
                };
                found.add(
                    direction,
                    ChangeKind::GatewayAdded,
                    &new.name,
                    &new.name,
                    description,
                );
            }
        }
    }
    for old in before
        .gateways
        .iter()
        .filter(|it| after.gateway(&it.name).is_none())
    {
        let description = "is no longer a gateway";
        found.add(
            Direction::Narrower,
            ChangeKind::GatewayRemoved,
            &old.name,
            &old.name,
            description,
        );
    }
}

/// The direction if something is new on a side.
fn opening(side: Side) -> Direction {
    match side {
        Side::Internal => Direction::Other,
        _ => Direction::Wider,
    }
}

fn compare_gateway(old: &ExposedGateway, new: &ExposedGateway, found: &mut Changes) {
    let gateway = new.name.as_str();
    match (old.reach.side, new.reach.side) {
        (Side::Internal | Side::Unknown, Side::External) => {
            let description = format!("now faces the Internet: {}", new.reach.why);
            found.add(
                Direction::Wider,
                ChangeKind::GatewayExternal,
                gateway,
                gateway,
                description,
            );
        }
        (Side::External, Side::Internal) => {
            let description = format!("now faces only the internal network: {}", new.reach.why);
            found.add(
                Direction::Narrower,
                ChangeKind::GatewayInternal,
                gateway,
                gateway,
                description,
            );
        }
        _ => {}
    }
    if old.addresses != new.addresses {
        let listed = |addresses: &[String]| match addresses {
            [] => "no address".to_owned(),
            all => all.join(", "),
        };
        let (is, was) = (listed(&new.addresses), listed(&old.addresses));
        found.add(
            Direction::Other,
            ChangeKind::AddressMoved,
            gateway,
            gateway,
            format!("now requests {is}, previously {was}"),
        );
    }
    for listener in &new.listeners {
        match old.listeners.iter().find(|it| it.name == listener.name) {
            Some(before) => compare_listener(gateway, before, listener, found),
            None => {
                let description =
                    format!("new at {gateway}: {} {}", listener.protocol, listener.port);
                let direction = opening(new.reach.side);
                found.add(
                    direction,
                    ChangeKind::ListenerAdded,
                    gateway,
                    subject(listener),
                    description,
                );
            }
        }
    }
    for listener in &old.listeners {
        if !new.listeners.iter().any(|it| it.name == listener.name) {
            let description = format!("removed from {gateway}");
            found.add(
                Direction::Narrower,
                ChangeKind::ListenerRemoved,
                gateway,
                subject(listener),
                description,
            );
        }
    }
}

fn subject(listener: &ExposedListener) -> String {
    format!("listener {}", listener.name)
}

fn compare_listener(
    gateway: &str,
    old: &ExposedListener,
    new: &ExposedListener,
    found: &mut Changes,
) {
    if old.namespaces != new.namespaces {
        let description = format!(
            "now accepts routes from {}, previously from {}, at {gateway}",
            new.namespaces, old.namespaces
        );
        // It is unknown which of two selectors matches more namespaces.
        let (direction, kind) = match (&old.namespaces, &new.namespaces) {
            (Namespaces::Selected(_), Namespaces::Selected(_)) => {
                let description =
                    format!("selects namespaces with a different selector, at {gateway}");
                found.add(
                    Direction::Wider,
                    ChangeKind::ListenerOpened,
                    gateway,
                    subject(new),
                    description,
                );
                return compare_rest(gateway, old, new, found);
            }
            (old, new) if new > old => (Direction::Wider, ChangeKind::ListenerOpened),
            _ => (Direction::Narrower, ChangeKind::ListenerClosed),
        };
        found.add(direction, kind, gateway, subject(new), description);
    }
    compare_rest(gateway, old, new, found);
}

fn compare_rest(gateway: &str, old: &ExposedListener, new: &ExposedListener, found: &mut Changes) {
    let is_tls = |listener: &ExposedListener| matches!(listener.protocol.as_str(), "HTTPS" | "TLS");
    if is_tls(old) && !is_tls(new) {
        let description = format!(
            "now uses {}, previously {}, at {gateway}",
            new.protocol, old.protocol
        );
        found.add(
            Direction::Wider,
            ChangeKind::PlainOpened,
            gateway,
            subject(new),
            description,
        );
    }
    if old.hostname != new.hostname {
        let text = |it: &Option<String>| it.clone().unwrap_or_else(|| "any hostname".to_owned());
        let description = format!(
            "now serves {}, previously {}, at {gateway}",
            text(&new.hostname),
            text(&old.hostname)
        );
        let direction = match (&old.hostname, &new.hostname) {
            (Some(_), None) => Direction::Wider,
            (None, Some(_)) => Direction::Narrower,
            (Some(old), Some(new)) if includes(new, old) => Direction::Wider,
            (Some(old), Some(new)) if includes(old, new) => Direction::Narrower,
            _ => Direction::Other,
        };
        found.add(
            direction,
            ChangeKind::ListenerHostname,
            gateway,
            subject(new),
            description,
        );
    }
    trusted::compare_listener(gateway, old, new, found);
    guards::compare_listener(gateway, old, new, found);
}

/// Whether a wildcard hostname includes another hostname.
fn includes(wildcard: &str, other: &str) -> bool {
    let suffix = wildcard.strip_prefix('*');
    suffix.is_some_and(|suffix| other.trim_start_matches('*').ends_with(suffix))
}
