//! `[security_policies.NAME]`, `[extension_policies.NAME]`, `[patch_policies.NAME]`, `[lua]`

use super::{Form, Lift, policy_targets};
use crate::import::config::{text, texts};
use crate::import::files::{
    ENVOY, folder_of, is_manifest, join, text as text_at, texts as texts_at,
};
use crate::model::layout::Group;
use crate::model::version::LUA_OFF_BY_DEFAULT;
use manifest::value::path::join_within;
use manifest::value::{Map, Node};

/// The kinds, and the tables of each.
const KINDS: [(&str, &str); 3] = [
    ("SecurityPolicy", "security_policies"),
    ("EnvoyExtensionPolicy", "extension_policies"),
    ("EnvoyPatchPolicy", "patch_policies"),
];

/// The options of a script's `configMapGenerator`, as they are rendered.
fn options() -> Node {
    Node::from_json(serde_json::json!({
        "disableNameSuffixHash": true,
        "annotations": {"kustomize.toolkit.fluxcd.io/substitute": "disabled"},
    }))
}

impl Lift<'_> {
    pub(super) fn policies(&mut self) {
        let lua = self.lua();
        let is_on = |lift: &Self, key: &str| {
            lift.lifted
                .config
                .get(&["chart", key])
                .and_then(Node::as_bool)
                == Some(true)
        };
        // Features that are used are enabled without a setting.
        if !lua.is_empty() && self.version >= LUA_OFF_BY_DEFAULT && is_on(self, "enable_lua") {
            self.lifted.config.take(&["chart", "enable_lua"]);
        }
        for (kind, table) in KINDS {
            for at in self.all(ENVOY, kind) {
                if lua.contains(&at) || (kind == "SecurityPolicy" && self.auth(at)) {
                    continue;
                }
                self.policy(at, table);
            }
        }
        let patches = self.lifted.config.get(&["patch_policies"]).is_some();
        if patches && is_on(self, "enable_envoy_patch_policy") {
            self.lifted
                .config
                .take(&["chart", "enable_envoy_patch_policy"]);
        }
    }

    fn policy(&mut self, at: usize, table: &str) {
        let node = self.node(at);
        let targets = policy_targets(node);
        if !targets.at_gateway || !targets.gateways.iter().all(|name| self.has_gateway(name)) {
            return;
        }
        let name = self.name(at);
        let mut own = Map::default();
        let all: Vec<&String> = self.gateways.iter().map(|gateway| &gateway.name).collect();
        if !targets.gateways.is_empty() && targets.gateways.iter().ne(all) {
            own.insert(
                "gateways",
                texts(targets.gateways.iter().map(String::as_str)),
            );
        }
        if table == "patch_policies" && targets.gateways.is_empty() {
            // Without this, one would be rendered for each gateway.
            own.insert(
                "gateways",
                texts(self.gateways.first().map(|gateway| gateway.name.as_str())),
            );
        }
        if let Some(listener) = targets.listener.filter(|_| !targets.gateways.is_empty()) {
            own.insert("listener", text(listener));
        }
        self.extend(&[table, name], own);
        self.slot(at, &[table, name], Form::Object, Group::Policies);
    }

    /// The policies that run the same script from a ConfigMap that the kustomization generates. `[lua]` renders all
    /// of them.
    fn lua(&mut self) -> Vec<usize> {
        let mut found: Vec<(usize, String, String)> = Vec::new();
        for at in self.all(ENVOY, "EnvoyExtensionPolicy") {
            let node = self.node(at);
            let targets = policy_targets(node);
            let scripts = node
                .path(&["spec", "lua"])
                .and_then(Node::as_list)
                .unwrap_or_default();
            let ([gateway], [script]) = (targets.gateways.as_slice(), scripts) else {
                continue;
            };
            let map = text_at(script, &["valueRef", "name"]);
            let suffix = map
                .strip_prefix(gateway.as_str())
                .filter(|suffix| !suffix.is_empty());
            let Some(suffix) = suffix.filter(|_| self.has_gateway(gateway)) else {
                continue;
            };
            if targets.listener.is_none() && self.name(at) == gateway {
                found.push((at, gateway.clone(), suffix.to_owned()));
            }
        }
        let Some((_, _, suffix)) = found.first().cloned() else {
            return Vec::new();
        };
        found.retain(|(.., own)| *own == suffix);
        // Sorts the gateways in the order in which the policies are rendered.
        found.sort_by_key(|(_, name, _)| {
            self.gateways
                .iter()
                .position(|gateway| gateway.name == *name)
        });
        let gateways: Vec<&str> = found
            .iter()
            .map(|(_, gateway, _)| gateway.as_str())
            .collect();
        let Some(script) = self.script(&gateways, &suffix) else {
            return Vec::new();
        };
        self.set(&["lua", "script"], text(script));
        if gateways.len() < self.gateways.len() {
            self.set(&["lua", "gateways"], texts(gateways));
        }
        if suffix != "-extensions" {
            self.set(&["lua", "config_map_suffix"], text(suffix));
        }
        for (at, gateway, _) in &found {
            self.slot_of(*at, &["lua"], Form::Object, Group::Lua, Some(gateway));
        }
        found.into_iter().map(|(at, ..)| at).collect()
    }

    /// The script, if the kustomization generates the ConfigMaps of these gateways from it, and nothing else.
    fn script(&self, gateways: &[&str], suffix: &str) -> Option<String> {
        let second = self
            .door
            .place
            .config
            .as_deref()
            .unwrap_or(&self.door.place.folder);
        let path = join(second, "kustomization.yaml");
        let own = self.door.objects.iter().find(|found| found.path == path)?;
        if own.node.get("generatorOptions") != Some(&options()) {
            return None;
        }
        let maps = own.node.get("configMapGenerator")?.as_list()?;
        let mut files = Vec::new();
        for (map, gateway) in maps.iter().zip(gateways) {
            let file = texts_at(map, "files");
            let [file] = file.as_slice() else { return None };
            if text_at(map, &["name"]) != format!("{gateway}{suffix}") || map.as_map()?.len() != 2 {
                return None;
            }
            files.push(join_within(folder_of(&path), file)?);
        }
        let first = files.first()?.clone();
        let in_place = folder_of(&first) == join(second, "resources") && first.ends_with(".lua");
        let same = maps.len() == gateways.len() && files.iter().all(|file| *file == first);
        let there = self.files.texts.contains_key(&first) && !is_manifest(&first);
        (same && in_place && there).then_some(first)
    }
}
