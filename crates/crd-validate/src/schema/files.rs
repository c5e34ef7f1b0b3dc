//! Reads and writes whole catalogues, for `schemas import` and `schemas verify`.

use std::collections::BTreeMap;

use super::catalogue::Catalogue;
use super::compiled::Compiled;
use super::import::{self, Keep};
use super::lock::{Lock, Locked, sha256};
use super::openapi;
use super::set::{Set, plain};
use super::values;
use crate::codes;
use manifest::diagnostic::{Diagnostic, Sources, Span};
use manifest::value::Node;

/// A file of CRDs, or an OpenAPI document, to import.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its path, as messages show it.
    pub path: String,
    /// Its contents.
    pub text: String,
    /// The set of its kinds; `None` if it is not given, which is an error if the file contains a CRD.
    pub set: Option<Set>,
}

/// The result of an import.
#[derive(Debug, Default)]
pub struct Imported {
    /// The compiled files, by path below the root of the catalogue, and the new `lock.json` at the end.
    pub files: Vec<(String, Vec<u8>)>,
    /// What could not be imported, and why.
    pub problems: Vec<Diagnostic>,
    /// The texts that the problems refer to.
    pub sources: Sources,
}

/// The name of the list of files.
pub const LOCK: &str = "lock.json";

/// Compiles the CRDs and OpenAPI documents in files, and updates the list. Other documents are skipped.
///
/// # Errors
/// If the list can't be written.
/// If the list can't be written.
pub fn import(inputs: &[Input], mut lock: Lock, keep: Keep) -> Result<Imported, serde_json::Error> {
    let mut imported = Imported::default();
    let mut files = BTreeMap::new();
    for input in inputs {
        let id = imported.sources.add(&input.path, input.text.as_str());
        let (documents, problems) = manifest::read(&imported.sources, id);
        imported.problems.extend(problems);
        let holds_kinds = |node: &&Node| import::is_crd(node) || openapi::is_openapi(node);
        let objects = documents.iter().flat_map(|it| manifest::items(&it.node));
        for document in objects.filter(holds_kinds) {
            match compile(input, document, keep) {
                Ok(compiled) => {
                    let (listed, texts): (Vec<Locked>, Vec<_>) = compiled.into_iter().unzip();
                    let paths = listed.iter().map(|file| file.path.clone());
                    files.extend(paths.zip(texts));
                    lock.add(listed);
                }
                Err(problem) => imported.problems.push(*problem),
            }
        }
    }
    imported.files.extend(files);
    let list = lock.to_text()?.into_bytes();
    imported.files.push((LOCK.to_owned(), list));
    Ok(imported)
}

/// The compiled files of a document, each with its entry in the list: one for a CRD, many for an OpenAPI document.
fn compile(
    input: &Input,
    document: &Node,
    keep: Keep,
) -> Result<Vec<(Locked, Vec<u8>)>, Box<Diagnostic>> {
    let problem = |message: String| {
        Diagnostic::new(codes::SCHEMA_UNREADABLE, message)
            .why("the kind stays unknown, so its objects are not checked")
    };
    let Some(set) = &input.set else {
        let message =
            "the file's folders don't say which project and version it belongs to".to_owned();
        return Err(Box::new(problem(message).at(document.span).help(
            "arrange the files as PROJECT/VERSION/FILE, or use --project and --version",
        )));
    };
    let unreadable = |error: &dyn std::error::Error, span: Option<Span>, help: &str| {
        Box::new(problem(error.to_string()).at(span).help(help))
    };
    let texts = if import::is_crd(document) {
        let help = "import the CustomResourceDefinition in the form that its project releases";
        let compiled = import::compile(document, keep);
        vec![compiled.map_err(|error| unreadable(&error, error.span(document), help))?]
    } else {
        let help = "use the output of `kubectl get --raw /openapi/v2`, or `api/openapi-spec/swagger.json` of \
                    Kubernetes' source";
        openapi::compile(document, keep).map_err(|error| unreadable(&error, document.span, help))?
    };
    let source_sha256 = sha256(input.text.as_bytes());
    let files = texts.into_iter();
    Ok(files
        .map(|text| (locked(input, set, &source_sha256, &text), text.into_bytes()))
        .collect())
}

fn locked(input: &Input, set: &Set, source_sha256: &str, text: &str) -> Locked {
    let name = Compiled::read(text.to_owned())
        .map(|compiled| {
            let header = compiled.header();
            match header.group.as_str() {
                "" => header.plural.clone(),
                group => format!("{group}_{}", header.plural),
            }
        })
        .unwrap_or_default();
    let source = input.path.rsplit('/').next().unwrap_or(&input.path);
    let path = format!("{}/{}.json", set.folder(), plain(&name));
    Locked::new(set, path, text, source, source_sha256)
}

/// How a file differs from the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Its hash differs.
    Changed(String),
    /// It is listed but doesn't exist.
    Missing(String),
    /// It exists but is not listed.
    Unlisted(String),
    /// It has the right hash but can't be parsed.
    Unreadable(String, String),
}

/// Compares files with the list, and parses all of them.
pub fn verify<'a>(
    lock: &Lock,
    files: impl IntoIterator<Item = (&'a str, Option<String>)>,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for (path, text) in files {
        seen.insert(path);
        let name = path.to_owned();
        differences.extend(match (lock.get(path), text) {
            (None, _) => Some(Difference::Unlisted(name)),
            (Some(_), None) => Some(Difference::Changed(name)),
            (Some(listed), Some(text)) if listed.sha256 != sha256(text.as_bytes()) => {
                Some(Difference::Changed(name))
            }
            (Some(listed), Some(_)) if listed.project == values::PROJECT => None,
            (Some(_), Some(text)) => Compiled::read(text)
                .and_then(|compiled| compiled.check())
                .err()
                .map(|error| Difference::Unreadable(name, error.to_string())),
        });
    }
    let missing = lock.files().iter().map(|file| &file.path);
    differences.extend(
        missing
            .filter(|path| !seen.contains(path.as_str()))
            .map(|path| Difference::Missing(path.clone())),
    );
    differences
}

/// One set, as a row of `schemas list`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The project, version and channel.
    pub set: Set,
    /// Whether the user imported it.
    pub is_own: bool,
    /// Its kinds, in alphabetical order.
    pub kinds: Vec<String>,
}

/// The sets of a catalogue, by project, version and channel.
pub fn rows(catalogue: &Catalogue) -> Vec<Row> {
    let mut by_set: BTreeMap<(&Set, bool), Vec<String>> = BTreeMap::new();
    for entry in catalogue.entries() {
        let is_own = entry.own_path().is_some();
        let kinds = by_set.entry((&entry.set, is_own)).or_default();
        kinds.push(entry.kind.to_string());
    }
    by_set
        .into_iter()
        .map(|((set, is_own), mut kinds)| {
            kinds.sort();
            kinds.dedup();
            Row {
                set: set.clone(),
                is_own,
                kinds,
            }
        })
        .collect()
}
