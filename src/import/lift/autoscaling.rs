//! `[autoscaling]`

use std::collections::BTreeMap;

use super::rows::{self, SCALED, put};
use super::{Form, Lift};
use crate::import::config::{flag, text};
use crate::import::door::FoundObject;
use crate::import::files::{below, is, text as text_at};
use crate::model::layout::Group;
use envoy_gateway::proxies::hashed_deployment;
use manifest::value::{Kind, Map, Node};

const KEDA: &str = "keda.sh";
const CONTROLLER: &str = "envoy-gateway";

/// The field of an EnvoyProxy that names the Deployment.
const DEPLOYMENT: [&str; 5] = ["spec", "provider", "kubernetes", "envoyDeployment", "name"];

impl Lift<'_> {
    pub(super) fn autoscaling(&mut self) {
        let mut objects = self.all(KEDA, "ScaledObject");
        let listed = !objects.is_empty();
        if !listed {
            objects = self.unlisted();
        }
        let mut of: BTreeMap<Option<String>, usize> = BTreeMap::new();
        for at in objects {
            let target = text_at(self.node(at), &["spec", "scaleTargetRef", "name"]);
            let gateway = self.gateways.iter().find(|gateway| {
                let own = gateway
                    .proxy
                    .map(|proxy| text_at(self.node(proxy), &DEPLOYMENT));
                target == gateway.name
                    || target == hashed_deployment(&self.door.namespace, &gateway.name)
                    || own.is_some_and(|own| own == target)
            });
            let owner = match gateway {
                Some(gateway) => Some(gateway.name.clone()),
                None if target == CONTROLLER => None,
                None => continue,
            };
            of.entry(owner).or_insert(at);
        }
        if of.is_empty() {
            return;
        }
        let mut tables: Vec<(Vec<String>, usize, Map)> = Vec::new();
        for (owner, at) in &of {
            let path = match owner {
                Some(gateway) => vec!["autoscaling", "gateways", gateway],
                None => vec!["autoscaling", "controller"],
            };
            let mut table = scaled(self.node(*at));
            if self.name(*at) != owner.as_deref().unwrap_or(CONTROLLER) {
                table.insert("name", text(self.name(*at)));
            }
            tables.push((path.into_iter().map(str::to_owned).collect(), *at, table));
        }
        if !listed {
            self.set(&["autoscaling", "listed"], flag(false));
        }
        for (key, value) in common(tables.iter().map(|(.., table)| table)) {
            for (.., table) in &mut tables {
                table.remove(&key);
            }
            self.set(&["autoscaling", &key], value);
        }
        let missing: Vec<String> = self
            .gateways
            .iter()
            .filter(|gateway| !of.contains_key(&Some(gateway.name.clone())))
            .map(|gateway| gateway.name.clone())
            .collect();
        let none = missing.len() == self.gateways.len();
        if none {
            self.set(&["autoscaling", "proxies"], flag(false));
        } else {
            for gateway in &missing {
                self.set(
                    &["autoscaling", "gateways", gateway, "enabled"],
                    flag(false),
                );
            }
        }
        for (path, at, table) in tables {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            // A gateway gets an autoscaler even from an empty table, the controller does not.
            if !table.is_empty() || path.last() == Some(&"controller") {
                self.extend(&path, table);
            }
            let gateway = path.get(2).copied();
            self.slot_of(at, &path, Form::Inheriting, Group::Autoscaling, gateway);
        }
    }

    /// ScaledObjects in a file of their own that no kustomization lists.
    fn unlisted(&self) -> Vec<usize> {
        let is_scaled = |found: &FoundObject| is(&found.node, KEDA, "ScaledObject");
        let objects = self.door.objects.iter().enumerate();
        let ready = objects.filter(|(at, found)| {
            let others = self
                .door
                .objects
                .iter()
                .filter(|other| other.path == found.path);
            is_scaled(found)
                && !found.listed
                && !found.sealed
                && !self.out.contains(at)
                && others.clone().all(is_scaled)
                && self
                    .door
                    .folders()
                    .any(|folder| below(folder, &found.path).is_some())
        });
        let ready: Vec<(usize, &FoundObject)> = ready.collect();
        let file = ready.first().map(|(_, found)| found.path.as_str());
        let in_it = ready
            .iter()
            .filter(|(_, found)| Some(found.path.as_str()) == file);
        in_it.map(|(at, _)| *at).collect()
    }
}

/// The settings that all tables have in common; nothing if there is only one table.
pub(super) fn common<'a>(tables: impl Iterator<Item = &'a Map> + Clone) -> Vec<(String, Node)> {
    let Some(first) = tables.clone().next().filter(|_| tables.clone().count() > 1) else {
        return Vec::new();
    };
    let alike = first
        .iter()
        .filter(|(key, value)| tables.clone().all(|table| table.get(key) == Some(*value)));
    alike
        .filter(|(key, _)| {
            !matches!(
                *key,
                "name" | "labels" | "annotations" | "object" | "remove"
            )
        })
        .map(|(key, value)| (key.to_owned(), value.clone()))
        .collect()
}

fn scaled(node: &Node) -> Map {
    let mut table = Node::new(Kind::Map(rows::lift(SCALED, node, "")), None);
    let triggers = node
        .path(&["spec", "triggers"])
        .and_then(Node::as_list)
        .unwrap_or_default();
    let mut rest = triggers;
    if let Some((first, others)) = triggers.split_first()
        && let Some(prometheus) = prometheus(first)
    {
        put(&mut table, "prometheus", prometheus);
        rest = others;
    }
    if !rest.is_empty() && rest.iter().all(crate::import::toml::can_say) {
        let rest = rest
            .iter()
            .map(|trigger| Node::from_json(trigger.to_json()))
            .collect();
        put(&mut table, "triggers", Node::new(Kind::List(rest), None));
    }
    match table.kind {
        Kind::Map(map) => map,
        _ => Map::default(),
    }
}

fn prometheus(trigger: &Node) -> Option<Node> {
    let metadata = trigger.get("metadata")?.as_map()?;
    let plain = trigger.as_map()?.len() == 2 && text_at(trigger, &["type"]) == "prometheus";
    let keys = [
        ("server", "serverAddress"),
        ("query", "query"),
        ("threshold", "threshold"),
    ];
    let mut table = Map::default();
    for (key, name) in keys {
        table.insert(key, text(metadata.get(name)?.as_str()?));
    }
    (plain && metadata.len() == keys.len()).then(|| Node::new(Kind::Map(table), None))
}
