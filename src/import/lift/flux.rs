//! `[flux]`, `[namespace]`, the folders of `[layout]`, and the slots of the kustomizations in the folders.

use super::rows::{self, FLUX, FLUX_CONFIG};
use super::{Form, Lift, Slot};
use crate::config::delivery::DeliveryKind;
use crate::import::config::{flag, list, text};
use crate::import::files::{self, below, folder_of, join, name_of, text as text_at};
use flux_repo::kustomization_files;
use manifest::diagnostic::Sources;
use manifest::read;
use manifest::value::path::join_within;
use manifest::value::{Map, Node};

impl Lift<'_> {
    pub(super) fn flux(&mut self) {
        if self.door.delivery.kind != DeliveryKind::Flux {
            return self.lift_applications();
        }
        let home = |at: &usize| {
            let found = self.found(*at);
            below(&self.door.place.app, &found.path).is_some()
                && !found.sealed
                && !self.out.contains(at)
        };
        let [first, second] = self.door.fluxes.map(|at| at.filter(home));
        let whole = self.door.place.config.is_none() || second.is_some();
        let Some(first) = first.filter(|_| whole) else {
            return self.set(&["flux", "enabled"], flag(false));
        };
        let node = self.node(first);
        let mut table = rows::lift(FLUX, node, "");
        let labels = table.get("common_labels").and_then(Node::as_map);
        if labels.is_some_and(|labels| labels.iter().any(|(_, value)| value.as_str().is_none())) {
            table.remove("common_labels");
        }
        if self.name(first) != name_of(&self.door.place.app) {
            table.insert("name", text(self.name(first)));
        }
        let namespace = text_at(node, &["metadata", "namespace"]);
        if namespace == self.door.namespace && !namespace.is_empty() {
            table.insert("namespaced", flag(true));
        }
        if let Some(depends_on) = depends_on(node) {
            table.insert("depends_on", list_or_one(depends_on));
        }
        if let Some(prefix) = self.path_prefix(node) {
            table.insert("path_prefix", text(prefix));
        }
        if !table.is_empty() {
            self.extend(&["flux"], table);
        }
        self.flux_slot(first, &["flux"], Form::Object);
        if let Some(second) = second {
            self.second(first, second);
        }
    }

    /// The folder that `spec.path` is relative to, if it is not the root of the Git repository.
    fn path_prefix(&self, node: &Node) -> Option<&str> {
        let prefix = self.files.prefix.as_str();
        if prefix.is_empty() {
            return None;
        }
        let folder = self.door.place.folder.as_str();
        let path = text_at(node, &["spec", "path"]);
        let path = join_within("", path).filter(|_| !path.starts_with('/'))?;
        let kind = text_at(node, &["spec", "sourceRef", "kind"]);
        match () {
            () if path == folder => Some("."),
            () if kind != "GitRepository" && path == join(prefix, folder) => Some(prefix),
            () => None,
        }
    }

    fn second(&mut self, first: usize, second: usize) {
        let node = self.node(second);
        let mut table = rows::lift(FLUX_CONFIG, node, "");
        for (key, field) in [("retry_interval", "retryInterval"), ("timeout", "timeout")] {
            // The second Kustomization inherits it.
            if self.node(first).path(&["spec", field]) == node.path(&["spec", field]) {
                table.remove(key);
            }
        }
        let folder = self
            .door
            .place
            .config
            .as_deref()
            .map(name_of)
            .unwrap_or_default();
        let first_name = self.name(first);
        if self.name(second) != format!("{first_name}-{folder}") {
            table.insert("name", text(self.name(second)));
        }
        if let Some(mut all) = depends_on(node) {
            let own = format!("{}/{first_name}", self.door.namespace);
            if all.first() == Some(&own) {
                all.remove(0);
            }
            if !all.is_empty() {
                table.insert("depends_on", list_or_one(all));
            }
        }
        let labels = |at: usize| self.node(at).path(&["spec", "commonMetadata", "labels"]);
        if let Some(own) = labels(second)
            && labels(first) != Some(own)
            && own
                .as_map()
                .is_some_and(|map| map.iter().all(|(_, value)| value.as_str().is_some()))
        {
            table.insert("common_labels", Node::from_json(own.to_json()));
        }
        if !table.is_empty() {
            self.extend(&["flux", "config"], table);
        }
        self.flux_slot(second, &["flux", "config"], Form::Inheriting);
    }

    pub(super) fn flux_slot(&mut self, object: usize, table: &[&str], form: Form) {
        self.lifted.slots.push(Slot {
            object,
            table: table.iter().map(|key| (*key).to_owned()).collect(),
            form,
            group: None,
            gateway: None,
        });
    }

    /// The folders, their kustomizations, and that of the namespace.
    pub(super) fn kustomizations(&mut self) {
        let place = &self.door.place;
        let namespace = &self.door.namespace;
        let or_here = |text: &str| {
            if text.is_empty() {
                ".".to_owned()
            } else {
                text.to_owned()
            }
        };
        let path = or_here(folder_of(&place.app));
        if path != format!("kubernetes/apps/{namespace}") {
            self.set(&["layout", "path"], text(path.as_str()));
        }
        let default_folder = match self.door.delivery.kind {
            DeliveryKind::Flux => "app",
            DeliveryKind::ArgoCd | DeliveryKind::Kustomize => "config",
        };
        let folders = [
            ("app", or_here(name_of(&place.app)), "envoy-gateway"),
            ("folder", or_here(name_of(&place.folder)), default_folder),
        ];
        for (key, folder, default) in folders {
            if folder != default {
                self.set(&["layout", key], text(folder));
            }
        }
        if let Some(second) = &place.config {
            self.set(&["layout", "config_folder"], text(name_of(second)));
        }
        let second = place
            .config
            .as_ref()
            .map(|second| (second.clone(), "config_kustomization"));
        let both = [Some((place.folder.clone(), "kustomization")), second];
        for (folder, table) in both.into_iter().flatten() {
            let path = join(&folder, "kustomization.yaml");
            let own = self
                .door
                .objects
                .iter()
                .position(|found| found.path == path);
            if let Some(at) = own.filter(|at| !self.out.contains(at)) {
                self.flux_slot(at, &["extra", table], Form::Kustomization);
            }
        }
        // What takes all files of a folder needs no list of them, and a chart must not get one.
        let takes_all = self.door.delivery.kind == DeliveryKind::ArgoCd;
        let has_list =
            kustomization_files(&place.folder).any(|file| self.files.texts.contains_key(&file));
        if self.door.delivery.is_in_chart || takes_all && !has_list {
            self.set(&["layout", "kustomization"], flag(false));
        }
        self.namespace_files(&path);
    }

    /// Whether the files of the namespace are those that would be rendered.
    fn namespace_files(&mut self, path: &str) {
        let folder = if path == "." { "" } else { path };
        let object = |name: &str| {
            let text = self.files.texts.get(&join(folder, name))?;
            let mut sources = Sources::default();
            let id = sources.add(name, text.as_str());
            let (documents, problems) = read::read(&sources, id);
            match (documents.as_slice(), problems.is_empty()) {
                ([one], true) => Some(one.node.clone()),
                _ => None,
            }
        };
        let index = object("kustomization.yaml");
        let file = join(folder, "kustomization.yaml");
        let listed: Vec<String> = index
            .iter()
            .flat_map(|node| files::listed(self.files, &file, node))
            .filter_map(|entry| entry.path)
            .collect();
        let usual = serde_json::json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {
                "name": self.door.namespace,
                "annotations": {"kustomize.toolkit.fluxcd.io/prune": "disabled"},
            },
        });
        let manifest = join(folder, "namespace.yaml");
        let is_usual =
            object("namespace.yaml") == Some(Node::from_json(usual)) && listed.contains(&manifest);
        let kind = self.door.delivery.kind;
        if !is_usual && kind != DeliveryKind::ArgoCd {
            self.set(&["namespace", "manifest"], flag(false));
        }
        let fluxes = self
            .lifted
            .slots
            .iter()
            .filter(|slot| slot.table.first().is_some_and(|key| key == "flux"));
        let fluxes: Vec<&str> = fluxes
            .map(|slot| self.found(slot.object).path.as_str())
            .collect();
        let lists_all = fluxes
            .iter()
            .all(|file| listed.iter().any(|entry| entry == file));
        if index.is_none() || fluxes.is_empty() || !lists_all {
            self.set(&["namespace", "kustomization"], flag(false));
        }
    }
}

/// The dependencies as `namespace/name`; `None` if an entry has more than that.
fn depends_on(node: &Node) -> Option<Vec<String>> {
    let items = node.path(&["spec", "dependsOn"])?.as_list()?;
    let all = items.iter().map(|item| {
        let map: &Map = item.as_map()?;
        let name = map.get("name")?.as_str()?;
        match (map.get("namespace"), map.len()) {
            (Some(namespace), 2) => Some(format!("{}/{name}", namespace.as_str()?)),
            (None, 1) => Some(name.to_owned()),
            _ => None,
        }
    });
    all.collect()
}

fn list_or_one(items: Vec<String>) -> Node {
    match items.as_slice() {
        [one] => text(one.as_str()),
        _ => list(items),
    }
}
