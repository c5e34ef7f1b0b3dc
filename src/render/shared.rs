//! Kustomizations that contain other people's entries too: the namespace's, and those to which earlier
//! renders added entries.

use std::collections::BTreeMap;

use super::codes;
use super::engine::Engine;
use super::files::{File, Inputs, Kind, Output, Renderer};
use super::index;
use super::templates::Templates;
use crate::config::codes as config_codes;
use crate::model::layout::join;
use crate::model::{Model, flux};
use manifest::diagnostic::{Diagnostic, Sources};
use manifest::read;
use manifest::value::path::{self, join_within};
use manifest::value::ser::to_node;
use manifest::value::{Kind as Value, Node};

/// The template of the namespace's kustomization.
const INDEX: &str = "namespace-kustomization.yaml.j2";

/// A kustomization to which an earlier render added entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// The path, relative to the root.
    pub path: String,
    /// The entries that gatewayctl added and whose files are removed, or will be, unless they are rendered
    /// again.
    pub entries: Vec<String>,
    /// Whether gatewayctl created the file and nobody has changed it since.
    pub untouched: bool,
}

/// Removes our entries from the kustomizations of earlier renders, for a configuration that renders nothing any more.
/// Also returns all mistakes that were found.
pub fn leave_all(
    model: &Model,
    inputs: &dyn Inputs,
    sources: &mut Sources,
) -> (Vec<File>, Vec<Diagnostic>) {
    let templates = Templates::default();
    let mut renderer = Renderer {
        model,
        engine: Engine::new(&templates),
        sources,
        problems: Vec::new(),
        files: BTreeMap::new(),
    };
    for shared in inputs.shared() {
        renderer.leave(&shared, &shared.entries, inputs);
    }
    (renderer.files.into_values().collect(), renderer.problems)
}

impl Renderer<'_> {
    /// Updates the namespace's kustomization so that it contains `listed`, and removes our entries from those
    /// of earlier renders.
    pub(super) fn shared(&mut self, listed: Vec<String>, inputs: &dyn Inputs) {
        let path = join([self.model.layout.path.as_str(), "kustomization.yaml"]);
        let index = self.model.flux.index.as_ref();
        let (mut stale, mut untouched) = (Vec::new(), false);
        for shared in inputs.shared() {
            if index.is_some() && shared.path == path {
                // A folder may be rendered that something else applies now.
                let is_listed = |entry: &&String| {
                    let mut listed = listed.iter();
                    listed.any(|one| one.trim_start_matches("./") == entry.trim_start_matches("./"))
                };
                let entries = shared.entries.iter().filter(|entry| !is_listed(entry));
                (stale, untouched) = (entries.cloned().collect(), shared.untouched);
            } else {
                let gone = self.gone(&shared);
                self.leave(&shared, &gone, inputs);
            }
        }
        if let Some(index) = index {
            let text = match inputs.read_output(&path) {
                Output::Text(text) => text,
                Output::Nothing => {
                    let fresh = self.fresh_index(&path, index, &listed);
                    self.files.extend(fresh.map(|file| (path, file)));
                    return;
                }
                Output::Unreadable => return self.problems.push(unreadable_index(path)),
            };
            match self.edited(&path, &text, &listed, &stale) {
                Ok((text, node)) => {
                    let is_alone = index::lists_only(&node, &listed);
                    let fresh = is_alone.then(|| self.fresh_index(&path, index, &listed));
                    match fresh.flatten() {
                        // The file contains only our entries, so everything else in it is updated, too.
                        Some(file) if untouched || file.text == text => {
                            self.files.insert(path, file);
                        }
                        _ => {
                            self.problems.extend(moved(&path, &node, self.model));
                            self.put_shared(&path, text, node, Kind::Index, listed)
                        }
                    }
                }
                Err(Some(problems)) => self.problems.extend(problems),
                Err(None) => self.problems.push(fixed_index(&path, &listed, &stale)),
            }
        }
    }

    /// The entries of an earlier render whose files are no longer rendered.
    fn gone(&self, shared: &Shared) -> Vec<String> {
        let folder = path::folder(&shared.path);
        let is_rendered = |entry: &&String| {
            join_within(folder, entry).is_some_and(|path| {
                let inside = join([path.as_str(), "kustomization.yaml"]);
                self.files.contains_key(&path) || self.files.contains_key(&inside)
            })
        };
        let gone = shared.entries.iter().filter(|entry| !is_rendered(entry));
        gone.cloned().collect()
    }

    /// Removes our entries from a kustomization that is no longer updated, if their files are gone. If
    /// nothing is left in it and gatewayctl created it, the whole file is removed.
    fn leave(&mut self, shared: &Shared, gone: &[String], inputs: &dyn Inputs) {
        let path = &shared.path;
        let Output::Text(text) = inputs.read_output(path) else {
            return;
        };
        if self.files.contains_key(path) {
            return;
        }
        let edited = self.edited(path, &text, &[], gone);
        match edited {
            Ok((_, node)) if shared.untouched && index::is_empty(&node) => {}
            Ok((text, node)) => self.put_shared(path, text, node, Kind::Left, Vec::new()),
            Err(broken) => self.problems.extend(broken.unwrap_or_else(|| {
                vec![
                    Diagnostic::new(codes::TREE_FOREIGN, format!("{path} still lists files that are no longer rendered"))
                        .in_file(path.as_str())
                        .why("kustomize fails if a listed file is missing, and the entry can't be removed without changing other people's lines")
                        .help(format!("remove {} from its `resources`", gone.join(" and "))),
                ]
            })),
        }
    }

    /// Edits a shared kustomization: adds our entries and removes stale ones. Returns the new text and its
    /// tree. The error is the list of mistakes in the file, or `None` if the file is valid but is written in
    /// a way that can't be edited.
    fn edited(
        &mut self,
        path: &str,
        text: &str,
        listed: &[String],
        stale: &[String],
    ) -> Result<(String, Node), Option<Vec<Diagnostic>>> {
        let source = self.sources.add(path, text);
        let (documents, problems) = read::read(self.sources, source);
        if !problems.is_empty() {
            return Err(Some(problems));
        }
        let [one] = documents.as_slice() else {
            return Err(None);
        };
        let (without, node) = index::remove(text, &one.node, stale).ok_or(None)?;
        index::add(&without, &node, listed).ok_or(None)
    }

    fn put_shared(
        &mut self,
        path: &str,
        text: String,
        node: Node,
        kind: Kind,
        entries: Vec<String>,
    ) {
        let file = File {
            path: path.to_owned(),
            text,
            objects: vec![without_places(node)],
            templates: Vec::new(),
            kind,
            entries,
            fresh: false,
        };
        self.files.insert(path.to_owned(), file);
    }

    /// Renders the namespace's kustomization for the case that it doesn't exist yet.
    fn fresh_index(&mut self, path: &str, table: &flux::Index, listed: &[String]) -> Option<File> {
        let mut values = match self.engine.values(INDEX, to_node(table), self.sources) {
            Ok(values) => values,
            Err(problem) => {
                self.problems.push(*problem);
                return None;
            }
        };
        if let Some(map) = values.as_map_mut() {
            let nodes = listed.iter().map(Node::string).collect();
            map.insert("resources", Node::new(Value::List(nodes), None));
        }
        match self.engine.tree(INDEX, &values, self.sources) {
            Ok(node) => {
                self.add(path, node, Kind::Index, INDEX);
                let file = self.files.remove(path)?;
                Some(File {
                    entries: listed.to_vec(),
                    fresh: true,
                    ..file
                })
            }
            Err(problem) => {
                self.problems.push(*problem);
                None
            }
        }
    }
}

fn unreadable_index(path: String) -> Diagnostic {
    Diagnostic::new(codes::TREE_FOREIGN, format!("{path} can't be read"))
        .in_file(path)
        .why("other people's entries in it must be kept, but they can't be read")
        .help("it must be UTF-8 text of at most 1 MiB; or set `namespace.kustomization = false`")
}

/// Applications that the namespace's kustomization would move out of the namespace of Argo CD.
fn moved(path: &str, node: &Node, model: &Model) -> Option<Diagnostic> {
    let application = model.applications.first()?;
    let own = &application.values.namespace.value;
    let set = node.get("namespace")?.as_str().filter(|set| set != own)?;
    let message = format!("{path} sets `namespace: {set}` also for the Applications");
    Some(
        Diagnostic::new(config_codes::CONFIG_CONTRADICTION, message)
            .in_file(path)
            .why(format!("kustomize would move them to {set}, and Argo CD only looks for Applications in {own}"))
            .help("remove the line and set the namespace in what else the file lists; or set `namespace.kustomization = false`, and apply the Applications in another way"),
    )
}

fn fixed_index(path: &str, listed: &[String], stale: &[String]) -> Diagnostic {
    let mut help = format!(
        "list {} under `resources`, each on a line of its own that starts with `- `",
        listed.join(" and ")
    );
    if !stale.is_empty() {
        help.push_str(&format!(", and remove {}", stale.join(" and ")));
    }
    Diagnostic::new(codes::TREE_FOREIGN, format!("{path} can't be edited automatically"))
        .in_file(path)
        .why("Flux applies only what the namespace's kustomization lists, and other people's entries in it must be kept")
        .help(format!("{help}; or set `namespace.kustomization = false`"))
}

/// Whether a render can write a file at this path: a manifest inside a folder, or a script in a `resources`
/// folder. Hidden folders, `schemas` and `templates` belong to the user, and so do the files at the root,
/// except for the Namespace. A shared file can only be a kustomization.
pub fn could_render(path: &str, is_shared: bool) -> bool {
    let (folder, name) = path::split(path);
    if is_shared {
        return name == "kustomization.yaml";
    }
    if folder.is_empty() {
        return name == "namespace.yaml";
    }
    let mut folders = folder.split('/');
    let is_kept = matches!(folders.clone().next(), Some("schemas" | "templates"));
    let is_hidden = folders.any(|part| part.starts_with('.')) || name.starts_with('.');
    let is_script = || {
        let within = folder.rsplit('/').next();
        name.ends_with(".lua") && within == Some("resources")
    };
    let is_manifest = name.ends_with(".yaml") || name.ends_with(".yml");
    !is_kept && !is_hidden && (is_manifest || is_script())
}

/// Removes the positions from a tree, because they are not positions in `cluster.toml`.
fn without_places(node: Node) -> Node {
    Node::from_json(node.to_json())
}

#[cfg(test)]
mod tests {
    use super::could_render;

    #[test]
    fn only_possible_outputs_count_as_rendered() {
        for path in [
            "kubernetes/apps/network/envoy-gateway/app/envoy.yaml",
            "apps/edge/app/resources/block-user-agents.lua",
            "bootstrap/helmfile.d/00-crds.yaml",
            "namespace.yaml",
        ] {
            assert!(could_render(path, false), "{path}");
        }
        for path in [
            "README.md",
            "cluster.toml",
            "kustomization.yaml",
            "staging/cluster.toml",
            "schemas/own/a.yaml",
            "templates/gateway.yaml.j2",
            "templates/a.yaml",
            ".github/workflows/ci.yaml",
            "docs/guide.md",
            "scripts/block.lua",
        ] {
            assert!(!could_render(path, false), "{path}");
        }
        assert!(could_render("kustomization.yaml", true));
        assert!(!could_render("apps/envoy.yaml", true));
    }
}
