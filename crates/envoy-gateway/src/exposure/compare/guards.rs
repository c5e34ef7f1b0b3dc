//! Guards that were removed, became weaker, or are new.

use std::collections::{BTreeMap, BTreeSet};

use super::trusted::is_wider;
use super::{ChangeKind, Changes, Direction};
use crate::exposure::table::{ExposedListener, Exposure, Guard, GuardKind, Table};

/// All guards of the same kind.
#[derive(Default, PartialEq)]
struct GuardsOfKind<'a> {
    policies: BTreeSet<&'a str>,
    allows: BTreeSet<&'a str>,
    is_everywhere: bool,
}

fn by_kind(guards: &[Guard]) -> BTreeMap<GuardKind, GuardsOfKind<'_>> {
    let mut all: BTreeMap<GuardKind, GuardsOfKind<'_>> = BTreeMap::new();
    for guard in guards {
        let one = all.entry(guard.kind).or_default();
        one.policies.insert(&guard.policy);
        one.allows.extend(guard.allows.iter().map(String::as_str));
        one.is_everywhere |= guard.is_everywhere;
    }
    all
}

/// The changes of guards: the direction, the kind of change, and the message without the gateway.
fn changes(old: &[Guard], new: &[Guard]) -> Vec<(Direction, ChangeKind, String)> {
    let (was, is) = (by_kind(old), by_kind(new));
    let kinds: BTreeSet<GuardKind> = was.keys().chain(is.keys()).copied().collect();
    let mut all = Vec::new();
    for kind in kinds {
        let name = kind.as_str();
        let policies =
            |it: &GuardsOfKind<'_>| it.policies.iter().copied().collect::<Vec<_>>().join(", ");
        match (was.get(&kind), is.get(&kind)) {
            (Some(old), None) => all.push((
                Direction::Wider,
                ChangeKind::GuardLost,
                format!("no longer guarded by {name} ({})", policies(old)),
            )),
            (None, Some(new)) => all.push((
                Direction::Narrower,
                ChangeKind::GuardAdded,
                format!("now guarded by {name} ({})", policies(new)),
            )),
            (Some(old), Some(new)) if old != new => all.extend(changed(name, old, new)),
            _ => {}
        }
    }
    all
}

fn changed(
    name: &str,
    old: &GuardsOfKind<'_>,
    new: &GuardsOfKind<'_>,
) -> Option<(Direction, ChangeKind, String)> {
    if old.is_everywhere != new.is_everywhere {
        return Some(match new.is_everywhere {
            true => (
                Direction::Narrower,
                ChangeKind::GuardTightened,
                format!("now guarded by {name} everywhere"),
            ),
            false => (
                Direction::Wider,
                ChangeKind::GuardWeakened,
                format!("now only partly guarded by {name}"),
            ),
        });
    }
    if old.allows != new.allows {
        let listed = |it: &GuardsOfKind<'_>| match it.allows.is_empty() {
            true => "no addresses".to_owned(),
            false => it.allows.iter().copied().collect::<Vec<_>>().join(", "),
        };
        let description = format!(
            "{name} now admits {}, previously {}",
            listed(new),
            listed(old)
        );
        return Some(match is_wider(&old.allows, &new.allows) {
            true => (Direction::Wider, ChangeKind::GuardWeakened, description),
            false => (Direction::Narrower, ChangeKind::GuardTightened, description),
        });
    }
    let listed = |it: &GuardsOfKind<'_>| it.policies.iter().copied().collect::<Vec<_>>().join(", ");
    let description = format!(
        "now guarded by {name} from {}, previously from {}",
        listed(new),
        listed(old)
    );
    Some((Direction::Other, ChangeKind::GuardChanged, description))
}

/// Adds the changed guards of a hostname, except for changes that are already reported for its listeners.
pub fn compare_exposure(
    old: &Exposure,
    new: &Exposure,
    tables: (&Table, &Table),
    found: &mut Changes,
) {
    let reported: Vec<_> = new
        .listeners
        .iter()
        .flat_map(|name| {
            let listener = |table: &'_ Table| find_listener(table, &new.gateway, name).cloned();
            let (old, new) = (listener(tables.0), listener(tables.1));
            old.zip(new)
                .map_or(Vec::new(), |(old, new)| changes(&old.guards, &new.guards))
        })
        .collect();
    for change in changes(&old.guards, &new.guards) {
        if reported.contains(&change) {
            continue;
        }
        let (direction, kind, description) = change;
        let description = format!("{description}, at {}", new.gateway);
        found.add(
            direction,
            kind,
            &new.gateway,
            new.hostname.to_string(),
            description,
        );
    }
}

fn find_listener<'t>(table: &'t Table, gateway: &str, name: &str) -> Option<&'t ExposedListener> {
    table
        .gateway(gateway)?
        .listeners
        .iter()
        .find(|it| it.name == name)
}

/// Adds the changed guards of a listener.
pub fn compare_listener(
    gateway: &str,
    old: &ExposedListener,
    new: &ExposedListener,
    found: &mut Changes,
) {
    for (direction, kind, description) in changes(&old.guards, &new.guards) {
        let description = format!("{description}, at {gateway}");
        found.add(
            direction,
            kind,
            gateway,
            format!("listener {}", new.name),
            description,
        );
    }
}
