//! A tree that exists to the `cluster.toml` that renders it again, with the proof.
//!
//! [`find`] tells where the front door is by its objects; [`door`] reads them. [`lift`] makes intents of them, one
//! file a part of `cluster.toml`, the inverse of the templates. What no intent says is found by [`prove`]: it renders
//! in memory, compares, and lays what differs over the object ([`residual`]), until nothing differs. An object that
//! is nobody's business here is kept in its file; one that shares a file with what is rendered is written out in full
//! (`extra.objects`). [`toml`] writes it all as a person would. [`comments`] come along where another tool reads
//! them. Pure: it is given files by path.

pub mod comments;
pub mod config;
pub mod door;
pub mod files;
pub mod find;
pub mod layout;
pub mod lift;
pub mod prove;
pub mod report;
pub mod residual;
pub mod template;
pub mod toml;

use std::collections::BTreeSet;
use std::fmt;

use crate::compile::{Compiled, check_all, compile};
use crate::diagnostic::{Diagnostic, ObjectRef, Sources};
use crate::diff::{self, FieldDiff};
use crate::manifest::Object;
use crate::schema::Catalogue;
use crate::value::{Kind, Node};

use config::text;
use door::{Door, Found};
use files::{Files, Reader, is_manifest};
use lift::{Lifted, Slot};
use prove::{Proof, Prover};

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

/// Why nothing could be imported.
#[derive(Debug)]
pub enum Failure {
    /// There is no Gateway of Envoy Gateway at or below this folder.
    NoGateway(String),
    /// There are several front doors.
    Several(Vec<String>),
    /// A file of the front door can't be read: its path, and why.
    Unreadable(String, String),
    /// None of the Gateways of this folder can be made by `cluster.toml`.
    NoneMade(String),
    /// A kustomization has one of its other names.
    Name(String),
    /// Files of the front door are no YAML.
    Broken(Vec<Diagnostic>),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NoGateway(folder) => {
                let place = match folder.as_str() {
                    "" => "here".to_owned(),
                    folder => format!("in {folder}"),
                };
                write!(
                    f,
                    "there is no Gateway of Envoy Gateway {place}\n  help: give the repository's folder, or the \
                     one with the Gateway; hidden folders and files that aren't .yaml or .yml are not looked at"
                )
            }
            Failure::Several(folders) => {
                write!(f, "there are several front doors:")?;
                for folder in folders {
                    write!(f, "\n  {folder}")?;
                }
                write!(
                    f,
                    "\n  help: choose one with `--path {}`",
                    folders.first().map_or("", String::as_str)
                )
            }
            Failure::Unreadable(path, why) => write!(
                f,
                "{path}: {why}\n  help: it belongs to the front door; nothing is imported until it can be read"
            ),
            Failure::NoneMade(folder) => write!(
                f,
                "{folder}: none of its Gateways can be taken over\n  help: a kustomization has to list them; their \
                 names can't hold Flux variables, and their namespace is the one that Flux puts them in"
            ),
            Failure::Name(path) => write!(
                f,
                "{path}: `render` writes a kustomization.yaml beside it, and kustomize refuses a folder with two\n  \
                 help: rename it to kustomization.yaml, then import"
            ),
            Failure::Broken(problems) => {
                write!(
                    f,
                    "{} of the front door's files can't be read as YAML",
                    problems.len()
                )
            }
        }
    }
}

impl std::error::Error for Failure {}

/// How often an import starts over without what it couldn't make.
const ATTEMPTS: usize = 8;

/// Imports the front door at or below `wanted` (empty: anywhere).
///
/// # Errors
/// Where there is none, or several, or one of its files can't be read. The sources are those that findings point into.
pub fn import(
    files: &Files,
    wanted: &str,
    catalogue: &Catalogue,
) -> Result<Import, (Failure, Sources)> {
    let mut reader = Reader::new(files);
    match import_with(&mut reader, wanted, catalogue) {
        Ok(import) => Ok(import),
        Err(failure) => Err((failure, reader.sources)),
    }
}

fn import_with(
    reader: &mut Reader,
    wanted: &str,
    catalogue: &Catalogue,
) -> Result<Import, Failure> {
    let (place, fluxes) = match find::find(reader, wanted) {
        // It may be in what can't be read.
        Err(Failure::NoGateway(folder)) => return Err(find::unread(reader, &folder)),
        found => found?,
    };
    let chart = find::chart_version(reader);
    let door = door::read(reader, place, &fluxes)?;
    let files = reader.files;
    let prover = Prover {
        door: &door,
        files,
        catalogue,
    };
    let mut out: BTreeSet<usize> = BTreeSet::new();
    let mut attempts = 0;
    let (lifted, full, proof) = loop {
        attempts += 1;
        let mut lifted = lift::lift(&door, &out, files, catalogue, chart.as_deref());
        let (full, unsayable) = in_full(&door, &lifted);
        if !unsayable.is_empty() && attempts < ATTEMPTS {
            out.extend(unsayable);
            continue;
        }
        write_in_full(&mut lifted, &door, &full);
        list_all(&mut lifted, &door, &full);
        let proof = prover.prove(&lifted);
        let failed: Vec<usize> = proof
            .different
            .iter()
            .filter_map(|at| lifted.slots.get(*at))
            .map(|slot| slot.object)
            .filter(|object| {
                !door
                    .objects
                    .get(*object)
                    .is_some_and(Found::is_kustomization)
            })
            .chain(incomplete(&prover, &lifted, &proof))
            .filter(|object| !out.contains(object))
            .collect();
        if failed.is_empty() || attempts >= ATTEMPTS {
            break (lifted, full, proof);
        }
        out.extend(failed);
    };
    let is_gateway = |slot: &Slot| slot.form == lift::Form::Gateway;
    if !lifted.slots.iter().any(is_gateway) {
        return Err(Failure::NoneMade(door.place.app.clone()));
    }
    let proof = match prove::hoisted(&proof.config, &lifted.slots) {
        Some(config) => {
            let hoisted = prover.compare(config, &lifted);
            let is_as_good = hoisted.different.is_subset(&proof.different);
            if is_as_good { hoisted } else { proof }
        }
        None => proof,
    };
    Ok(outcome(&prover, &lifted, &full, proof, reader))
}

/// Flux Kustomizations that are not whole as they stand: a patch elsewhere fills in what they lack (their
/// source, say). Written from here they would be refused.
fn incomplete(prover: &Prover, lifted: &Lifted, proof: &Proof) -> Vec<usize> {
    let is_flux = |slot: &&Slot| slot.table.first().is_some_and(|table| table == "flux");
    let slots = lifted.slots.iter().filter(is_flux);
    let objects: Vec<usize> = slots.map(|slot| slot.object).collect();
    let rendered = proof
        .compiled
        .objects
        .iter()
        .filter(|object| object.kind() == "Kustomization" && object.group() == files::FLUX);
    let rendered: Vec<Object> = rendered.cloned().collect();
    let found = check_all(&rendered, prover.catalogue, &proof.compiled.selection);
    match found.iter().any(Diagnostic::is_error) {
        true => objects,
        false => Vec::new(),
    }
}

/// The objects that share a file with what is rendered, and are made by no table. Those objects of a file are given
/// back apart of which one can't be said in TOML: the file has to stay as it is.
fn in_full(door: &Door, lifted: &Lifted) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let slots: BTreeSet<usize> = lifted.slots.iter().map(|slot| slot.object).collect();
    let ours: BTreeSet<&str> = slots
        .iter()
        .filter_map(|at| door.objects.get(*at))
        .map(|found| found.path.as_str())
        .collect();
    let (mut full, mut unsayable) = (BTreeSet::new(), BTreeSet::new());
    for (at, found) in door.objects.iter().enumerate() {
        if slots.contains(&at) || !ours.contains(found.path.as_str()) {
            continue;
        }
        // One without a name is no object: what it is the same as can't be told.
        let is_one = !found.name().is_empty() && !found.kind().is_empty();
        if is_one && toml::can_say(&found.node) && !found.sealed {
            full.insert(at);
        } else {
            let others = door.objects.iter().enumerate();
            unsayable.extend(
                others
                    .filter(|(_, other)| other.path == found.path)
                    .map(|(at, _)| at),
            );
        }
    }
    (full, unsayable)
}

fn write_in_full(lifted: &mut Lifted, door: &Door, full: &BTreeSet<usize>) {
    let objects = full
        .iter()
        .filter_map(|at| door.objects.get(*at))
        .filter_map(|found| {
            let path = door.from_app(&found.path)?;
            let folder = files::name_of(&door.place.folder);
            let file = files::below(folder, path)
                .filter(|file| !file.contains('/'))
                .unwrap_or(path);
            let mut node = Node::map();
            let map = node.as_map_mut()?;
            map.insert("file", text(file));
            for (key, value) in found.node.as_map()?.iter() {
                map.insert(key, Node::from_json(value.to_json()));
            }
            Some(node)
        });
    let objects: Vec<Node> = objects.collect();
    if !objects.is_empty() {
        lifted
            .config
            .set(&["extra", "objects"], Node::new(Kind::List(objects), None));
    }
}

/// Where a folder has no kustomization Flux takes all files; the one that is rendered lists them.
fn list_all(lifted: &mut Lifted, door: &Door, full: &BTreeSet<usize>) {
    let ours: BTreeSet<usize> = lifted
        .slots
        .iter()
        .map(|slot| slot.object)
        .chain(full.iter().copied())
        .collect();
    let ours: BTreeSet<&str> = ours
        .into_iter()
        .filter_map(|at| door.objects.get(at))
        .map(|found| found.path.as_str())
        .collect();
    let keys = ["resources", "config_resources"];
    for (folder, key) in door.folders().zip(keys) {
        if door
            .objects
            .iter()
            .any(|found| found.path == files::join(folder, "kustomization.yaml"))
        {
            continue;
        }
        let mut entries: Vec<String> = Vec::new();
        for found in door
            .objects
            .iter()
            .filter(|found| !ours.contains(found.path.as_str()))
        {
            let Some(path) = files::below(folder, &found.path) else {
                continue;
            };
            // A folder with a kustomization of its own is taken as a whole.
            let entry = match path.split_once('/') {
                Some((sub, _)) if has_kustomization(door, &files::join(folder, sub)) => {
                    format!("./{sub}")
                }
                _ => format!("./{path}"),
            };
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
        if !entries.is_empty() {
            lifted.config.set(&["extra", key], config::list(entries));
        }
        lifted.notes.push(format!(
            "{folder} has no kustomization.yaml: Flux makes one of all files; the one that is rendered lists them"
        ));
    }
}

fn has_kustomization(door: &Door, folder: &str) -> bool {
    let path = files::join(folder, "kustomization.yaml");
    door.objects.iter().any(|found| found.path == path)
}

fn outcome(
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
    let compiled = compile("cluster.toml", &config, prover.files, prover.catalogue);
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
    let added = added.filter(|(file, _)| !door::is_kustomization(file));
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
    let object = |node: &Node| Object {
        node: node.clone(),
        origins: None,
        file: found.path.clone(),
    };
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
