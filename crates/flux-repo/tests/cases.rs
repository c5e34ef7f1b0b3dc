//! Builds of small repositories, each in a file of `tests/cases`: its files, each after a line `# file PATH`, and, after a
//! line `# built FOLDER`, what `kustomize build` prints for the folder; or, after `# refused FOLDER`, our errors for
//! something that kustomize refuses.
//!
//! Where `kustomize` is on PATH, it is asked as well, and must agree. `UPDATE=1` writes what it prints into the files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use flux_repo::build::{Build, Builder, FileContent};
use manifest::diagnostic::{SourceId, Sources};
use manifest::value::Node;
use manifest::{Object, read};

struct Case {
    path: PathBuf,
    text: String,
    files: BTreeMap<String, String>,
    is_refused: bool,
    folder: String,
    expected: String,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let entries = std::fs::read_dir(folder).expect("the cases").flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths.into_iter().map(Case::read).collect()
}

impl Case {
    fn read(path: PathBuf) -> Self {
        let text = std::fs::read_to_string(&path).expect("a case");
        let mut case = Case {
            path,
            text: text.clone(),
            files: BTreeMap::new(),
            is_refused: false,
            folder: String::new(),
            expected: String::new(),
        };
        for part in format!("\n{text}").split("\n# ").skip(1) {
            let (head, body) = part.split_once('\n').unwrap_or((part, ""));
            match head.split_once(' ') {
                Some(("file", path)) => {
                    case.files.insert(path.to_owned(), format!("{body}\n"));
                }
                Some((word @ ("built" | "refused"), folder)) => {
                    case.is_refused = word == "refused";
                    folder.clone_into(&mut case.folder);
                    body.clone_into(&mut case.expected);
                }
                _ => {}
            }
        }
        case
    }

    fn name(&self) -> String {
        let name = self
            .path
            .file_stem()
            .map(|name| name.to_string_lossy().into_owned());
        name.unwrap_or_default()
    }

    fn build(&self) -> Build {
        let mut sources = Sources::default();
        let mut objects = Vec::new();
        let mut ids: BTreeMap<&str, SourceId> = BTreeMap::new();
        for (path, text) in &self.files {
            let id = sources.add(path.as_str(), text.as_str());
            ids.insert(path, id);
            if path.ends_with(".yaml") {
                let (documents, problems) = read(&sources, id);
                if problems.is_empty() {
                    let documents = documents.into_iter();
                    objects.extend(documents.map(|one| Object::new(one.node, path.as_str())));
                }
            }
        }
        let files: BTreeSet<String> = self.files.keys().cloned().collect();
        let content = |file: &str| {
            let bytes = self.files.get(file)?.clone().into_bytes();
            let source = ids.get(file).copied();
            Some(FileContent { bytes, source })
        };
        Builder::of(&objects, &files, &content).build(&self.folder, None)
    }

    /// What kustomize prints; `Err` if it refuses.
    fn real(&self) -> Result<String, String> {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in &self.files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        let output = Command::new("kustomize")
            .args([
                "build",
                "--load-restrictor",
                "LoadRestrictionsNone",
                "--reorder",
                "none",
            ])
            .arg(folder.path().join(&self.folder))
            .output()
            .expect("kustomize runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        match output.status.success() {
            true => Ok(text(output.stdout)),
            false => Err(text(output.stderr)),
        }
    }

    fn update(&self, output: &str) {
        let end = self.text.find("\n# built ").expect("the last part") + 1;
        let text = format!("{}# built {}\n{output}", &self.text[..end], self.folder);
        std::fs::write(&self.path, text).expect("the case");
    }
}

fn parsed(text: &str) -> Vec<Node> {
    let mut sources = Sources::default();
    let id = sources.add("x.yaml", text);
    let (documents, problems) = read(&sources, id);
    assert!(problems.is_empty(), "{problems:?}");
    documents
        .into_iter()
        .map(|document| document.node)
        .collect()
}

fn shown(nodes: &[Node]) -> String {
    let texts: Vec<String> = nodes
        .iter()
        .map(|node| manifest::write::document(&sorted(node)))
        .collect();
    texts.join("---\n")
}

/// A value with its keys in order.
fn sorted(node: &Node) -> Node {
    use manifest::value::Kind;
    let kind = match &node.kind {
        Kind::Map(map) => {
            let keys: BTreeMap<&str, &Node> = map.iter().collect();
            Kind::Map(
                keys.into_iter()
                    .map(|(key, value)| (key, sorted(value)))
                    .collect(),
            )
        }
        Kind::List(items) => Kind::List(items.iter().map(sorted).collect()),
        kind => kind.clone(),
    };
    Node::new(kind, None)
}

#[test]
fn small_repositories_are_built_as_kustomize_builds_them() {
    let has_kustomize = Command::new("kustomize").arg("version").output().is_ok();
    if !has_kustomize {
        println!("kustomize is not on PATH: only the stored results are compared");
    }
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        let mut expected = case.expected.clone();
        if has_kustomize {
            match (case.real(), case.is_refused) {
                (Ok(output), false) if update => {
                    case.update(&output);
                    expected = output;
                }
                (Ok(output), false) if parsed(&output) != parsed(&expected) => {
                    wrong.push(format!("{}: kustomize prints\n{output}", case.name()));
                }
                (Ok(_), false) | (Err(_), true) => {}
                (Ok(_), true) => {
                    wrong.push(format!("{}: kustomize doesn't refuse it", case.name()))
                }
                (Err(message), false) => {
                    wrong.push(format!("{}: kustomize refuses: {message}", case.name()))
                }
            }
        }
        let build = case.build();
        let errors: Vec<String> = build
            .errors
            .iter()
            .map(|error| format!("{}{}: {}\n", error.at.file, error.at.pointer, error.message))
            .collect();
        let objects: Vec<Node> = build
            .objects
            .iter()
            .map(|object| (*object.node).clone())
            .collect();
        let (found, wanted) = match case.is_refused {
            true => (errors.concat(), expected.clone()),
            false => (
                errors.concat() + &shown(&objects),
                shown(&parsed(&expected)),
            ),
        };
        if found.trim() != wanted.trim() {
            wrong.push(format!(
                "{}: we make\n{found}\ninstead of\n{wanted}",
                case.name()
            ));
        }
    }
    for one in &wrong {
        println!("{one}");
    }
    assert!(wrong.is_empty(), "{} cases are wrong", wrong.len());
}
