//! Compares builds with those of the real `kustomize`, for every folder with a kustomization in real repositories.
//!
//! The repositories are in the folder that `GATEWAYCTL_SHARED` names, else in `../shared`; they are not part of this
//! project. Without them, or without `kustomize` on PATH, the comparison is skipped, and says so.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use flux_repo::build::{Build, Builder, Feature, FileContent};
use flux_repo::is_kustomization_file;
use manifest::diagnostic::{SourceId, Sources};
use manifest::value::Node;
use manifest::value::path::folder;
use manifest::{Object, read};

/// How many differences are printed.
const MOST_PRINTED: usize = 40;

fn repositories() -> Option<Vec<PathBuf>> {
    let shared = std::env::var_os("GATEWAYCTL_SHARED").map(PathBuf::from);
    let shared =
        shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let entries = std::fs::read_dir(shared.join("repositories")).ok()?;
    let mut all: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    all.retain(|path| path.is_dir());
    all.sort();
    Some(all)
}

/// A repository that was read.
struct Repository {
    root: PathBuf,
    objects: Vec<Object>,
    files: BTreeSet<String>,
    contents: BTreeMap<String, (Vec<u8>, SourceId)>,
    sources: Sources,
}

impl Repository {
    fn read(root: &Path) -> Self {
        let mut repository = Repository {
            root: root.to_owned(),
            objects: Vec::new(),
            files: BTreeSet::new(),
            contents: BTreeMap::new(),
            sources: Sources::default(),
        };
        repository.walk(root, "");
        repository
    }

    fn walk(&mut self, path: &Path, name: &str) {
        let mut entries: Vec<_> = std::fs::read_dir(path)
            .expect("a folder")
            .flatten()
            .collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let own = entry.file_name().to_string_lossy().into_owned();
            let below = if name.is_empty() {
                own.clone()
            } else {
                format!("{name}/{own}")
            };
            let path = entry.path();
            if path.is_dir() {
                if own != ".git" && !path.is_symlink() {
                    self.walk(&path, &below);
                }
            } else if let Ok(bytes) = std::fs::read(&path) {
                self.add(below, bytes);
            }
        }
    }

    fn add(&mut self, name: String, bytes: Vec<u8>) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let source = self.sources.add(name.as_str(), text);
        if name.ends_with(".yaml") || name.ends_with(".yml") {
            let (documents, problems) = read(&self.sources, source);
            if problems.is_empty() {
                let documents = documents.into_iter();
                let objects = documents.map(|document| Object::new(document.node, name.as_str()));
                self.objects.extend(objects);
            }
        }
        self.files.insert(name.clone());
        self.contents.insert(name, (bytes, source));
    }
}

/// What the comparison of a folder says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Equal(usize),
    BothRefuse,
    Explained,
    Different(String),
}

/// The objects that the real program makes.
fn real(path: &Path) -> Result<Vec<Node>, String> {
    let output = Command::new("kustomize")
        .args([
            "build",
            "--load-restrictor",
            "LoadRestrictionsNone",
            "--reorder",
            "none",
        ])
        .arg(path)
        .output()
        .expect("kustomize runs");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let mut sources = Sources::default();
    let source = sources.add(
        "output",
        String::from_utf8_lossy(&output.stdout).into_owned(),
    );
    let (documents, problems) = read(&sources, source);
    if let Some(problem) = problems.first() {
        return Ok(vec![Node::string(format!("unreadable: {problem:?}"))]);
    }
    Ok(documents
        .into_iter()
        .map(|document| document.node)
        .collect())
}

fn compare(repository: &Repository, folder: &str, build: &Build) -> Outcome {
    let is = |feature| build.not_followed.iter().any(|one| one.feature == feature);
    if is(Feature::Remote) {
        return Outcome::Explained;
    }
    let explained = !build.not_followed.is_empty();
    match (real(&repository.root.join(folder)), build.errors.first()) {
        (Err(_), Some(_)) => Outcome::BothRefuse,
        _ if explained => Outcome::Explained,
        (Err(message), None) => Outcome::Different(format!("kustomize refuses: {message}")),
        (Ok(_), Some(error)) => Outcome::Different(format!("only we refuse: {error:?}")),
        (Ok(objects), None) => match difference(&objects, &build.objects) {
            None => Outcome::Equal(objects.len()),
            Some(difference) => Outcome::Different(difference),
        },
    }
}

/// The first difference, also in the order of the objects.
fn difference(real: &[Node], own: &[Object]) -> Option<String> {
    for (nth, (real, own)) in real.iter().zip(own).enumerate() {
        if *real != *own.node {
            let mut text = format!("object {nth}, {}:", own.identity());
            paths(real, &own.node, "", &mut text);
            return Some(text);
        }
    }
    let counts = (real.len(), own.len());
    (counts.0 != counts.1).then(|| format!("{} objects instead of {}", counts.1, counts.0))
}

/// Adds the places where two values differ.
fn paths(real: &Node, own: &Node, at: &str, text: &mut String) {
    match (real.as_map(), own.as_map()) {
        (Some(real), Some(own)) => {
            let keys: BTreeSet<&str> = real.iter().chain(own.iter()).map(|(key, _)| key).collect();
            for key in keys {
                let missing = Node::string("(missing)");
                let (real, own) = (real.get(key), own.get(key));
                if real != own {
                    paths(
                        real.unwrap_or(&missing),
                        own.unwrap_or(&missing),
                        &format!("{at}/{key}"),
                        text,
                    );
                }
            }
        }
        _ => match (real.as_list(), own.as_list()) {
            (Some(real), Some(own)) if real.len() == own.len() => {
                for (nth, (real, own)) in real.iter().zip(own).enumerate() {
                    if real != own {
                        paths(real, own, &format!("{at}/{nth}"), text);
                    }
                }
            }
            _ => {
                let short = |node: &Node| {
                    node.to_json()
                        .to_string()
                        .chars()
                        .take(200)
                        .collect::<String>()
                };
                text.push_str(&format!(
                    "\n    {at}: {} instead of {}",
                    short(own),
                    short(real)
                ));
            }
        },
    }
}

#[derive(Default)]
struct Figures {
    folders: usize,
    objects: usize,
    equal: usize,
    both_refuse: usize,
    explained: usize,
    features: BTreeMap<Feature, usize>,
    different: Vec<String>,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "kustomize: {} folders, {} objects; {} folders are equal, {} are refused by both, {} are explained {:?}, {} are different",
            self.folders,
            self.objects,
            self.equal,
            self.both_refuse,
            self.explained,
            self.features,
            self.different.len()
        )
    }
}

#[test]
fn every_folder_of_real_repositories_is_built_as_kustomize_builds_it() {
    let Some(repositories) = repositories() else {
        println!("skipped: there are no repositories in ../shared");
        return;
    };
    if Command::new("kustomize").arg("version").output().is_err() {
        println!("skipped: kustomize is not on PATH");
        return;
    }
    let mut figures = Figures::default();
    for root in repositories {
        let repository = Repository::read(&root);
        let content = |file: &str| {
            let (bytes, source) = repository.contents.get(file)?;
            Some(FileContent {
                bytes: bytes.clone(),
                source: Some(*source),
            })
        };
        let builder = Builder::of(&repository.objects, &repository.files, &content);
        let files = repository
            .files
            .iter()
            .filter(|file| is_kustomization_file(file));
        let folders: BTreeSet<&str> = files.map(|file| folder(file)).collect();
        let builds: Vec<(&str, Build)> = folders
            .into_iter()
            .map(|folder| (folder, builder.build(folder, None)))
            .collect();
        let next = AtomicUsize::new(0);
        let outcomes = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while let Some((folder, build)) =
                        builds.get(next.fetch_add(1, Ordering::Relaxed))
                    {
                        let outcome = compare(&repository, folder, build);
                        outcomes
                            .lock()
                            .expect("no panic")
                            .push((*folder, build, outcome));
                    }
                });
            }
        });
        let mut outcomes = outcomes.into_inner().expect("no panic");
        outcomes.sort_by_key(|(folder, ..)| *folder);
        for (folder, build, outcome) in outcomes {
            figures.folders += 1;
            match outcome {
                Outcome::Equal(objects) => {
                    figures.equal += 1;
                    figures.objects += objects;
                }
                Outcome::BothRefuse => figures.both_refuse += 1,
                Outcome::Explained => {
                    figures.explained += 1;
                    for one in &build.not_followed {
                        *figures.features.entry(one.feature).or_default() += 1;
                    }
                }
                Outcome::Different(text) => {
                    figures
                        .different
                        .push(format!("{}/{folder}: {text}", root.display()));
                }
            }
        }
    }
    for difference in figures.different.iter().take(MOST_PRINTED) {
        println!("{difference}");
    }
    println!("{figures}");
    assert!(figures.different.is_empty(), "{figures}");
}
