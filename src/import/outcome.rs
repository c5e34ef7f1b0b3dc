//! The result of an import for each object.

use std::collections::BTreeSet;

use super::door::{FoundObject, FrontDoor};
use super::files::{self, Reader, is_manifest};
use super::lift::Lifted;
use super::prove::{self, Proof, Prover};
use super::{comments, find};
use crate::compile::{Compiled, compile_each};
use crate::diff::{self, FieldDiff};
use flux_repo::is_kustomization_file;
use manifest::Object;
use manifest::diagnostic::ObjectRef;
use manifest::value::Node;

/// What happens to an object.
#[derive(Clone, Debug)]
pub enum Fate {
    /// It is rendered as it was.
    Generated {
        /// Whether it is written out completely in `cluster.toml`, because there is no table for it.
        in_full: bool,
    },
    /// It stays in its file, for this reason.
    Kept(String),
    /// It would be rendered differently.
    Different(Vec<FieldDiff>),
}

/// An object of the tree, and what happens to it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its file.
    pub file: String,
    /// The object.
    pub object: ObjectRef,
    /// What happens to it.
    pub fate: Fate,
}

/// The result of an import.
pub struct Import {
    /// The text of `cluster.toml`.
    pub config: String,
    /// The folders that it covers.
    pub place: find::FrontDoorFolders,
    /// All objects that existed.
    pub outcomes: Vec<Outcome>,
    /// Objects that would be rendered but didn't exist, by file.
    pub added: Vec<(String, ObjectRef)>,
    /// The comments that are not carried over: file, line, text.
    pub dropped: Vec<(String, usize, String)>,
    /// Notes on what is not supported, or was assumed.
    pub notes: Vec<String>,
    /// The number of lines of YAML that it replaces.
    pub lines: usize,
    /// What it renders, with the findings of `validate`.
    pub compiled: Compiled,
}

impl Import {
    /// The number of objects with this fate.
    pub fn count(&self, is: fn(&Fate) -> bool) -> usize {
        self.outcomes
            .iter()
            .filter(|outcome| is(&outcome.fate))
            .count()
    }

    /// Whether anything would be rendered differently.
    pub fn is_different(&self) -> bool {
        !self.added.is_empty()
            || self
                .outcomes
                .iter()
                .any(|outcome| matches!(outcome.fate, Fate::Different(_)))
    }
}

/// Compares a tree with what a configuration renders, object by object.
pub(super) fn outcome(
    prover: &Prover,
    lifted: &Lifted,
    full: &BTreeSet<usize>,
    proof: Proof,
    reader: &mut Reader,
) -> Import {
    let door = prover.door;
    let made = lifted
        .slots
        .iter()
        .map(|slot| slot.object)
        .chain(full.iter().copied());
    let ours: BTreeSet<&str> = made
        .filter_map(|at| door.objects.get(at))
        .map(|found| found.path.as_str())
        .filter(|path| is_manifest(path))
        .collect();
    let ours: Vec<&str> = ours.into_iter().collect();
    let carried = comments::carry(&ours, door, &proof.compiled, reader);
    let config = comments::with_comments(&proof.text, &carried.over);
    let compiled = compile_each("cluster.toml", &config, prover.files, prover.catalogue);
    let rendered: BTreeSet<&str> = compiled
        .files
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    let mut outcomes = Vec::new();
    for (at, found) in door.objects.iter().enumerate() {
        let made = prove::made(&compiled, door, found);
        let fate = match made.filter(|made| made.path == found.path) {
            Some(made) if made.node == found.node => Fate::Generated {
                in_full: full.contains(&at),
            },
            Some(made) => Fate::Different(fields(found, &made.node)),
            None if rendered.contains(found.path.as_str()) => {
                Fate::Different(fields(found, &Node::map()))
            }
            None => Fate::Kept(why_kept(door, found)),
        };
        outcomes.push(Outcome {
            file: found.path.clone(),
            object: reference(&found.node),
            fate,
        });
    }
    let lines = ours.iter().map(|path| {
        let text = prover.files.texts.get(*path);
        text.map_or(0, |text| text.lines().count())
    });
    // A new kustomization in a folder without one only lists what Flux would apply anyway.
    let added = prove::added(&compiled, door).into_iter();
    let added = added.filter(|(file, _)| !is_kustomization_file(file));
    let added = added.flat_map(|(file, nodes)| {
        let reference = move |node: Node| (file.clone(), reference(&node));
        nodes.into_iter().map(reference)
    });
    let mut notes = door.notes.clone();
    notes.extend(lifted.notes.iter().cloned());
    notes.extend(door.place.others.iter().map(|other| left_out(other)));
    Import {
        place: door.place.clone(),
        outcomes,
        added: added.collect(),
        dropped: carried.dropped,
        notes,
        lines: lines.sum(),
        config,
        compiled,
    }
}

/// The note for a folder with another front door.
pub(super) fn left_out(folder: &str) -> String {
    format!("{folder} also has Gateways; it was not imported, use `--path` to import it separately")
}

fn fields(found: &FoundObject, made: &Node) -> Vec<FieldDiff> {
    let object = |node: &Node| Object::new(node.clone(), found.path.clone());
    diff::fields::compare(&object(&found.node), &object(made), None)
}

fn reference(node: &Node) -> ObjectRef {
    let text = |path: &[&str]| files::text(node, path).to_owned();
    ObjectRef {
        api_version: text(&["apiVersion"]),
        kind: text(&["kind"]),
        namespace: text(&["metadata", "namespace"]),
        name: text(&["metadata", "name"]),
    }
}

/// Why an object stays in its file.
fn why_kept(door: &FrontDoor, found: &FoundObject) -> String {
    let namespace = files::text(&found.node, &["metadata", "namespace"]);
    if !found.listed {
        "no kustomization lists its file, so Flux doesn't apply it".to_owned()
    } else if found.sealed {
        "its file contains secrets".to_owned()
    } else if !namespace.is_empty() && namespace != door.namespace {
        format!("it is in another namespace, {namespace}")
    } else if found.is_kustomization() {
        "another kustomization uses it to list files".to_owned()
    } else if files::is(&found.node, files::FLUX, "Kustomization") {
        "it is incomplete, and something elsewhere adds what is missing".to_owned()
    } else {
        "it doesn't belong to the gateways, or cluster.toml has no table for it".to_owned()
    }
}
