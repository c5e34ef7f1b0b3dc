//! Objects to files, folder by folder.

use std::collections::BTreeMap;

use super::comment::{HEADER, schema_comment};
use super::engine::Engine;
use super::objects::{Item, items};
use super::overlay::lay_over;
use super::shared::Shared;
use super::templates::Templates;
use crate::config::Text;
use crate::config::types::Overlay;
use crate::diagnostic::{Code, Diagnostic, Sources};
use crate::manifest::write;
use crate::model::layout::{Group, Layout, Place, join};
use crate::model::lua::Script;
use crate::model::{Laid, Model, flux};
use crate::value::path::join_within;
use crate::value::ser::to_node;
use crate::value::{Kind as Value, Map, Node, Pointer};

/// What a rendered file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Objects, all of them ours.
    Manifest,
    /// A script.
    Script,
    /// YAML that holds no objects: another tool's file.
    Plain,
    /// The namespace's kustomization, which holds other people's entries too.
    Index,
    /// Such a kustomization of an earlier render: none of its entries is ours any longer.
    Left,
}

impl Kind {
    /// Whether such a file holds objects.
    pub fn has_objects(self) -> bool {
        !matches!(self, Kind::Script | Kind::Plain)
    }
}

/// A rendered file.
#[derive(Clone, Debug)]
pub struct File {
    /// The path from the root, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Its objects, in order, with their places in `cluster.toml`.
    pub objects: Vec<Node>,
    /// The template that each object came from.
    pub templates: Vec<&'static str>,
    /// What it is.
    pub kind: Kind,
    /// The entries in it that are ours, where it holds other people's too.
    pub entries: Vec<String>,
    /// Whether such a file is what is written where nothing stands.
    pub fresh: bool,
}

/// What rendering needs from outside: files by their paths from the root.
pub trait Inputs {
    /// The text of a file; `None` where there is none.
    fn read(&self, path: &str) -> Option<String>;

    /// The text of a file that stands where output goes.
    fn read_output(&self, path: &str) -> Output {
        self.read(path).map_or(Output::Nothing, Output::Text)
    }

    /// The kustomizations in which earlier renders have entries.
    fn shared(&self) -> Vec<Shared> {
        Vec::new()
    }
}

/// What stands where output goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Nothing.
    Nothing,
    /// A file with this text.
    Text(String),
    /// A file that is no text, too large, or not ours to read.
    Unreadable,
}

/// The template of the helmfile that a new cluster starts with.
const BOOTSTRAP: &str = "bootstrap-crds.yaml.j2";

/// What stands in place of a template, of an object that was written in full.
pub const VERBATIM: &str = "";

/// Templates of what has no namespace, or one of its own.
const WITHOUT_NAMESPACE: [&str; 9] = [
    "gatewayclass.yaml.j2",
    "ciliumloadbalancerippool.yaml.j2",
    "ciliuml2announcementpolicy.yaml.j2",
    "ciliumbgpclusterconfig.yaml.j2",
    "ciliumbgppeerconfig.yaml.j2",
    "ciliumbgpadvertisement.yaml.j2",
    "kustomization.yaml.j2",
    "ks.yaml.j2",
    "namespace.yaml.j2",
];

/// Renders everything: all files, sorted by path, and what went wrong.
pub fn render(
    model: &Model,
    templates: &Templates,
    inputs: &dyn Inputs,
    sources: &mut Sources,
) -> (Vec<File>, Vec<Diagnostic>) {
    let mut renderer = Renderer {
        model,
        engine: Engine::new(templates),
        sources,
        problems: Vec::new(),
        files: BTreeMap::new(),
    };
    for item in items(model) {
        let path = path_of(model, &item.place);
        renderer.object(&path, item);
    }
    renderer.verbatim();
    renderer.routes();
    renderer.script(inputs);
    renderer.kustomizations();
    renderer.namespace(inputs);
    renderer.bootstrap();
    (renderer.files.into_values().collect(), renderer.problems)
}

fn path_of(model: &Model, place: &Place) -> String {
    join([model.layout.app_path().as_str(), &place.folder, &place.file])
}

pub(super) struct Renderer<'a> {
    pub(super) model: &'a Model,
    pub(super) engine: Engine<'a>,
    pub(super) sources: &'a mut Sources,
    pub(super) problems: Vec<Diagnostic>,
    pub(super) files: BTreeMap<String, File>,
}

impl Renderer<'_> {
    /// Renders one object and adds it to its file.
    fn object(&mut self, path: &str, item: Item) {
        let values = self.engine.values(item.template, item.values, self.sources);
        let made = values.and_then(|values| self.engine.tree(item.template, &values, self.sources));
        let node = match made {
            Ok(node) => node,
            Err(problem) => {
                if !self.problems.contains(&problem) {
                    self.problems.push(*problem);
                }
                return;
            }
        };
        let node = self.with_namespace(node, item.template);
        let node = lay_over(node, item.overlay, item.parts, &mut self.problems);
        let text = |path: &[&str]| node.path(path).and_then(Node::as_str).unwrap_or_default();
        let (kind, name) = (text(&["kind"]), text(&["metadata", "name"]));
        let folder = Some(&item.place.folder).filter(|folder| !folder.is_empty());
        let own = folder.and_then(|folder| self.model.layout.place_of(kind, name, folder));
        let own = own.map(|place| path_of(self.model, &place));
        let path = own.unwrap_or_else(|| path.to_owned());
        self.add(&path, node, Kind::Manifest, item.template);
    }

    /// An object that gives its namespace itself, where all of them do.
    fn with_namespace(&self, mut node: Node, template: &str) -> Node {
        if !self.model.flux.in_objects || WITHOUT_NAMESPACE.contains(&template) {
            return node;
        }
        let metadata = node.as_map_mut().and_then(|map| map.get_mut("metadata"));
        if let Some(metadata) = metadata.and_then(Node::as_map_mut)
            && !metadata.contains_key("namespace")
        {
            metadata.insert("namespace", text_node(&self.model.namespace));
        }
        node
    }

    /// Objects that were written in full.
    fn verbatim(&mut self) {
        let layout = &self.model.layout;
        for object in &self.model.verbatim {
            let path = if object.file.value == layout.flux {
                join([layout.app_path().as_str(), &layout.flux])
            } else {
                path_of(self.model, &layout.placed(&layout.folder, &object.file))
            };
            self.add(&path, object.node.clone(), Kind::Manifest, VERBATIM);
        }
    }

    /// An object from a template without an overlay of its own.
    fn plain<T: serde::Serialize>(
        &mut self,
        path: &str,
        template: &'static str,
        values: &T,
        overlay: Overlay,
    ) {
        let item = Item {
            place: Place {
                folder: String::new(),
                file: String::new(),
            },
            template,
            values: to_node(values),
            overlay,
            parts: Vec::new(),
        };
        self.object(path, item);
    }

    pub(super) fn add(&mut self, path: &str, node: Node, kind: Kind, template: &'static str) {
        let header = if self.model.layout.header && kind == Kind::Manifest {
            HEADER
        } else {
            ""
        };
        let file = self.files.entry(path.to_owned()).or_insert_with(|| File {
            path: path.to_owned(),
            text: header.to_owned(),
            objects: Vec::new(),
            templates: Vec::new(),
            kind,
            entries: Vec::new(),
            fresh: false,
        });
        file.text.push_str("---\n");
        if let Some(comment) = schema_comment(self.model.layout.schema_host.as_deref(), &node) {
            file.text.push_str(&comment);
        }
        file.text.push_str(&write::document(&node));
        file.objects.push(node);
        file.templates.push(template);
    }

    /// TCP and UDP routes: in the app's folder, or in a folder of their namespace.
    fn routes(&mut self) {
        for route in &self.model.routes {
            let place = route_place(self.model, route);
            let item = Item {
                template: "streamroute.yaml.j2",
                values: to_node(&route.of),
                overlay: route.overlay.clone(),
                parts: Vec::new(),
                place,
            };
            self.object(&path_of(self.model, &item.place), item);
        }
    }

    /// The Lua script.
    fn script(&mut self, inputs: &dyn Inputs) {
        let Some(lua) = &self.model.lua else { return };
        let text = match &lua.script {
            Script::Block(block) => {
                let template = "block-user-agents.lua.j2";
                let values = self.engine.values(template, to_node(block), self.sources);
                let made =
                    values.and_then(|values| self.engine.script(template, &values, self.sources));
                match made {
                    Ok(text) => text,
                    Err(problem) => return self.problems.push(*problem),
                }
            }
            Script::File(path) => match inputs.read(path) {
                Some(text) => text,
                None => return self.problems.push(no_script(path)),
            },
        };
        let folder = self.model.layout.place(Group::Lua, None).folder;
        let app = self.model.layout.app_path();
        let path = join([app.as_str(), &folder, "resources", &lua.file]);
        let file = File {
            path: path.clone(),
            text,
            objects: Vec::new(),
            templates: Vec::new(),
            kind: Kind::Script,
            entries: Vec::new(),
            fresh: false,
        };
        self.files.insert(path, file);
    }

    /// `kustomization.yaml` of each folder, and `ks.yaml`.
    fn kustomizations(&mut self) {
        let layout = &self.model.layout;
        let app = layout.app_path();
        let mut folders: Vec<String> = layout.folders().map(str::to_owned).collect();
        for route in &self.model.routes {
            let folder = route_place(self.model, route).folder;
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        for folder in folders {
            let values = self.folder_values(&folder);
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
                place: Place {
                    folder: folder.clone(),
                    file: String::new(),
                },
                template: "kustomization.yaml.j2",
                values: Ok(values),
                overlay: Overlay::default(),
                parts: parts.collect(),
            };
            let path = join([app.as_str(), &folder, "kustomization.yaml"]);
            self.object(&path, item);
        }
        for kustomization in &self.model.flux.kustomizations {
            self.plain(
                &join([app.as_str(), flux_file(layout, &kustomization.of.name)]),
                "ks.yaml.j2",
                &kustomization.of,
                kustomization.overlay.clone(),
            );
        }
    }

    /// What a folder's kustomization lists: its files, then the user's own, and the script's ConfigMaps.
    fn folder_values(&self, folder: &str) -> Node {
        let layout = &self.model.layout;
        let prefix = join([layout.app_path().as_str(), folder]) + "/";
        let unlisted =
            (!self.model.autoscaling.listed).then(|| layout.place(Group::Autoscaling, None));
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
                    .is_none_or(|place| place.folder != folder || place.file != *name)
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
        values.insert("resources", Node::new(Value::List(resources), None));
        let maps = self
            .model
            .lua
            .iter()
            .filter(|_| layout.place(Group::Lua, None).folder == folder);
        let maps = maps.flat_map(|lua| {
            lua.policies.iter().map(|policy| {
                let file = lua.file.with(format!("resources/{}", lua.file.value));
                let map = [
                    ("name", text_node(&policy.of.config_map)),
                    ("file", text_node(&file)),
                ];
                Node::new(Value::Map(map.into_iter().collect()), None)
            })
        });
        values.insert("config_maps", Node::new(Value::List(maps.collect()), None));
        Node::new(Value::Map(values), None)
    }

    /// What the user lists himself: paths from the app's folder.
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

    /// The Namespace and its kustomization.
    fn namespace(&mut self, inputs: &dyn Inputs) {
        let layout = &self.model.layout;
        let mut listed = Vec::new();
        let dot = if layout.dot_slash { "./" } else { "" };
        if let Some(namespace) = &self.model.flux.namespace {
            let path = join([layout.path.as_str(), "namespace.yaml"]);
            self.plain(
                &path,
                "namespace.yaml.j2",
                &namespace.of,
                namespace.overlay.clone(),
            );
            listed.push(format!("{dot}namespace.yaml"));
        }
        for kustomization in &self.model.flux.kustomizations {
            let file = flux_file(layout, &kustomization.of.name);
            let entry = format!("{dot}{}", join([layout.app.as_str(), file]));
            if !listed.contains(&entry) {
                listed.push(entry);
            }
        }
        self.shared(listed, inputs);
    }

    /// The helmfile that a new cluster starts with.
    fn bootstrap(&mut self) {
        let Some(bootstrap) = &self.model.chart.bootstrap else {
            return;
        };
        let path = bootstrap.path.value.clone();
        if self.files.contains_key(&path) {
            return self.problems.push(taken(&bootstrap.path));
        }
        let values = self
            .engine
            .values(BOOTSTRAP, to_node(bootstrap), self.sources);
        let made = values.and_then(|values| self.engine.document(BOOTSTRAP, &values, self.sources));
        match made {
            Ok(node) => {
                let header = if self.model.layout.header { HEADER } else { "" };
                let file = File {
                    path: path.clone(),
                    text: format!("{header}---\n{}", write::document(&node)),
                    objects: Vec::new(),
                    templates: Vec::new(),
                    kind: Kind::Plain,
                    entries: Vec::new(),
                    fresh: false,
                };
                self.files.insert(path, file);
            }
            Err(problem) => self.problems.push(*problem),
        }
    }
}

fn taken(path: &Text) -> Diagnostic {
    Diagnostic::new(
        Code::ConfigDuplicate,
        format!("{:?} is the path of another rendered file", path.value),
    )
    .at(path.span)
    .why("the helmfile would stand in its place")
    .help("write a path outside the app's folder, such as `bootstrap/helmfile.d/00-crds.yaml`")
}

/// The file of a Flux Kustomization, in the app's folder.
fn flux_file<'a>(layout: &'a Layout, name: &str) -> &'a str {
    layout
        .file_of("Kustomization", name)
        .unwrap_or(&layout.flux)
}

fn text_node(text: &Text) -> Node {
    Node::new(Value::String(text.value.clone()), text.span)
}

/// The file of a route: with the others, or in the folder of its namespace.
fn route_place(model: &Model, route: &Laid<crate::model::route::StreamRoute>) -> Place {
    let place = model.layout.place(Group::Routes, None);
    if route.of.namespace.value == model.namespace.value {
        return place;
    }
    Place {
        folder: flux::routes_folder(&route.of.namespace),
        ..place
    }
}

fn no_script(path: &Text) -> Diagnostic {
    Diagnostic::new(
        Code::ConfigUnknownReference,
        format!("the script {:?} can't be read", path.value),
    )
    .at(path.span)
    .why("the gateways would run no script, and every request would fail on them")
    .help("write its path relative to cluster.toml; it must be UTF-8 text of at most 1 MiB")
}
