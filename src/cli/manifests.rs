//! Manifests from files, folders and standard input.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use walkdir::WalkDir;

use crate::diagnostic::{Code, Diagnostic, Severity, SourceId, Sources};
use crate::manifest::read::LARGEST_FILE;
use crate::manifest::{Object, read};

/// What was read.
#[derive(Default)]
pub struct Manifests {
    /// How many files.
    pub files: usize,
    /// The files that were met, read or not, as findings name them.
    pub names: BTreeSet<String>,
    /// The texts that were read, manifests and scripts, by name.
    pub texts: BTreeMap<String, SourceId>,
    /// The objects.
    pub objects: Vec<Object>,
    /// What is wrong with the files themselves.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads paths: files, folders (walked in order, hidden ones left out), `-` for standard input.
///
/// # Errors
/// Where a path isn't there or can't be read.
pub fn read_all(paths: &[PathBuf], sources: &mut Sources) -> anyhow::Result<Manifests> {
    let mut all = Manifests::default();
    for path in paths {
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            std::io::stdin()
                .lock()
                .take(LARGEST_FILE + 1)
                .read_to_end(&mut bytes)
                .context("standard input can't be read")?;
            all.text("<stdin>", bytes, true, sources);
        } else if path.is_dir() {
            for entry in WalkDir::new(path)
                .sort_by_file_name()
                .into_iter()
                .filter_entry(is_visible)
            {
                let entry =
                    entry.with_context(|| format!("{}: can't be walked", path.display()))?;
                if !entry.file_type().is_file() {
                    continue;
                }
                all.names.insert(shown(entry.path()));
                if is_manifest(entry.path()) {
                    all.file(entry.path(), false, sources)?;
                } else if is_script(entry.path()) {
                    all.script(entry.path(), sources)?;
                }
            }
        } else if path.exists() {
            all.file(path, true, sources)?;
        } else {
            bail!("{}: there is no such file or folder", path.display());
        }
    }
    Ok(all)
}

/// A path as findings name it.
fn shown(path: &Path) -> String {
    let shown = path.to_string_lossy().replace('\\', "/");
    shown.trim_start_matches("./").to_owned()
}

fn is_visible(entry: &walkdir::DirEntry) -> bool {
    entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.')
}

fn is_manifest(path: &Path) -> bool {
    let ending = path
        .extension()
        .map(|ending| ending.to_string_lossy().to_lowercase());
    matches!(ending.as_deref(), Some("yaml" | "yml" | "json"))
}

/// Whether a file holds a script that a ConfigMap may be made of.
fn is_script(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy());
    matches!(ending.as_deref(), Some("lua" | "sh" | "js" | "py"))
}

/// A file's bytes: a byte more than the largest that is read, where there are more.
fn bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
        .with_context(|| format!("{}: can't be read", shown(path)))?;
    Ok(bytes)
}

impl Manifests {
    fn file(&mut self, path: &Path, named: bool, sources: &mut Sources) -> anyhow::Result<()> {
        let shown = shown(path);
        self.names.insert(shown.clone());
        self.text(&shown, bytes(path)?, named, sources);
        Ok(())
    }

    /// A script is no manifest: one that can't be read as text is left to who uses it.
    fn script(&mut self, path: &Path, sources: &mut Sources) -> anyhow::Result<()> {
        let bytes = bytes(path)?;
        if bytes.len() as u64 <= LARGEST_FILE
            && let Ok(text) = String::from_utf8(bytes)
        {
            let shown = shown(path);
            self.texts.insert(shown.clone(), sources.add(shown, text));
        }
        Ok(())
    }

    fn text(&mut self, name: &str, bytes: Vec<u8>, named: bool, sources: &mut Sources) {
        self.files += 1;
        if bytes.len() as u64 > LARGEST_FILE {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::ConfigTooLarge,
                    format!("{name} has more than {LARGEST_FILE} bytes"),
                )
                .in_file(name)
                .why("it was not read: no object that the API server takes is that large")
                .help("leave the file out, or split it"),
            );
            return;
        }
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                self.diagnostics.push(
                    Diagnostic::new(Code::YamlSyntax, format!("byte {at} is no UTF-8"))
                        .in_file(name)
                        .why("kustomize and Flux stop at this file")
                        .help("save the file as UTF-8"),
                );
                return;
            }
        };
        let source = sources.add(name, text);
        self.texts.insert(name.to_owned(), source);
        let (documents, problems) = read::read(sources, source);
        self.diagnostics.extend(problems);
        for document in documents {
            let object = Object {
                node: document.node,
                origins: None,
                file: name.to_owned(),
            };
            // In a folder there is other YAML too: values for charts, settings of tools.
            if !named && object.api_version().is_empty() && object.kind().is_empty() {
                self.diagnostics.push(
                    Diagnostic::new(Code::YamlNotAnObject, "no Kubernetes object: not checked")
                        .at(object.node.span)
                        .in_file(name)
                        .severity(Severity::Note),
                );
                continue;
            }
            self.objects.push(object);
        }
    }
}
