//! Kustomizations that hold other people's entries too: the namespace's, and those that earlier renders had entries in.

use super::files::{File, Inputs, Kind, Output, Renderer};
use super::index;
use crate::diagnostic::{Code, Diagnostic};
use crate::manifest::read;
use crate::model::flux;
use crate::model::layout::join;
use crate::value::path::{self, join_within};
use crate::value::ser::to_node;
use crate::value::{Kind as Value, Node};

/// The template of the namespace's kustomization.
const INDEX: &str = "namespace-kustomization.yaml.j2";

/// A kustomization in which an earlier render has entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// Its path from the root.
    pub path: String,
    /// The entries that are ours and whose files are, or will be, gone where they are not rendered.
    pub entries: Vec<String>,
    /// Whether we made it, and nobody else has changed it since.
    pub untouched: bool,
}

impl Renderer<'_> {
    /// The namespace's kustomization with what is `listed` in it, and those of earlier renders without our entries.
    pub(super) fn shared(&mut self, listed: Vec<String>, inputs: &dyn Inputs) {
        let path = join([self.model.layout.path.as_str(), "kustomization.yaml"]);
        let index = self.model.flux.index.as_ref();
        let (mut stale, mut untouched) = (Vec::new(), false);
        for shared in inputs.shared() {
            let gone = self.gone(&shared);
            if index.is_some() && shared.path == path {
                (stale, untouched) = (gone, shared.untouched);
            } else {
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
                        // Nobody else's work is in it: what else it says is brought up to date, too.
                        Some(file) if untouched || file.text == text => {
                            self.files.insert(path, file);
                        }
                        _ => self.put_shared(&path, text, node, Kind::Index, listed),
                    }
                }
                Err(Some(problems)) => self.problems.extend(problems),
                Err(None) => self.problems.push(fixed_index(&path, &listed, &stale)),
            }
        }
    }

    /// The entries of an earlier render whose files are not there any longer.
    fn gone(&self, shared: &Shared) -> Vec<String> {
        let folder = path::folder(&shared.path);
        let is_rendered = |entry: &&String| {
            join_within(folder, entry).is_some_and(|path| self.files.contains_key(&path))
        };
        let gone = shared.entries.iter().filter(|entry| !is_rendered(entry));
        gone.cloned().collect()
    }

    /// A kustomization that is no longer kept up: without our entries whose files are gone. Is nothing left in it, and
    /// was it made by us, it goes too.
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
                    Diagnostic::new(Code::TreeForeign, format!("{path} still lists what is no longer rendered"))
                        .in_file(path.as_str())
                        .why("kustomize stops at an entry that is not there, and it can't be taken out without touching what is not ours")
                        .help(format!("remove {} from its `resources`", gone.join(" and "))),
                ]
            })),
        }
    }

    /// The text of a shared kustomization with our entries, without those that are stale, and what it says then. The
    /// error is what is wrong with it, or `None` where it is only written in a way that can't be edited.
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

    /// The namespace's kustomization as it is where nothing stands yet.
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
    Diagnostic::new(Code::TreeForeign, format!("{path} can't be read"))
        .in_file(path)
        .why("other people's entries in it must stay, and which they are can't be told")
        .help("it must be UTF-8 text of at most 1 MiB; or set `namespace.kustomization = false`")
}

fn fixed_index(path: &str, listed: &[String], stale: &[String]) -> Diagnostic {
    let mut help = format!(
        "list {} under `resources`, one on a line with `- ` in front",
        listed.join(" and ")
    );
    if !stale.is_empty() {
        help.push_str(&format!(", and take {} out", stale.join(" and ")));
    }
    Diagnostic::new(Code::TreeForeign, format!("{path} can't be added to"))
        .in_file(path)
        .why("Flux applies only what the namespace's kustomization lists, and other people's entries in it must stay")
        .help(format!("{help}; or set `namespace.kustomization = false`"))
}

/// Whether a render can write a file at this path: a manifest below a folder, or a script among a folder's resources.
/// Hidden folders, schemas and templates are somebody else's, and so is what stands at the root, but the Namespace. Of
/// what is shared with others there are only kustomizations.
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

/// A tree of another file: its places are not places in `cluster.toml`.
fn without_places(node: Node) -> Node {
    Node::from_json(node.to_json())
}

#[cfg(test)]
mod tests {
    use super::could_render;

    #[test]
    fn only_what_a_render_can_write_is_its_work() {
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
