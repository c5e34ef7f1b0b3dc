//! Manifests from files, folders and standard input.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rayon::prelude::*;

use super::walk::{Why, walk};
use crate::diagnostic::{Code, Diagnostic, Severity, SourceId, Sources};
use crate::manifest::read::{self, LARGEST_FILE, Piece};
use crate::manifest::{Object, items};

/// What was read.
#[derive(Default)]
pub struct Manifests {
    /// How many files.
    pub files: usize,
    /// The files that were met, read or not, as findings name them.
    pub names: BTreeSet<String>,
    /// The objects.
    pub objects: Vec<Object>,
    /// What is wrong with the files themselves.
    pub diagnostics: Vec<Diagnostic>,
    /// What was not looked at in folders, and why.
    pub passed_over: Vec<(PathBuf, Why)>,
}

/// A file to be read.
struct Input {
    /// Where it is; `None` is standard input.
    path: Option<PathBuf>,
    /// The path as findings name it.
    name: String,
    /// Whether somebody named it, so that it must be a manifest; otherwise it was met in a folder.
    named: bool,
}

/// Reads paths: files, folders (walked in order), `-` for standard input. With both cores, in the order of the paths.
///
/// # Errors
/// Where a path isn't there or can't be read.
pub fn read_all(paths: &[PathBuf], sources: &mut Sources) -> anyhow::Result<Manifests> {
    let mut all = Manifests::default();
    let inputs = all.inputs(paths)?;
    all.files = inputs.len();
    let texts: Vec<anyhow::Result<Vec<u8>>> = inputs.par_iter().map(bytes).collect();
    let mut read = Vec::with_capacity(inputs.len());
    for (input, bytes) in inputs.iter().zip(texts) {
        match text(&input.name, bytes?) {
            Ok(text) => read.push((input, sources.add(&*input.name, text))),
            Err(problem) => all.diagnostics.push(*problem),
        }
    }
    all.documents(&read, sources);
    Ok(all)
}

impl Manifests {
    /// The files that paths mean.
    fn inputs(&mut self, paths: &[PathBuf]) -> anyhow::Result<Vec<Input>> {
        let mut inputs = Vec::new();
        for path in paths {
            let named = |path: &Path| Input {
                path: Some(path.to_owned()),
                name: shown(path),
                named: true,
            };
            if path.as_os_str() == "-" {
                inputs.push(Input {
                    path: None,
                    name: "<stdin>".to_owned(),
                    named: true,
                });
            } else if path.is_dir() {
                let walked =
                    walk(path).with_context(|| format!("{}: can't be walked", path.display()))?;
                self.names
                    .extend(walked.files.iter().map(|file| shown(file)));
                self.passed_over.extend(walked.passed_over);
                let manifests = walked.files.iter().filter(|file| is_manifest(file));
                inputs.extend(manifests.map(|file| Input {
                    named: false,
                    ..named(file)
                }));
            } else if path.exists() {
                self.names.insert(shown(path));
                inputs.push(named(path));
            } else {
                bail!("{}: there is no such file or folder", path.display());
            }
        }
        Ok(inputs)
    }

    /// Reads the documents of all files. They are shared out one by one, so that a single large file keeps
    /// both cores busy too.
    fn documents(&mut self, files: &[(&Input, SourceId)], sources: &Sources) {
        let split: Vec<_> = files
            .par_iter()
            .map(|(_, source)| read::pieces(sources, *source))
            .collect();
        let mut pieces: Vec<(&Input, SourceId, Piece)> = Vec::new();
        for ((input, source), (of_file, problem)) in files.iter().zip(split) {
            self.diagnostics.extend(problem);
            pieces.extend(of_file.into_iter().map(|piece| (*input, *source, piece)));
        }
        let parsed: Vec<_> = pieces
            .par_iter()
            .map(|(_, source, piece)| read::read_piece(sources, *source, piece))
            .collect();
        for ((input, ..), parsed) in pieces.iter().zip(parsed) {
            match parsed {
                Ok(None) => {}
                Ok(Some(document)) => self.objects_of(input, document.node),
                Err(problem) => self.diagnostics.push(problem.diagnostic()),
            }
        }
    }

    fn objects_of(&mut self, input: &Input, node: crate::value::Node) {
        let object = |node| Object {
            node,
            origins: None,
            file: input.name.clone(),
        };
        let document = object(node);
        // In a folder there is other YAML too: values for charts, settings of tools.
        if !input.named && document.api_version().is_empty() && document.kind().is_empty() {
            self.diagnostics.push(
                Diagnostic::new(Code::YamlNotAnObject, "no Kubernetes object: not checked")
                    .at(document.node.span)
                    .in_file(&document.file)
                    .severity(Severity::Note),
            );
            return;
        }
        if items(&document.node)
            .next()
            .is_some_and(|first| std::ptr::eq(first, &raw const document.node))
        {
            self.objects.push(document);
        } else {
            self.objects
                .extend(items(&document.node).cloned().map(object));
        }
    }

    /// Says what was not looked at: how much, or with `each` what.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn tell_passed_over(&self, each: bool, out: &mut dyn Write) -> std::io::Result<()> {
        // What is Git's own holds no manifest of anybody, nor do files of other kinds.
        let may_hold =
            |path: &Path| is_manifest(path) || (path.is_dir() && !path.ends_with(".git"));
        let told: Vec<_> = self
            .passed_over
            .iter()
            .filter(|(path, _)| may_hold(path))
            .collect();
        if told.is_empty() {
            return Ok(());
        }
        if each {
            for (path, why) in told {
                writeln!(out, "passed over {}: {}", shown(path), why.as_str())?;
            }
            return Ok(());
        }
        let ignored = told.iter().filter(|(_, why)| *why == Why::Ignored).count();
        writeln!(
            out,
            "passed over {} in folders, {ignored} of them for a .gitignore; --verbose names each",
            told.len()
        )
    }
}

fn bytes(input: &Input) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = match &input.path {
        None => std::io::stdin()
            .lock()
            .take(LARGEST_FILE + 1)
            .read_to_end(&mut bytes),
        Some(path) => std::fs::File::open(path)
            .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes)),
    };
    read.with_context(|| format!("{}: can't be read", input.name))?;
    Ok(bytes)
}

fn text(name: &str, bytes: Vec<u8>) -> Result<String, Box<Diagnostic>> {
    if bytes.len() as u64 > LARGEST_FILE {
        let message = format!("{name} has more than {LARGEST_FILE} bytes");
        let problem = Diagnostic::new(Code::ConfigTooLarge, message)
            .in_file(name)
            .why("it was not read: no object that the API server takes is that large")
            .help("leave the file out, or split it");
        return Err(Box::new(problem));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let problem = Diagnostic::new(Code::YamlSyntax, format!("byte {at} is no UTF-8"))
            .in_file(name)
            .why("kustomize and Flux stop at this file")
            .help("save the file as UTF-8");
        Box::new(problem)
    })
}

/// A path as findings name it.
fn shown(path: &Path) -> String {
    let shown = path.to_string_lossy().replace('\\', "/");
    shown.trim_start_matches("./").to_owned()
}

fn is_manifest(path: &Path) -> bool {
    let ending = path
        .extension()
        .map(|ending| ending.to_string_lossy().to_lowercase());
    matches!(ending.as_deref(), Some("yaml" | "yml" | "json"))
}
