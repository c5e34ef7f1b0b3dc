//! The proof: a configuration is rendered in memory and compared with the existing objects, and the differences are
//! added to it, until there are none or nothing helps any more.

use std::collections::{BTreeMap, BTreeSet};

use super::config::{Config, list};
use super::door::{FoundObject, FrontDoor};
use super::files::{Files, folder_of, group_of, text};
use super::lift::{Form, Lifted};
use super::residual::Residual;
use super::{layout, toml};
use crate::compile::{Compiled, rendered};
use crd_validate::schema::Catalogue;
use manifest::value::path::join_within;
use manifest::value::{Kind, Node, Pointer};
use manifest::{Object, meaning};

/// The maximum number of rounds. Tables that inherit need the table above to be complete first, and lists need a
/// second round.
const ROUNDS: usize = 6;

/// A configuration, what it renders, and which objects differ.
pub struct Proof {
    /// The configuration.
    pub config: Config,
    /// Its text.
    pub text: String,
    /// What it renders.
    pub compiled: Compiled,
    /// The slots whose objects differ.
    pub different: BTreeSet<usize>,
}

/// What a configuration is compared with.
pub struct Prover<'a> {
    /// The existing objects.
    pub door: &'a FrontDoor,
    /// The files of the repository.
    pub files: &'a Files,
    /// All schemas.
    pub catalogue: &'a Catalogue,
}

impl Prover<'_> {
    /// Renders the lifted configuration, and adds the differences to it.
    pub fn prove(&self, lifted: &Lifted) -> Proof {
        let mut config = lifted.config.clone();
        let first = self.render(&config, lifted);
        if let Some(model) = &first.1.model {
            layout::lift(
                &mut config,
                self.door,
                &lifted.slots,
                &model.layout,
                self.files,
            );
        }
        let mut proof = self.compare(config, lifted);
        let mut given = Vec::new();
        for round in 0..ROUNDS {
            if proof.different.is_empty() {
                break;
            }
            let before = proof.text.clone();
            let mut config = proof.config.clone();
            for at in &proof.different {
                self.amend(&mut config, lifted, *at, round, &proof.compiled, &mut given);
            }
            proof = self.compare(config, lifted);
            // The second round completes tables that inherit. After that, a round without changes is the last one.
            if round > 0 && proof.text == before {
                break;
            }
        }
        proof
    }

    fn render(&self, config: &Config, lifted: &Lifted) -> (String, Compiled) {
        let text = toml::document(&config.ordered(), &lifted.comments);
        let compiled = rendered("cluster.toml", &text, self.files, self.catalogue);
        (text, compiled)
    }

    /// Renders a configuration, and finds the slots that differ.
    pub fn compare(&self, config: Config, lifted: &Lifted) -> Proof {
        let (text, compiled) = self.render(&config, lifted);
        let slots = lifted.slots.iter().enumerate();
        let different = slots.filter(|(_, slot)| {
            let Some(wanted) = self.door.objects.get(slot.object) else {
                return false;
            };
            let made = made(&compiled, self.door, wanted);
            made.is_none_or(|made| made.path != wanted.path || made.node != wanted.node)
        });
        Proof {
            different: different.map(|(at, _)| at).collect(),
            config,
            text,
            compiled,
        }
    }

    /// Adds to the table of a slot what its object lacks.
    fn amend(
        &self,
        config: &mut Config,
        lifted: &Lifted,
        at: usize,
        round: usize,
        compiled: &Compiled,
        given: &mut Vec<(usize, Vec<String>)>,
    ) {
        let Some(slot) = lifted.slots.get(at) else {
            return;
        };
        let Some(wanted) = self.door.objects.get(slot.object) else {
            return;
        };
        let Some(made) = made(compiled, self.door, wanted) else {
            return;
        };
        // A table that renders several objects is changed for the first one that differs.
        let is_first = lifted
            .slots
            .iter()
            .take(at)
            .all(|other| other.table != slot.table);
        let is_early = round == 0 && slot.form == Form::Inheriting;
        if is_early || !is_first {
            return;
        }
        let mut residual = Residual::between(&made.node, &wanted.node);
        if residual.is_empty() || !residual.over.iter().all(|(_, value)| toml::can_say(value)) {
            return;
        }
        let table: Vec<&str> = slot.table.iter().map(String::as_str).collect();
        match slot.form {
            Form::Kustomization => {
                self.kustomization(config, &table, wanted, residual, compiled, given)
            }
            Form::Release => {
                if let Some(values) = residual.take(&["spec", "values"]) {
                    merge(config, &["chart", "values"], values);
                }
                lay_over(config, &table, residual);
            }
            Form::Gateway => {
                listeners(config, &table, &mut residual, &made.node, &wanted.node);
                lay_over(config, &table, residual);
            }
            Form::Object | Form::Inheriting => lay_over(config, &table, residual),
        }
    }

    /// Handles the kustomization of a folder: first the list of resources, then everything else.
    fn kustomization(
        &self,
        config: &mut Config,
        table: &[&str],
        wanted: &FoundObject,
        mut residual: Residual,
        compiled: &Compiled,
        given: &mut Vec<(usize, Vec<String>)>,
    ) {
        if let Some(listed) = residual.take(&["resources"]) {
            let folder = folder_of(&wanted.path);
            let key = match table.last() {
                Some(&"config_kustomization") => "config_resources",
                _ => "resources",
            };
            let all: Vec<String> = listed
                .as_list()
                .unwrap_or_default()
                .iter()
                .filter_map(Node::as_str)
                .map(str::to_owned)
                .collect();
            let is_made = |entry: &String| {
                let path = join_within(folder, entry);
                path.is_some_and(|path| compiled.files.iter().any(|file| file.path == path))
            };
            let own: Vec<String> = all
                .iter()
                .filter(|entry| !is_made(entry))
                .cloned()
                .collect();
            // First only the user's own entries are tried. If the order differs, all of them.
            let tried = given
                .iter()
                .any(|(at, list)| *at == wanted.at && *list == own);
            let entries = if tried || own.is_empty() {
                all
            } else {
                own.clone()
            };
            given.push((wanted.at, own));
            config.set(&["extra", key], list(entries));
        }
        if !residual.over.is_empty() {
            merge(config, table, Node::new(Kind::Map(residual.over), None));
        }
    }
}

/// A rendered object and its file.
pub struct RenderedObject {
    /// Its file.
    pub path: String,
    /// The object, without nulls.
    pub node: Node,
}

/// The rendered object for an existing one.
pub fn made(compiled: &Compiled, door: &FrontDoor, wanted: &FoundObject) -> Option<RenderedObject> {
    let object = object(compiled, door, wanted)?;
    Some(RenderedObject {
        path: object.file.clone(),
        node: meaning::plain(&object.file, &object.node),
    })
}

/// The same object with its places in `cluster.toml`.
pub fn origins<'a>(
    compiled: &'a Compiled,
    door: &FrontDoor,
    wanted: &FoundObject,
) -> Option<&'a Node> {
    object(compiled, door, wanted)?.origins.as_ref()
}

fn object<'a>(
    compiled: &'a Compiled,
    door: &FrontDoor,
    wanted: &FoundObject,
) -> Option<&'a Object> {
    let is_same = |path: &str, node: &Node| {
        if wanted.is_kustomization() {
            return path == wanted.path;
        }
        super::files::below(&door.place.app, path).is_some()
            && text(node, &["kind"]) == wanted.kind()
            && group_of(node) == group_of(&wanted.node)
            && text(node, &["metadata", "name"]) == wanted.name()
    };
    let mut all = compiled
        .objects
        .iter()
        .filter(|object| is_same(&object.file, &object.node));
    let first = all.clone().next();
    // If there are several, the one in the same file.
    all.find(|object| object.file == wanted.path).or(first)
}

/// Merges a tree into the value at a path.
pub(super) fn merge(config: &mut Config, path: &[&str], over: Node) {
    let mut node = config.take(path).unwrap_or_else(Node::map);
    manifest::value::merge::merge(&mut node, over);
    config.set(path, node);
}

/// Adds the differences of an object to its table.
fn lay_over(config: &mut Config, table: &[&str], mut residual: Residual) {
    let below = |key: &str| -> Vec<String> {
        table
            .iter()
            .copied()
            .chain([key])
            .map(str::to_owned)
            .collect()
    };
    for key in ["labels", "annotations"] {
        let texts = residual.take(&["metadata", key]);
        let Some(texts) = texts else { continue };
        let all_text = texts
            .as_map()
            .is_some_and(|map| map.iter().all(|(_, value)| value.as_str().is_some()));
        let target: Vec<String> = match all_text {
            true => below(key),
            false => below("object")
                .into_iter()
                .chain(["metadata".to_owned(), key.to_owned()])
                .collect(),
        };
        let target: Vec<&str> = target.iter().map(String::as_str).collect();
        merge(config, &target, texts);
    }
    if let Some(spec) = residual.take(&["spec"]) {
        let path = below("spec");
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match spec.as_map() {
            Some(_) => merge(config, &path, spec),
            None => config.set(&path, spec),
        }
    }
    if !residual.over.is_empty() {
        let path = below("object");
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        merge(config, &path, Node::new(Kind::Map(residual.over), None));
    }
    if !residual.remove.is_empty() {
        let path = below("remove");
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let mut all: Vec<String> = match config.get(&path).map(|node| &node.kind) {
            Some(Kind::List(items)) => items
                .iter()
                .filter_map(Node::as_str)
                .map(str::to_owned)
                .collect(),
            Some(Kind::String(text)) => vec![text.clone()],
            _ => Vec::new(),
        };
        all.extend(residual.remove.iter().map(Pointer::to_string));
        config.set(&path, super::config::texts(all));
    }
}

/// Moves differences in listeners with the same names to the tables of the listeners.
fn listeners(
    config: &mut Config,
    table: &[&str],
    residual: &mut Residual,
    made: &Node,
    wanted: &Node,
) {
    let of = |node: &Node| -> Vec<Node> {
        let all = node.path(&["spec", "listeners"]).and_then(Node::as_list);
        all.unwrap_or_default().to_vec()
    };
    let (made, wanted) = (of(made), of(wanted));
    let names = |all: &[Node]| -> Vec<String> {
        all.iter()
            .map(|one| text(one, &["name"]).to_owned())
            .collect()
    };
    let (Some(gateway), true) = (
        table.last(),
        names(&made) == names(&wanted) && !made.is_empty(),
    ) else {
        return;
    };
    if residual.take(&["spec", "listeners"]).is_none() {
        return;
    }
    for (at, (made, wanted)) in made.iter().zip(&wanted).enumerate() {
        let own = Residual::between(made, wanted);
        if !own.over.is_empty() {
            let path = [
                "gateways",
                gateway,
                "listeners",
                text(wanted, &["name"]),
                "spec",
            ];
            merge(config, &path, Node::new(Kind::Map(own.over), None));
        }
        let here = Pointer::root().key("spec").key("listeners").index(at);
        residual.remove.extend(own.remove.iter().map(|pointer| {
            pointer
                .steps()
                .iter()
                .fold(here.clone(), |path, step| path.step(step.clone()))
        }));
    }
}

/// The rendered objects that didn't exist before, by file.
pub fn added(compiled: &Compiled, door: &FrontDoor) -> BTreeMap<String, Vec<Node>> {
    let mut added: BTreeMap<String, Vec<Node>> = BTreeMap::new();
    for object in &compiled.objects {
        if super::files::below(&door.place.app, &object.file).is_none() {
            continue;
        }
        let node = meaning::plain(&object.file, &object.node);
        let is_there = door.objects.iter().any(|found| {
            let same = found.kind() == text(&node, &["kind"])
                && group_of(&found.node) == group_of(&node)
                && found.name() == text(&node, &["metadata", "name"]);
            match found.is_kustomization() {
                true => found.path == object.file,
                false => same,
            }
        });
        if !is_there {
            added.entry(object.file.clone()).or_default().push(node);
        }
    }
    added
}
