//! What earlier renders have written, and what will exist after the next one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use crate::compile::Compiled;
use crate::config::load::LARGEST_CONFIG;
use crate::lint::reference::missing_file::{self, Standing};
use crate::render::files::Output;
use crate::render::{File, Kind, Shared, could_render};
use crate::tree::classify::{Existing, is_untouched, would_go};
use crate::tree::plan::Action;
use crate::tree::{self, FileClass, Locks, Options, Plan, TreePath, plain};
use flux_repo::kustomization_files;
use manifest::diagnostic::Diagnostic;
use manifest::{Object, meaning, read};

/// The locks in the folder that files are written to, and the shared files as they were read.
pub(super) struct Owned {
    /// The locks.
    pub locks: Locks,
    /// The shared files by path, as they were when entries were merged into them. The plan must start from the same
    /// state.
    merged_from: Mutex<BTreeMap<String, Existing>>,
}

/// Adds what to do about it to the system's reason.
pub(super) fn with_help(error: tree::Error) -> anyhow::Error {
    let help = error.help();
    anyhow::anyhow!("{error}\n  help: {help}")
}

impl Owned {
    /// With these locks.
    pub(super) fn new(locks: Locks) -> Self {
        Owned {
            locks,
            merged_from: Mutex::default(),
        }
    }

    /// The text of a file in the output folder.
    pub(super) fn read(&self, out: &Path, path: &str) -> Output {
        // If it can't be read, the plan fails too, and gives the reason.
        let before = plain::stands(out, path).unwrap_or(Existing::Nothing);
        let output = match &before {
            // Something that is not a regular file is refused by `tree`.
            Existing::Nothing | Existing::Blocked(_) => Output::Nothing,
            Existing::Large => Output::Unreadable,
            Existing::Bytes(bytes) if bytes.len() as u64 > LARGEST_CONFIG => Output::Unreadable,
            Existing::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Output::Text(text.to_owned()),
                Err(_) => Output::Unreadable,
            },
        };
        if let Ok(mut read) = self.merged_from.lock() {
            read.insert(path.to_owned(), before);
        }
        output
    }

    /// The kustomizations that earlier renders have added entries to.
    pub(super) fn shared(&self, out: &Path) -> Vec<Shared> {
        let all = self.locks.own.shared().map(|(path, _)| path);
        all.filter(|path| could_render(path.as_str(), true))
            .map(|path| self.shared_at(out, path))
            .collect()
    }

    fn shared_at(&self, out: &Path, path: &TreePath) -> Shared {
        let entries = self.locks.own.entries(path).into_iter();
        let entries = entries.filter(|entry| {
            !self.locks.is_listed_by_others(path, entry) && self.goes(out, path, entry)
        });
        let text = plain::stands(out, path.as_str());
        let is_ours = |bytes: &Vec<u8>| is_untouched(&self.locks, path, bytes);
        Shared {
            path: path.to_string(),
            entries: entries.collect(),
            untouched: matches!(text, Ok(Existing::Bytes(bytes)) if is_ours(&bytes)),
        }
    }

    /// Whether what an entry names is gone, or will be removed because it is no longer rendered. A file that
    /// was edited by hand stays, and so does its entry.
    fn goes(&self, out: &Path, index: &TreePath, entry: &str) -> bool {
        let folder = index.parent().map_or(String::new(), |it| it.to_string());
        let target = manifest::value::path::join(&folder, entry);
        // A folder is listed for its kustomization.
        let target = match target.ends_with(".yaml") || target.ends_with(".yml") {
            true => target,
            false => format!("{target}/kustomization.yaml"),
        };
        let Ok(path) = TreePath::parse(&target) else {
            return false;
        };
        match plain::stands(out, &target) {
            Ok(Existing::Nothing) => true,
            Ok(Existing::Bytes(bytes)) => {
                could_render(&target, false) && would_go(&self.locks, &path, &bytes)
            }
            _ => false,
        }
    }

    /// What a render would change. It changes nothing.
    ///
    /// # Errors
    /// If something can't be read, or another render is running.
    pub(super) fn plan(&self, out: &Path, files: &[File], force: bool) -> anyhow::Result<Plan> {
        let files: Vec<tree::File> = files.iter().map(|file| self.tree_file(file)).collect();
        let options = Options {
            force,
            same_objects: Some(&meaning::same),
            locks: Some(&self.locks),
            could_render: Some(&could_render),
        };
        tree::plan(out, &files, &options).map_err(with_help)
    }

    /// A file as `tree` takes it: kustomizations may have other entries too.
    fn tree_file(&self, file: &File) -> tree::File {
        let present = || match self.merged_from.lock() {
            Ok(read) => match read.get(&file.path) {
                Some(Existing::Bytes(bytes)) => Some(bytes.clone()),
                _ => None,
            },
            Err(_) => None,
        };
        let bytes = file.text.as_bytes();
        match file.kind {
            Kind::Index => {
                let entries = file.entries.iter().cloned();
                tree::File::shared(&file.path, bytes, present(), entries).fresh(file.fresh)
            }
            Kind::Left => tree::File::left(&file.path, bytes, present()),
            Kind::Manifest | Kind::Script | Kind::Plain => tree::File::new(&file.path, bytes),
        }
    }
}

/// The entries of kustomizations that kustomize would fail on after the render. They are looked for in the
/// kustomizations that are rendered or shared, and in all others that list a file that the render removes. If files
/// are written to another folder than the project's root, files in the root count as well: such a tree is only looked
/// at, and has no copy of the user's own manifests.
pub(super) fn not_built(
    compiled: &mut Compiled,
    plan: &Plan,
    out: &Path,
    root: &Path,
) -> Vec<Diagnostic> {
    let on_disk = |path: &str| {
        let found = [out, root].map(|folder| std::fs::metadata(folder.join(path)));
        found.into_iter().find_map(Result::ok)
    };
    let is_file = |path: &str| {
        let planned = plan.will_stand(path);
        planned.unwrap_or_else(|| on_disk(path).is_some_and(|found| found.is_file()))
    };
    let is_folder = |path: &str| {
        let below = format!("{path}/");
        let is_rendered = plan
            .entries
            .iter()
            .any(|entry| entry.after.is_some() && entry.path.as_str().starts_with(&below));
        is_rendered || on_disk(path).is_some_and(|found| found.is_dir())
    };
    let stands = |path: &str| match () {
        () if is_file(path) => Standing::File,
        () if is_folder(path) => Standing::Folder {
            has_own: kustomization_files(path).any(|file| is_file(&file)),
        },
        () => Standing::Nothing,
    };
    let mut found = missing_file::at_which_it_stops(&compiled.objects, &stands);
    let removed: Vec<&str> = plan
        .changes()
        .filter(|entry| entry.action == Action::Remove)
        .map(|entry| entry.path.as_str())
        .collect();
    let after = |path: &str| {
        let below = format!("{path}/");
        let is_touched = |it: &&str| **it == *path || it.starts_with(&below);
        match removed.iter().any(is_touched) {
            true => stands(path),
            // If the entry was broken before the render, the render is not to blame.
            false => Standing::File,
        }
    };
    let kept = kept_kustomizations(compiled, plan, out, &removed);
    let broken = missing_file::at_which_it_stops(&kept, &after).into_iter();
    found.extend(
        broken.map(|one| one.help("remove the entry: the render removes the file that it names")),
    );
    found
}

/// The kustomizations that a render doesn't write, in the folders of removed files and the folders above.
fn kept_kustomizations(
    compiled: &mut Compiled,
    plan: &Plan,
    out: &Path,
    removed: &[&str],
) -> Vec<Object> {
    let mut folders = BTreeSet::new();
    for path in removed {
        let ends = path.match_indices('/').map(|(at, _)| at);
        folders.extend(ends.filter_map(|end| path.get(..=end)));
        folders.insert("");
    }
    let mut kept = Vec::new();
    let all = folders
        .iter()
        .flat_map(|folder| kustomization_files(folder));
    for path in all {
        let entry = plan.entries.iter().find(|it| it.path.as_str() == path);
        let stays = entry.is_none_or(|entry| {
            let is_rendered = matches!(entry.class, FileClass::Unchanged | FileClass::Adopt);
            entry.action == Action::Leave && !is_rendered
        });
        if !stays {
            continue;
        }
        let Ok(Existing::Bytes(bytes)) = plain::stands(out, &path) else {
            continue;
        };
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        let source = compiled.sources.add(path.as_str(), text);
        // Files that can't be read are reported by `validate`.
        let (documents, _) = read::read(&compiled.sources, source);
        let objects = documents.into_iter();
        kept.extend(objects.map(|document| Object::new(document.node, path.clone())));
    }
    kept
}
