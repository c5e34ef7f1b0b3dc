//! What became of each object.

use std::collections::BTreeSet;

use super::door::{Door, Found};
use super::files::{self, Reader, is_manifest};
use super::lift::Lifted;
use super::prove::{self, Proof, Prover};
use super::{comments, find};
use crate::compile::{Compiled, compile_each};
use crate::diagnostic::ObjectRef;
use crate::diff::{self, FieldDiff};
use crate::manifest::Object;
use crate::resolve::delivery::is_kustomization_file;
use crate::value::Node;

/// What became of an object.
#[derive(Clone, Debug)]
pub enum Fate {
    /// It is rendered as it was.
    Generated {
        /// Whether it is written in full in `cluster.toml`, since no table makes it.
        in_full: bool,
    },
    /// It stays in its file, for this reason.
    Kept(String),
    /// It would be rendered otherwise.
    Different(Vec<FieldDiff>),
}

/// An object of the tree.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its file.
    pub file: String,
    /// The object.
    pub object: ObjectRef,
    /// What became of it.
    pub fate: Fate,
}

/// What an import gives.
pub struct Import {
    /// The text of `cluster.toml`.
    pub config: String,
    /// The folders that it stands for.
    pub place: find::Place,
    /// Each object that was there.
    pub outcomes: Vec<Outcome>,
    /// Objects that would be rendered and weren't there, by file.
    pub added: Vec<(String, ObjectRef)>,
    /// Comments that are not carried over: file, line, text.
    pub dropped: Vec<(String, usize, String)>,
    /// What is not followed, or was taken for granted.
    pub notes: Vec<String>,
    /// How many lines of YAML it stands for.
    pub lines: usize,
    /// What it renders, and what `validate` says about it.
    pub compiled: Compiled,
}

impl Import {
    /// How many objects had this fate.
    pub fn count(&self, is: fn(&Fate) -> bool) -> usize {
        self.outcomes
            .iter()
            .filter(|outcome| is(&outcome.fate))
            .count()
    }

    /// Whether anything would be rendered otherwise than it was.
    pub fn is_different(&self) -> bool {
        !self.added.is_empty()
            || self
                .outcomes
                .iter()
                .any(|outcome| matches!(outcome.fate, Fate::Different(_)))
    }
}

/// Compares a tree with what a proven configuration renders, object by object.
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
    // A kustomization where there was none says what Flux made of the folder's files itself.
    let added = prove::added(&compiled, door).into_iter();
    let added = added.filter(|(file, _)| !is_kustomization_file(file));
    let added = added.flat_map(|(file, nodes)| {
        let reference = move |node: Node| (file.clone(), reference(&node));
        nodes.into_iter().map(reference)
    });
    let mut notes = door.notes.clone();
    notes.extend(lifted.notes.iter().cloned());
    notes.extend(door.place.others.iter().map(|other| {
        format!("{other} has Gateways, too; it is left alone, `--path` imports it by itself")
    }));
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

fn fields(found: &Found, made: &Node) -> Vec<FieldDiff> {
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

/// Why an object stays where it is.
fn why_kept(door: &Door, found: &Found) -> String {
    let namespace = files::text(&found.node, &["metadata", "namespace"]);
    if !found.listed {
        "no kustomization lists its file: Flux doesn't apply it".to_owned()
    } else if found.sealed {
        "its file holds secrets".to_owned()
    } else if !namespace.is_empty() && namespace != door.namespace {
        format!("it is in another namespace, {namespace}")
    } else if found.is_kustomization() {
        "it lists files for another kustomization, and still does".to_owned()
    } else if files::is(&found.node, files::FLUX, "Kustomization") {
        "it is not whole as it stands: something elsewhere fills in what it lacks".to_owned()
    } else {
        "it is not the front door's, or nothing in cluster.toml makes its like".to_owned()
    }
}
