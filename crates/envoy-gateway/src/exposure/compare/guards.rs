//! Guards that are lost, weaker, or new.

use std::collections::{BTreeMap, BTreeSet};

use super::trusted::is_wider;
use super::{ChangeKind, Direction, Found};
use crate::exposure::table::{Door, Exposure, Guard, GuardKind, Table};

/// The guards of one kind.
#[derive(Default, PartialEq)]
struct OfKind<'a> {
    policies: BTreeSet<&'a str>,
    allows: BTreeSet<&'a str>,
    is_everywhere: bool,
}

fn by_kind(guards: &[Guard]) -> BTreeMap<GuardKind, OfKind<'_>> {
    let mut all: BTreeMap<GuardKind, OfKind<'_>> = BTreeMap::new();
    for guard in guards {
        let one = all.entry(guard.kind).or_default();
        one.policies.insert(&guard.policy);
        one.allows.extend(guard.allows.iter().map(String::as_str));
        one.is_everywhere |= guard.is_everywhere;
    }
    all
}

/// What became of guards: the direction, the kind of change, and the words but for the place.
fn changes(old: &[Guard], new: &[Guard]) -> Vec<(Direction, ChangeKind, String)> {
    let (was, is) = (by_kind(old), by_kind(new));
    let kinds: BTreeSet<GuardKind> = was.keys().chain(is.keys()).copied().collect();
    let mut all = Vec::new();
    for kind in kinds {
        let name = kind.as_str();
        let policies = |it: &OfKind<'_>| it.policies.iter().copied().collect::<Vec<_>>().join(", ");
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
    old: &OfKind<'_>,
    new: &OfKind<'_>,
) -> Option<(Direction, ChangeKind, String)> {
    if old.is_everywhere != new.is_everywhere {
        return Some(match new.is_everywhere {
            true => (
                Direction::Narrower,
                ChangeKind::GuardTightened,
                format!("guarded by {name} everywhere now"),
            ),
            false => (
                Direction::Wider,
                ChangeKind::GuardWeakened,
                format!("guarded by {name} only in part now"),
            ),
        });
    }
    if old.allows != new.allows {
        let listed = |it: &OfKind<'_>| match it.allows.is_empty() {
            true => "nobody by address".to_owned(),
            false => it.allows.iter().copied().collect::<Vec<_>>().join(", "),
        };
        let words = format!("{name} lets in {} now, before {}", listed(new), listed(old));
        return Some(match is_wider(&old.allows, &new.allows) {
            true => (Direction::Wider, ChangeKind::GuardWeakened, words),
            false => (Direction::Narrower, ChangeKind::GuardTightened, words),
        });
    }
    let listed = |it: &OfKind<'_>| it.policies.iter().copied().collect::<Vec<_>>().join(", ");
    let words = format!(
        "guarded by {name} of {} now, before of {}",
        listed(new),
        listed(old)
    );
    Some((Direction::Other, ChangeKind::GuardChanged, words))
}

/// The guards of a hostname, but for what became of all that its listeners take.
pub fn of_exposures(old: &Exposure, new: &Exposure, tables: (&Table, &Table), found: &mut Found) {
    let told: Vec<_> = new
        .listeners
        .iter()
        .flat_map(|name| {
            let door = |table: &'_ Table| door(table, &new.gateway, name).cloned();
            let (old, new) = (door(tables.0), door(tables.1));
            old.zip(new)
                .map_or(Vec::new(), |(old, new)| changes(&old.guards, &new.guards))
        })
        .collect();
    for change in changes(&old.guards, &new.guards) {
        if told.contains(&change) {
            continue;
        }
        let (direction, kind, words) = change;
        let words = format!("{words}, at {}", new.gateway);
        found.add(
            direction,
            kind,
            &new.gateway,
            new.hostname.to_string(),
            words,
        );
    }
}

fn door<'t>(table: &'t Table, gateway: &str, name: &str) -> Option<&'t Door> {
    table
        .gateway(gateway)?
        .doors
        .iter()
        .find(|it| it.name == name)
}

/// The guards of a listener.
pub fn of_doors(gateway: &str, old: &Door, new: &Door, found: &mut Found) {
    for (direction, kind, words) in changes(&old.guards, &new.guards) {
        let words = format!("{words}, at {gateway}");
        found.add(
            direction,
            kind,
            gateway,
            format!("listener {}", new.name),
            words,
        );
    }
}
