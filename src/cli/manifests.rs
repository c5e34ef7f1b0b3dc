//! Manifests from files, folders and standard input.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use rayon::prelude::*;

use super::walk::{Why, walk};
use crate::bounds::file::{self, Unread};
use crate::check::across::Given;
use crate::diagnostic::printable::printable;
use crate::diagnostic::{Code, Diagnostic, Severity, SourceId, Sources};
use crate::manifest::read::{self, LARGEST_FILE, Piece};
use crate::manifest::{Object, items};
use crate::schema::Selection;

/// What was read.
#[derive(Default)]
pub struct Manifests {
    /// What names leave out: the folder that they count from, where that is not the current one.
    root: PathBuf,
    /// How many files.
    pub files: usize,
    /// The files that were met, read or not, as findings name them.
    pub names: BTreeSet<String>,
    /// The folders that were walked, named likewise; the empty name is the current folder.
    pub walked: Vec<String>,
    /// The texts that were read, manifests and scripts, by name.
    pub texts: BTreeMap<String, SourceId>,
    /// How many objects, whoever has them.
    pub count: usize,
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
    role: Role,
}

/// What a file is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Somebody named it: it must be a manifest.
    Named,
    /// It was met in a folder, and looks like a manifest.
    Met,
    /// A script that a ConfigMap may be made of: its text is kept.
    Script,
}

/// Reads paths: files, folders (walked in order), `-` for standard input. With both cores, in the order of the paths.
///
/// # Errors
/// Where a path isn't there or can't be read.
pub fn read_all(paths: &[PathBuf], sources: &mut Sources) -> anyhow::Result<Manifests> {
    let mut all = Manifests::default();
    let inputs = all.inputs(paths)?;
    all.read(&inputs, sources)?;
    Ok(all)
}

/// Reads the manifests in `folder` of `root`, but for files that are `replaced` or removed; names count from the root.
/// Other YAML is passed over: these are no files that somebody asked to be checked.
///
/// # Errors
/// Where something can't be read.
pub fn read_beside(
    root: &Path,
    folder: &Path,
    replaced: &BTreeSet<String>,
    sources: &mut Sources,
) -> anyhow::Result<Manifests> {
    let mut all = Manifests {
        root: root.to_owned(),
        ..Manifests::default()
    };
    let mut inputs = all.inputs(&[root.join(folder)])?;
    inputs.retain(|input| !replaced.contains(&input.name));
    all.names.retain(|name| !replaced.contains(name));
    all.read(&inputs, sources)?;
    all.diagnostics
        .retain(|one| one.code != Code::YamlNotAnObject);
    Ok(all)
}

impl Manifests {
    fn read(&mut self, inputs: &[Input], sources: &mut Sources) -> anyhow::Result<()> {
        self.files = inputs
            .iter()
            .filter(|input| input.role != Role::Script)
            .count();
        let texts: Vec<anyhow::Result<Text>> = inputs.par_iter().map(text).collect();
        let mut read = Vec::with_capacity(inputs.len());
        for (input, text) in inputs.iter().zip(texts) {
            match text? {
                Ok(text) => {
                    let source = sources.add(&*input.name, text);
                    self.texts.insert(input.name.clone(), source);
                    read.extend((input.role != Role::Script).then_some((input, source)));
                }
                // A script that is no text is left to who uses it.
                Err(_) if input.role == Role::Script => {}
                Err(problem) => self.diagnostics.push(*problem),
            }
        }
        self.documents(&read, sources);
        self.count = self.objects.len();
        Ok(())
    }

    /// The text of a file that was read.
    pub fn text(&self, name: &str, sources: &Sources) -> Option<String> {
        let source = self.texts.get(name)?;
        Some(sources.get(*source).text().to_owned())
    }

    /// All that was read, for the checks that look at everything at once.
    pub fn given<'a>(&'a self, sources: &'a Sources, selection: &'a Selection) -> Given<'a> {
        Given {
            objects: &self.objects,
            files: &self.names,
            walked: &self.walked,
            texts: &self.texts,
            sources,
            model: None,
            selection,
        }
    }

    /// The files that paths mean.
    fn inputs(&mut self, paths: &[PathBuf]) -> anyhow::Result<Vec<Input>> {
        let mut inputs = Vec::new();
        for path in paths {
            if path.as_os_str() == "-" {
                inputs.push(Input {
                    path: None,
                    name: "<stdin>".to_owned(),
                    role: Role::Named,
                });
            } else if path.is_dir() {
                self.walk(path, &mut inputs)?;
            } else if path.exists() {
                let input = self.input(path, Role::Named);
                self.names.insert(input.name.clone());
                inputs.push(input);
            } else {
                bail!("{}: there is no such file or folder", path.display());
            }
        }
        Ok(inputs)
    }

    fn input(&self, path: &Path, role: Role) -> Input {
        Input {
            path: Some(path.to_owned()),
            name: self.shown(path),
            role,
        }
    }

    /// The files in a folder.
    fn walk(&mut self, folder: &Path, inputs: &mut Vec<Input>) -> anyhow::Result<()> {
        let walked =
            walk(folder).with_context(|| format!("{}: can't be walked", folder.display()))?;
        let name = self.shown(folder);
        let name = name.trim_end_matches('/');
        self.walked
            .push(if name == "." { "" } else { name }.to_owned());
        for file in &walked.files {
            self.names.insert(self.shown(file));
            inputs.extend(role(file).map(|role| self.input(file, role)));
        }
        self.passed_over.extend(walked.passed_over);
        Ok(())
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
        let held: Vec<Held> = pieces
            .par_iter()
            .map(
                |(input, source, piece)| match read::read_piece(sources, *source, piece) {
                    Ok(None) => Held::Nothing,
                    Ok(Some(document)) => held(input, document.node),
                    Err(problem) => Held::Problem(Box::new(problem.diagnostic())),
                },
            )
            .collect();
        self.objects.reserve(held.len());
        for held in held {
            match held {
                Held::Nothing => {}
                Held::One(object) => self.objects.push(object),
                Held::Items(objects) => self.objects.extend(objects),
                Held::Problem(problem) => self.diagnostics.push(*problem),
            }
        }
    }

    /// A path as findings name it.
    fn shown(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.root).unwrap_or(path);
        let shown = path.to_string_lossy().replace('\\', "/");
        shown.trim_start_matches("./").to_owned()
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
                let shown = printable(&self.shown(path));
                writeln!(out, "passed over {shown}: {}", why.as_str())?;
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

/// What a document holds.
enum Held {
    Nothing,
    One(Object),
    /// The items of a list.
    Items(Vec<Object>),
    Problem(Box<Diagnostic>),
}

fn held(input: &Input, node: crate::value::Node) -> Held {
    let object = |node| Object::new(node, input.name.clone());
    let document = object(node);
    // In a folder there is other YAML too: values for charts, settings of tools.
    if input.role == Role::Met && document.api_version().is_empty() && document.kind().is_empty() {
        let problem = Diagnostic::new(Code::YamlNotAnObject, "no Kubernetes object: not checked")
            .at(document.node.span)
            .in_file(&document.file)
            .severity(Severity::Note);
        return Held::Problem(Box::new(problem));
    }
    let is_one = items(&document.node)
        .next()
        .is_some_and(|first| std::ptr::eq(first, &*document.node));
    match is_one {
        true => Held::One(document),
        false => Held::Items(items(&document.node).cloned().map(object).collect()),
    }
}

/// A file's text, or why it is none.
type Text = Result<Arc<str>, Box<Diagnostic>>;

/// Reads a file, or standard input.
///
/// # Errors
/// Where the system won't, or where a pipe or a device stands in the place of a file.
fn text(input: &Input) -> anyhow::Result<Text> {
    let name = input.name.as_str();
    let read = match &input.path {
        None => file::stream(std::io::stdin().lock(), LARGEST_FILE).and_then(file::utf8),
        Some(path) => file::text(path, LARGEST_FILE),
    };
    let problem = match read {
        Ok(text) => return Ok(Ok(text.into())),
        Err(Unread::TooLarge { most, .. }) => {
            let message = format!("{name} has more than {most} bytes");
            Diagnostic::new(Code::ConfigTooLarge, message)
                .why("it was not read: no object that the API server takes is that large")
                .help("leave the file out, or split it")
        }
        Err(Unread::NotUtf8 { at }) => {
            Diagnostic::new(Code::YamlSyntax, format!("byte {at} is no UTF-8"))
                .why("kustomize and Flux stop at this file")
                .help("save the file as UTF-8")
        }
        Err(Unread::Special("a pipe")) => bail!(
            "{name}: can't be read: it is a pipe, no regular file\n  help: `-` reads standard input"
        ),
        Err(error) => return Err(error).with_context(|| format!("{name}: can't be read")),
    };
    Ok(Err(Box::new(problem.in_file(name))))
}

fn is_manifest(path: &Path) -> bool {
    let ending = path
        .extension()
        .map(|ending| ending.to_string_lossy().to_lowercase());
    matches!(ending.as_deref(), Some("yaml" | "yml" | "json"))
}

/// What a file that was met in a folder is read for, by its ending; nothing, mostly.
fn role(path: &Path) -> Option<Role> {
    let ending = path.extension().map(|ending| ending.to_string_lossy());
    match ending.as_deref() {
        Some("lua" | "sh" | "js" | "py") => Some(Role::Script),
        _ => is_manifest(path).then_some(Role::Met),
    }
}
