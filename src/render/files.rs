//! Writes objects to files, folder by folder.

use std::collections::BTreeMap;

use super::comment::{HEADER, schema_comment};
use super::engine::Engine;
use super::kustomizations::text_node;
use super::locations::{route_location, set_location};
use super::objects::{Item, items};
use super::overlay::lay_over;
use super::shared::Shared;
use super::templates::Templates;
use crate::config::Text;
use crate::config::codes;
use crate::config::types::Overlay;
use crate::model::layout::{FileLocation, Group, join};
use crate::model::lua::Script;
use crate::model::{Model, flux};
use manifest::diagnostic::{Diagnostic, Sources};
use manifest::value::ser::to_node;
use manifest::value::{Node, Pointer};
use manifest::write;

/// The kind of a rendered file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A manifest in which all objects are rendered by gatewayctl.
    Manifest,
    /// A Lua script.
    Script,
    /// YAML that contains no objects, such as a helmfile.
    Plain,
    /// The namespace's kustomization, which contains other people's entries too.
    Index,
    /// A kustomization to which an earlier render added entries, and which no longer has entries of ours.
    Left,
}

impl Kind {
    /// Whether files of this kind contain objects.
    pub fn has_objects(self) -> bool {
        !matches!(self, Kind::Script | Kind::Plain)
    }
}

/// A rendered file.
#[derive(Clone, Debug)]
pub struct File {
    /// The path relative to the root, with `/`.
    pub path: String,
    /// The text of the file.
    pub text: String,
    /// The objects of the file, in order, with their positions in `cluster.toml`.
    pub objects: Vec<Node>,
    /// The template of each object.
    pub templates: Vec<&'static str>,
    /// The kind of the file.
    pub kind: Kind,
    /// The entries that gatewayctl added, if the file contains other people's entries too.
    pub entries: Vec<String>,
    /// Whether this is the text for a kustomization that didn't exist before.
    pub fresh: bool,
}

/// The files that rendering reads, by their paths relative to the root.
pub trait Inputs {
    /// The text of a file; `None` if it can't be read.
    fn read(&self, path: &str) -> Option<String>;

    /// The text of a file at a path where output will be written.
    fn read_output(&self, path: &str) -> Output {
        self.read(path).map_or(Output::Nothing, Output::Text)
    }

    /// The kustomizations to which earlier renders added entries.
    fn shared(&self) -> Vec<Shared> {
        Vec::new()
    }
}

/// What is found at a path where output will be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// There is no file.
    Nothing,
    /// There is a file with this text.
    Text(String),
    /// There is a file that is not text, is too large, or must not be read.
    Unreadable,
}

/// The template's name for an object that is written completely in `cluster.toml`.
pub const VERBATIM: &str = "";

/// Templates of objects that have no namespace, or set their own.
const WITHOUT_NAMESPACE: [&str; 10] = [
    "application.yaml.j2",
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

/// Renders all files, sorted by path. Also returns all mistakes that were found.
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
    let values = renderer.chart_values();
    for item in items(model, values.as_ref()) {
        let path = path_of(model, &item.location);
        renderer.object(&path, item, &model.namespace);
    }
    renderer.verbatim();
    renderer.routes();
    renderer.grants();
    renderer.listener_sets();
    renderer.script(inputs);
    renderer.kustomizations();
    renderer.delivery(values.as_ref());
    renderer.namespace(inputs);
    renderer.bootstrap();
    (renderer.files.into_values().collect(), renderer.problems)
}

fn path_of(model: &Model, location: &FileLocation) -> String {
    join([
        model.layout.app_path().as_str(),
        &location.folder,
        &location.file,
    ])
}

pub(super) struct Renderer<'a> {
    pub(super) model: &'a Model,
    pub(super) engine: Engine<'a>,
    pub(super) sources: &'a mut Sources,
    pub(super) problems: Vec<Diagnostic>,
    pub(super) files: BTreeMap<String, File>,
}

impl Renderer<'_> {
    /// Renders one object that belongs in `namespace`, and adds it to its file.
    pub(super) fn object(&mut self, path: &str, item: Item, namespace: &Text) {
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
        let node = self.with_namespace(node, item.template, namespace);
        let node = lay_over(node, item.overlay, item.parts, &mut self.problems);
        let text = |path: &[&str]| node.path(path).and_then(Node::as_str).unwrap_or_default();
        let (kind, name) = (text(&["kind"]), text(&["metadata", "name"]));
        let folder = Some(&item.location.folder).filter(|folder| !folder.is_empty());
        let own = folder.and_then(|folder| self.model.layout.location_of(kind, name, folder));
        let own = own.map(|location| path_of(self.model, &location));
        let path = own.unwrap_or_else(|| path.to_owned());
        self.add(&path, node, Kind::Manifest, item.template);
    }

    /// Sets the namespace in an object, if `namespace.in_objects` is set.
    fn with_namespace(&self, mut node: Node, template: &str, namespace: &Text) -> Node {
        if !self.model.flux.in_objects || WITHOUT_NAMESPACE.contains(&template) {
            return node;
        }
        let metadata = node.as_map_mut().and_then(|map| map.get_mut("metadata"));
        if let Some(metadata) = metadata.and_then(Node::as_map_mut)
            && !metadata.contains_key("namespace")
        {
            metadata.insert("namespace", text_node(namespace));
        }
        node
    }

    /// Adds the objects that are written completely in `cluster.toml`.
    fn verbatim(&mut self) {
        let layout = &self.model.layout;
        for object in &self.model.verbatim {
            let path = if object.file.value == layout.delivery_file {
                join([layout.app_path().as_str(), &layout.delivery_file])
            } else {
                path_of(self.model, &layout.placed(&layout.folder, &object.file))
            };
            self.add(&path, object.node.clone(), Kind::Manifest, VERBATIM);
        }
    }

    /// Renders an object whose file is already known.
    pub(super) fn plain<T: serde::Serialize>(
        &mut self,
        path: &str,
        template: &'static str,
        values: &T,
        overlay: Overlay,
    ) {
        let item = Item {
            location: FileLocation {
                folder: String::new(),
                file: String::new(),
            },
            template,
            values: to_node(values),
            overlay,
            parts: Vec::new(),
        };
        self.object(path, item, &self.model.namespace);
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

    /// Renders the TCPRoutes and UDPRoutes, into the app's folder or the folder of their namespace.
    fn routes(&mut self) {
        for route in &self.model.routes {
            let location = route_location(self.model, route);
            let item = Item {
                template: "streamroute.yaml.j2",
                values: to_node(&route.values),
                overlay: route.overlay.clone(),
                parts: Vec::new(),
                location,
            };
            self.object(
                &path_of(self.model, &item.location),
                item,
                &route.values.namespace,
            );
        }
    }

    /// Renders the ReferenceGrants, each into the folder of its namespace.
    fn grants(&mut self) {
        for grant in &self.model.grants {
            let location = self.model.layout.location(Group::Grants, None);
            let item = Item {
                template: "referencegrant.yaml.j2",
                values: to_node(&grant.values),
                overlay: grant.overlay.clone(),
                parts: Vec::new(),
                location: FileLocation {
                    folder: flux::routes_folder(&grant.values.namespace),
                    ..location
                },
            };
            self.object(
                &path_of(self.model, &item.location),
                item,
                &grant.values.namespace,
            );
        }
    }

    /// Renders the ListenerSets, each into the folder of its namespace.
    fn listener_sets(&mut self) {
        for set in &self.model.listener_sets {
            let listeners = set.values.listeners.iter().enumerate();
            let parts = listeners.filter_map(|(at, listener)| {
                let pointer = Pointer::root().key("spec").key("listeners").index(at);
                Some((pointer, listener.spec.clone()?))
            });
            let item = Item {
                template: "listenerset.yaml.j2",
                values: to_node(&set.values),
                overlay: set.overlay.clone(),
                parts: parts.collect(),
                location: set_location(self.model, &set.values.namespace),
            };
            self.object(
                &path_of(self.model, &item.location),
                item,
                &set.values.namespace,
            );
        }
    }

    /// Adds the Lua script.
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
        let folder = self.model.layout.location(Group::Lua, None).folder;
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

    /// Renders the Namespace and its kustomization.
    fn namespace(&mut self, inputs: &dyn Inputs) {
        let layout = &self.model.layout;
        let mut listed = Vec::new();
        let dot = if layout.dot_slash { "./" } else { "" };
        if let Some(namespace) = &self.model.flux.namespace {
            let path = join([layout.path.as_str(), "namespace.yaml"]);
            self.plain(
                &path,
                "namespace.yaml.j2",
                &namespace.values,
                namespace.overlay.clone(),
            );
            listed.push(format!("{dot}namespace.yaml"));
        }
        for path in self.delivered() {
            let entry = format!("{dot}{}", join([layout.app.as_str(), &path]));
            if !listed.contains(&entry) {
                listed.push(entry);
            }
        }
        self.shared(listed, inputs);
    }
}

fn no_script(path: &Text) -> Diagnostic {
    Diagnostic::new(
        codes::CONFIG_UNKNOWN_REFERENCE,
        format!("the script {:?} can't be read", path.value),
    )
    .at(path.span)
    .why("the gateways would run no script, and every request to them would fail")
    .help("write its path relative to cluster.toml; it must be UTF-8 text of at most 1 MiB")
}
