//! Describes which object is in which file, for `[layout]`: by group, and by object if it differs from its group.

use std::collections::BTreeMap;

use super::config::{Config, flag, text};
use super::door::FrontDoor;
use super::files::{Files, is_manifest, texts};
use super::lift::Slot;
use crate::config::delivery::DeliveryKind;
use crate::model::layout::{GROUPS, Group, Layout, join};
use crate::model::names::short;

/// An object of a group: the gateway that it belongs to, and its file, relative to the app's folder.
struct Item<'a> {
    key: String,
    gateway: Option<&'a str>,
    path: &'a str,
}

/// Sets `layout.files`, `layout.dot_slash` and `layout.schemas`.
pub fn lift(config: &mut Config, door: &FrontDoor, slots: &[Slot], layout: &Layout, files: &Files) {
    let mut groups: BTreeMap<Group, Vec<Item>> = BTreeMap::new();
    for slot in slots {
        let Some(found) = door.objects.get(slot.object) else {
            continue;
        };
        let (Some(group), Some(path)) = (slot.group, door.from_app(&found.path)) else {
            continue;
        };
        groups.entry(group).or_default().push(Item {
            key: format!("{}/{}", found.kind(), found.name()),
            gateway: slot.gateway.as_deref(),
            path,
        });
    }
    let mut chosen: Vec<(&str, String)> = Vec::new();
    let mut single: Vec<(String, String)> = Vec::new();
    // A gateway's own policies are usually in its file, so the pattern of the gateways is tried first.
    let of_gateways = groups.get(&Group::Gateways);
    let (gateways, _) = of_gateways.map_or((None, Vec::new()), |items| {
        pattern(Group::Gateways, items, None, layout)
    });
    for (group, name, ..) in GROUPS {
        let Some(items) = groups.get(&group) else {
            continue;
        };
        let (pattern, rest) = pattern(group, items, gateways.as_deref(), layout);
        chosen.extend(pattern.map(|pattern| (name, pattern)));
        single.extend(rest);
    }
    both_kinds_of_traffic(&mut chosen);
    flux(door, slots, &mut chosen, &mut single);
    for (key, file) in chosen {
        config.set(&["layout", "files", key], text(file));
    }
    for (key, file) in single {
        config.set(&["layout", "files", &key], text(file));
    }
    dots(config, door);
    schemas(config, door, slots, files);
}

/// The pattern for a group that gives most objects their files, and the objects that need a pattern of their own.
fn pattern(
    group: Group,
    items: &[Item],
    usual: Option<&str>,
    layout: &Layout,
) -> (Option<String>, Vec<(String, String)>) {
    let (default, folder) = layout.default_of(group);
    let default_path = join([folder.as_str(), default]);
    let shown = |path: &str| match path.split_once('/') {
        Some((first, rest)) if first == folder => rest.to_owned(),
        _ => path.to_owned(),
    };
    let mut candidates = vec![default_path.clone()];
    candidates.extend(usual.map(|usual| {
        let place = layout.placed(&folder, usual);
        join([place.folder.as_str(), &place.file])
    }));
    for item in items {
        candidates.push(item.path.to_owned());
        if let Some(gateway) = item.gateway {
            candidates.push(item.path.replace(gateway, "{gateway}"));
            candidates.push(item.path.replace(short(gateway), "{short}"));
        }
    }
    let path_of = |pattern: &str, item: &Item| match item.gateway {
        Some(gateway) => pattern
            .replace("{gateway}", gateway)
            .replace("{short}", short(gateway)),
        None if pattern.contains('{') => default_path.clone(),
        None => pattern.to_owned(),
    };
    let fits = |pattern: &String| {
        items
            .iter()
            .filter(|item| path_of(pattern, item) == item.path)
            .count()
    };
    let mut best = default_path.clone();
    for candidate in candidates {
        if fits(&candidate) > fits(&best) {
            best = candidate;
        }
    }
    let rest = items
        .iter()
        .filter(|item| path_of(&best, item) != item.path);
    let rest = rest
        .map(|item| (item.key.clone(), shown(item.path)))
        .collect();
    (
        Some(best)
            .filter(|best| *best != default_path)
            .map(|best| shown(&best)),
        rest,
    )
}

/// If both kinds of traffic policies are in the same file, one key is enough.
fn both_kinds_of_traffic(chosen: &mut Vec<(&str, String)>) {
    let of = |name: &str| {
        chosen
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, file)| file.clone())
    };
    let (Some(backend), Some(client)) = (of("backend_traffic"), of("client_traffic")) else {
        return;
    };
    if backend == client {
        chosen.retain(|(key, _)| !key.ends_with("_traffic"));
        chosen.push(("traffic", backend));
    }
}

/// The file of the Flux Kustomizations or Applications.
fn flux(
    door: &FrontDoor,
    slots: &[Slot],
    chosen: &mut Vec<(&str, String)>,
    single: &mut Vec<(String, String)>,
) {
    let (key, kind, default) = match door.delivery.kind {
        DeliveryKind::ArgoCd => ("argocd", "Application", "application.yaml"),
        DeliveryKind::Flux | DeliveryKind::Kustomize => ("flux", "Kustomization", "ks.yaml"),
    };
    let own = slots
        .iter()
        .filter(|slot| slot.table.first().is_some_and(|table| table == key));
    let own = own.filter_map(|slot| {
        let found = door.objects.get(slot.object)?;
        Some((found.name(), door.from_app(&found.path)?))
    });
    let own: Vec<(&str, &str)> = own.collect();
    let Some((_, first)) = own.first() else {
        return;
    };
    if *first != default {
        chosen.push((key, (*first).to_owned()));
    }
    for (name, path) in own.iter().filter(|(_, path)| path != first) {
        single.push((format!("{kind}/{name}"), (*path).to_owned()));
    }
}

/// Whether most resources are listed with a leading `./`.
fn dots(config: &mut Config, door: &FrontDoor) {
    let kustomizations = door.objects.iter().filter(|found| {
        let own = door
            .folders()
            .any(|folder| super::files::folder_of(&found.path) == folder);
        own && found.is_kustomization()
    });
    let listed: Vec<&str> = kustomizations
        .flat_map(|found| texts(&found.node, "resources"))
        .collect();
    let (mut with, mut without) = (0, 0);
    for entry in listed.into_iter().filter(|entry| is_manifest(entry)) {
        match (entry.starts_with("./"), entry.starts_with('.')) {
            (true, _) => with += 1,
            (false, false) => without += 1,
            _ => {}
        }
    }
    if without > with {
        config.set(&["layout", "dot_slash"], flag(false));
    }
}

/// What precedes the URL in a schema comment.
pub const SCHEMA: &str = "yaml-language-server: $schema=";

/// The host of most schema comments; none if most objects have no such comment.
fn schemas(config: &mut Config, door: &FrontDoor, slots: &[Slot], files: &Files) {
    let mut paths: Vec<&str> = slots
        .iter()
        .filter_map(|slot| door.objects.get(slot.object))
        .map(|found| found.path.as_str())
        .collect();
    paths.sort_unstable();
    paths.dedup();
    let mut hosts: BTreeMap<String, usize> = BTreeMap::new();
    let (mut comments, mut objects) = (0, 0);
    for path in paths {
        objects += door
            .objects
            .iter()
            .filter(|found| found.path == path)
            .count();
        let text = files.texts.get(path).map_or("", String::as_str);
        for line in text.lines().filter(|line| line.starts_with('#')) {
            let Some((_, url)) = line.split_once(SCHEMA) else {
                continue;
            };
            comments += 1;
            if let Some(host) = host(url.trim()) {
                *hosts.entry(host.to_owned()).or_default() += 1;
            }
        }
    }
    let most = hosts
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .map(|(host, _)| host);
    if comments * 2 < objects {
        config.set(&["layout", "schemas"], flag(false));
    } else if let Some(host) = most.filter(|host| host != crate::model::layout::SCHEMA_HOST) {
        config.set(&["layout", "schemas", "host"], text(host));
    }
}

/// The part of a schema's URL before `{group}/{kind}_{version}.json`.
fn host(url: &str) -> Option<&str> {
    let (rest, file) = url.rsplit_once('/')?;
    let (host, group) = rest.rsplit_once('/')?;
    let fits =
        file.ends_with(".json") && file.contains('_') && group.contains('.') && host.contains("//");
    // The `//` after the scheme is not a host.
    (fits && !host.ends_with('/')).then_some(host)
}
