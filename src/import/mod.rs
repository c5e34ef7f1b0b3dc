//! Imports an existing tree: writes the `cluster.toml` that renders it again, and proves that it does.
//!
//! [`find`] recognizes the front door by its objects, [`delivery`] finds out what applies it, and [`door`] reads them. [`lift`] turns them into settings; it
//! has a file for each part of `cluster.toml`, and is the inverse of the templates. [`prove`] finds what no setting
//! expresses: it renders in memory, compares, and adds the differences to each object ([`residual`]) until there are
//! none. Settings that several objects have in common are moved to one place ([`hoist`]). Objects that `cluster.toml`
//! has no table for are kept in their files; if such a file also has rendered objects, they are written out
//! completely (`extra.objects`). Front doors of several clusters become one description ([`clusters`]). [`toml`] writes the configuration as a person would. [`comments`] keeps comments
//! that other tools read. All of this is pure: the files are passed by path.

pub mod clusters;
pub mod comments;
pub mod config;
pub mod delivery;
pub mod door;
pub mod failure;
pub mod files;
pub mod find;
pub mod hoist;
pub mod layout;
pub mod lift;
pub mod outcome;
pub mod prove;
pub mod report;
pub mod residual;
pub mod template;
pub mod toml;

use std::collections::BTreeSet;

use crate::compile::check_all;
use crd_validate::schema::Catalogue;
use manifest::Object;
use manifest::diagnostic::{Diagnostic, Sources};
use manifest::value::{Kind, Node};

use config::text;
use door::{FoundObject, FrontDoor};
use files::{Files, Reader};
use lift::{Lifted, Slot};
use prove::{Proof, Prover};

pub use failure::Failure;
pub use outcome::{Fate, Import, Outcome};

/// How often an import starts again without the objects that it couldn't express.
const ATTEMPTS: usize = 8;

/// Imports the front door at or below `wanted`, or anywhere if that is empty.
///
/// # Errors
/// If there is none, or several, or one of its files can't be read. The sources are those that findings refer to.
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
        // The Gateway may be in a file that can't be read.
        Err(Failure::NoGateway(folder)) => return Err(find::unread(reader, &folder)),
        found => found?,
    };
    let chart = find::chart_version(reader, &place.folder);
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
                    .is_some_and(FoundObject::is_kustomization)
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
    let proof = match hoist::hoisted(&proof.config, &lifted.slots) {
        Some(config) => {
            let hoisted = prover.compare(config, &lifted);
            let is_as_good = hoisted.different.is_subset(&proof.different);
            if is_as_good { hoisted } else { proof }
        }
        None => proof,
    };
    Ok(outcome::outcome(&prover, &lifted, &full, proof, reader))
}

/// Flux Kustomizations that are incomplete by themselves, because a patch elsewhere adds what is missing (their
/// source, for example). They would be refused if they were rendered.
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

/// The objects that no table renders, but that share a file with rendered objects. The second set has the objects of
/// files with an object that TOML can't express, so that these files must stay as they are.
fn in_full(door: &FrontDoor, lifted: &Lifted) -> (BTreeSet<usize>, BTreeSet<usize>) {
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
        // An object without a name can't be compared.
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

fn write_in_full(lifted: &mut Lifted, door: &FrontDoor, full: &BTreeSet<usize>) {
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

/// If a folder has no kustomization, Flux applies all files, so the rendered kustomization lists them.
fn list_all(lifted: &mut Lifted, door: &FrontDoor, full: &BTreeSet<usize>) {
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
        let is_off = lifted.config.get(&["layout", "kustomization"]).is_some();
        if is_off || has_kustomization(door, folder) {
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
            // A folder with its own kustomization is listed as a whole.
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
            "{folder} has no kustomization.yaml, so Flux applies all its files; the rendered kustomization.yaml lists them"
        ));
    }
}

fn has_kustomization(door: &FrontDoor, folder: &str) -> bool {
    let path = files::join(folder, "kustomization.yaml");
    door.objects.iter().any(|found| found.path == path)
}
