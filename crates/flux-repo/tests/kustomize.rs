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

    /// A copy in another folder, with some more files.
    fn with_files(&self, root: &Path, more: BTreeSet<String>) -> Self {
        let contents = self.contents.iter();
        let contents = contents.map(|(name, (bytes, _))| (name.as_str(), bytes.as_slice()));
        let more = more
            .iter()
            .map(|name| (name.as_str(), b"placeholder\n".as_slice()));
        for (name, bytes) in contents.chain(more) {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, bytes).expect("a file");
        }
        Repository::read(root)
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

/// The outcome for each folder.
fn outcomes(repository: &Repository, folders: Vec<String>) -> Vec<(String, Build, Outcome)> {
    let content = |file: &str| {
        let (bytes, source) = repository.contents.get(file)?;
        Some(FileContent {
            bytes: bytes.clone(),
            source: Some(*source),
        })
    };
    let builder = Builder::of(&repository.objects, &repository.files, &content);
    let builds = folders.into_iter().map(|folder| {
        let build = builder.build(&folder, None);
        (folder, build)
    });
    let builds: Vec<(String, Build)> = builds.collect();
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((folder, build)) = builds.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = (
                        folder.clone(),
                        build.clone(),
                        compare(repository, folder, build),
                    );
                    outcomes.lock().expect("no panic").push(outcome);
                }
            });
        }
    });
    outcomes.into_inner().expect("no panic")
}

/// The files of generators that don't exist.
fn missing(build: &Build) -> impl Iterator<Item = String> {
    let messages = build.errors.iter().map(|error| error.message.as_str());
    messages.filter_map(|message| {
        let file = message
            .strip_prefix("the file ")?
            .strip_suffix(" doesn't exist")?;
        (!file.starts_with("..")).then(|| file.to_owned())
    })
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
    completed: usize,
    explained: usize,
    features: BTreeMap<Feature, usize>,
    different: Vec<String>,
}

impl Figures {
    fn count(&mut self, folder: &str, build: &Build, outcome: Outcome) {
        self.folders += 1;
        match outcome {
            Outcome::Equal(objects) => {
                self.equal += 1;
                self.objects += objects;
            }
            Outcome::BothRefuse => self.both_refuse += 1,
            Outcome::Explained => {
                self.explained += 1;
                for one in &build.not_followed {
                    *self.features.entry(one.feature).or_default() += 1;
                }
            }
            Outcome::Different(text) => self.different.push(format!("{folder}: {text}")),
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "kustomize: {} folders, {} objects; {} folders are equal ({} with files that are missing in the data), {} are refused by both, {} are explained {:?}, {} are different",
            self.folders,
            self.objects,
            self.equal,
            self.completed,
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
        let files = repository.files.iter();
        let folders: BTreeSet<&str> = files
            .filter(|file| is_kustomization_file(file))
            .map(|file| folder(file))
            .collect();
        let folders: Vec<String> = folders.into_iter().map(str::to_owned).collect();
        let mut outcomes = outcomes(&repository, folders);
        // The repositories were published without some files that are no manifests.
        let (incomplete, complete): (Vec<_>, Vec<_>) =
            outcomes.into_iter().partition(|(_, build, outcome)| {
                *outcome == Outcome::BothRefuse && missing(build).next().is_some()
            });
        outcomes = complete;
        if !incomplete.is_empty() {
            let files = incomplete.iter().flat_map(|(_, build, _)| missing(build));
            let copy = tempfile::tempdir().expect("a folder");
            let repository = repository.with_files(copy.path(), files.collect());
            figures.completed += incomplete.len();
            let folders = incomplete.into_iter().map(|(folder, ..)| folder);
            outcomes.extend(self::outcomes(&repository, folders.collect()));
        }
        for (folder, build, outcome) in outcomes {
            figures.count(&format!("{}/{folder}", root.display()), &build, outcome);
        }
    }
    for difference in figures.different.iter().take(MOST_PRINTED) {
        println!("{difference}");
    }
    println!("{figures}");
    assert!(figures.different.is_empty(), "{figures}");
}
