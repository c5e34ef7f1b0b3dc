//! Renders the kustomizations of the app's folders.

use super::files::{Kind, Renderer};
use super::locations::{route_location, set_location};
use super::objects::Item;
use crate::config::Text;
use crate::config::delivery::DeliveryKind;
use crate::config::types::Overlay;
use crate::model::flux::routes_folder;
use crate::model::layout::{FileLocation, Group, join};
use manifest::value::path::join_within;
use manifest::value::{Kind as Value, Map, Node, Pointer};

impl Renderer<'_> {
    /// The folders inside the app's folder, each with the namespace of its objects.
    pub(super) fn folders(&self) -> Vec<(String, Text)> {
        let model = self.model;
        let own = model.layout.folders();
        let own = own.map(|folder| (folder.to_owned(), model.namespace.clone()));
        let mut folders: Vec<(String, Text)> = own.collect();
        let routes = model.routes.iter().map(|route| {
            let folder = route_location(model, route).folder;
            (folder, route.values.namespace.clone())
        });
        let grants = crate::model::auth::namespaces(&model.grants);
        let grants = grants.map(|namespace| (routes_folder(namespace), namespace.clone()));
        let sets = crate::model::listener_set::namespaces(&model.listener_sets);
        let sets = sets.map(|namespace| {
            let folder = set_location(model, namespace).folder;
            (folder, namespace.clone())
        });
        for (folder, namespace) in routes.chain(grants).chain(sets) {
            if folders.iter().all(|(there, _)| *there != folder) {
                folders.push((folder, namespace));
            }
        }
        folders
    }

    /// Renders the `kustomization.yaml` of each folder.
    pub(super) fn kustomizations(&mut self) {
        let layout = &self.model.layout;
        if !layout.kustomization {
            return;
        }
        let app = layout.app_path();
        for (folder, namespace) in self.folders() {
            let values = self.folder_values(&folder, &namespace);
            let is_second = layout.config_folder.as_ref() == Some(&folder);
            let extra = &self.model.extra;
            let over = if is_second {
                &extra.config_kustomization
            } else {
                &extra.kustomization
            };
            let is_main = is_second || folder == layout.folder;
            let parts = over
                .iter()
                .filter(|_| is_main)
                .map(|node| (Pointer::root(), node.clone()));
            let item = Item {
                location: FileLocation {
                    folder: folder.clone(),
                    file: String::new(),
                },
                template: "kustomization.yaml.j2",
                values: Ok(values),
                overlay: Overlay::default(),
                parts: parts.collect(),
            };
            let path = join([app.as_str(), &folder, "kustomization.yaml"]);
            self.object(&path, item, &self.model.namespace);
        }
    }

    /// The values for a folder's kustomization: its files, then the user's own files, and the ConfigMaps of
    /// the script.
    fn folder_values(&self, folder: &str, namespace: &Text) -> Node {
        let layout = &self.model.layout;
        let prefix = join([layout.app_path().as_str(), folder]) + "/";
        let unlisted =
            (!self.model.autoscaling.listed).then(|| layout.location(Group::Autoscaling, None));
        let extra = &self.model.extra;
        let own = if layout.config_folder.as_deref() == Some(folder) {
            extra.config_resources.as_ref()
        } else if folder == layout.folder {
            extra.resources.as_ref()
        } else {
            &[]
        };
        let covered = self.covered();
        let is_covered = |name: &str| {
            let path = join([folder, name]);
            covered.iter().any(|cover| {
                let rest = path.strip_prefix(cover.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        let mut resources: Vec<Node> = self
            .files
            .values()
            .filter(|file| file.kind == Kind::Manifest)
            .filter_map(|file| file.path.strip_prefix(&prefix))
            .filter(|name| !is_covered(name))
            .filter(|name| {
                unlisted
                    .as_ref()
                    .is_none_or(|location| location.folder != folder || location.file != *name)
            })
            .map(|name| {
                Node::string(format!(
                    "{}{name}",
                    if layout.dot_slash { "./" } else { "" }
                ))
            })
            .collect();
        resources.extend(own.iter().map(text_node));
        let mut values = Map::default();
        // Flux and Argo CD set the namespace themselves.
        let namespace = match self.model.delivery {
            DeliveryKind::Kustomize => text_node(namespace),
            DeliveryKind::Flux | DeliveryKind::ArgoCd => Node::new(Value::Null, None),
        };
        values.insert("namespace", namespace);
        let with_flux = self.model.delivery == DeliveryKind::Flux;
        values.insert("with_flux", Node::new(Value::Bool(with_flux), None));
        values.insert("resources", Node::new(Value::List(resources), None));
        let maps = self
            .model
            .lua
            .iter()
            .filter(|_| layout.location(Group::Lua, None).folder == folder);
        let maps = maps.flat_map(|lua| {
            lua.policies.iter().map(|policy| {
                let file = lua.file.with(format!("resources/{}", lua.file.value));
                let map = [
                    ("name", text_node(&policy.values.config_map)),
                    ("file", text_node(&file)),
                ];
                Node::new(Value::Map(map.into_iter().collect()), None)
            })
        });
        values.insert("config_maps", Node::new(Value::List(maps.collect()), None));
        Node::new(Value::Map(values), None)
    }

    /// The paths that the user lists in `extra`, relative to the app's folder.
    fn covered(&self) -> Vec<String> {
        let (layout, extra) = (&self.model.layout, &self.model.extra);
        let second = layout.config_folder.as_deref().unwrap_or(&layout.folder);
        let lists = [
            (layout.folder.as_str(), &extra.resources),
            (second, &extra.config_resources),
        ];
        let paths = lists.into_iter().flat_map(|(folder, list)| {
            list.iter()
                .filter_map(move |text| join_within(folder, text))
        });
        paths.collect()
    }
}

/// A string with its position.
pub(super) fn text_node(text: &Text) -> Node {
    Node::new(Value::String(text.value.clone()), text.span)
}
