//! Turns a plan into findings.

use super::classify::{FileClass, Obstacle};
use super::codes;
use super::locks::Owner;
use super::plan::{Action, Entry, Plan};
use crate::render::codes::TREE_FOREIGN;
use manifest::diagnostic::{Diagnostic, Severity};

const LOST: &str = "overwriting it would lose what was written there";

impl Plan {
    /// What the user has to know before or after the work: interrupted renders, and files that are not overwritten.
    pub fn findings(&self) -> Vec<Diagnostic> {
        let interrupted = self.interrupted.then(|| interrupted(&self.lock));
        let refused = self.refused.iter().map(|refused| {
            Diagnostic::new(codes::TREE_UNSAFE_PATH, format!("the output path {:?} {}", refused.path, refused.problem))
                .why("nothing outside the output folder is ever written, and the path refers to a file elsewhere")
                .help("give the file another name in cluster.toml")
        });
        let entries = self.entries.iter().filter_map(conflict);
        interrupted
            .into_iter()
            .chain(refused)
            .chain(entries)
            .collect()
    }

    /// The files that are not as `cluster.toml` renders them: the result of `render --check`.
    pub fn out_of_date(&self) -> Vec<Diagnostic> {
        let mut stale: Vec<Diagnostic> = self.entries.iter().filter_map(stale).collect();
        if stale.is_empty() && self.lock_is_out_of_date() {
            stale.push(out_of_date(
                &self.lock,
                "doesn't list the files as they are rendered now",
            ));
        }
        stale
    }
}

fn interrupted(lock: &str) -> Diagnostic {
    Diagnostic::new(
        codes::TREE_INTERRUPTED,
        "an earlier render was interrupted, and this one finishes it",
    )
    .in_file(lock)
    .why("some files are old and some are new, but each of them is complete")
    .help("nothing to do; after a check only, run `gatewayctl render`")
}

/// The finding on a path that is not written.
fn conflict(entry: &Entry) -> Option<Diagnostic> {
    let path = &entry.path;
    let diagnostic = match &entry.class {
        _ if entry.action != Action::Leave => return None,
        FileClass::Edited => Diagnostic::new(codes::TREE_EDITED, format!("`{path}` was edited by hand since it was rendered"))
            .why(LOST)
            .help("move the change into cluster.toml (every object has a `spec` table), or overwrite it with --force"),
        FileClass::KeepEdited => {
            let message = format!("`{path}` is no longer rendered, but was kept because it was edited by hand");
            Diagnostic::new(codes::TREE_EDITED, message)
                .severity(Severity::Warning)
                .why("Flux applies it as long as a kustomization lists it, but gatewayctl doesn't manage it any more")
                .help("remove it if you don't need it, or list it with your own manifests")
        }
        FileClass::Foreign => {
            let message = format!("`{path}` exists already: gatewayctl would write there, but didn't write the existing file");
            Diagnostic::new(TREE_FOREIGN, message)
                .why(LOST)
                .help("rename it, give the rendered file another name, or overwrite it with --force")
        }
        FileClass::Others(owner) => of_others(path.as_str(), owner),
        FileClass::KeepStrange => {
            let message = format!("`{path}` is in the lock and no longer rendered, but was kept because no render writes such a file");
            Diagnostic::new(TREE_FOREIGN, message)
                .severity(Severity::Warning)
                .why("gatewayctl only writes manifests and scripts, so the lock was edited by hand")
                .help("nothing to do; the lock doesn't list it any more")
        }
        FileClass::Blocked(obstacle) => blocked(path.as_str(), obstacle),
        _ => return None,
    };
    Some(diagnostic.in_file(path.as_str()))
}

fn of_others(path: &str, owner: &Owner) -> Diagnostic {
    let Owner {
        configuration,
        lock,
    } = owner;
    let message = format!("`{path}` belongs to {configuration}: `{lock}` lists it");
    Diagnostic::new(TREE_FOREIGN, message)
        .why("two configurations would overwrite it in turn; a file of another configuration is never written or removed, not even with --force")
        .help("give each configuration a `layout.path` or `layout.app` of its own; if this is the same configuration under a new name, remove that lock and render again: files that are as rendered are taken over")
}

fn blocked(path: &str, obstacle: &Obstacle) -> Diagnostic {
    match obstacle {
        Obstacle::Link(link) => {
            let message = format!("`{path}` is not written: `{link}` is a symbolic link");
            Diagnostic::new(codes::TREE_UNSAFE_PATH, message)
                .why("a link can lead out of the repository; gatewayctl neither follows nor replaces links, not even with --force")
                .help("replace it by a folder or a file, or render into another folder with --out")
        }
        Obstacle::NotAFolder(file) => {
            let message =
                format!("`{path}` is not written: `{file}` is a file, but a folder is needed");
            Diagnostic::new(TREE_FOREIGN, message)
                .why(LOST)
                .help("move the file away, then render again")
        }
        Obstacle::LeftAside(name) => {
            let message =
                format!("`{path}` is not written: `{name}` beside it contains an edit of it");
            Diagnostic::new(codes::TREE_EDITED, message)
                .why("a render was killed while somebody saved that edit, and the current file was saved later")
                .help(format!("compare the two files, keep the right version in `{path}`, and remove `{name}`"))
        }
        Obstacle::NotAFile => {
            let message = format!(
                "`{path}` is not written: there is a folder, or something that is not a regular file"
            );
            Diagnostic::new(TREE_FOREIGN, message)
                .why(LOST)
                .help("move it away, then render again")
        }
    }
}

/// The finding on a path that is not as it is rendered.
fn stale(entry: &Entry) -> Option<Diagnostic> {
    let how = match (&entry.class, entry.action) {
        (FileClass::Gone, Action::Leave) => return None,
        (FileClass::Create | FileClass::Gone, _) => "is rendered, but doesn't exist",
        (FileClass::Edited, _) => "was edited by hand",
        (FileClass::Blocked(Obstacle::LeftAside(_)), _) => {
            "has an edit beside it, left by an interrupted render"
        }
        (FileClass::Foreign | FileClass::Others(_) | FileClass::Blocked(_), _) => {
            "is not the rendered file"
        }
        (_, Action::Write) => "differs from what is rendered",
        (_, Action::Remove) => "is no longer rendered, but still exists",
        (_, Action::Leave) => return None,
    };
    let stale = out_of_date(entry.path.as_str(), how);
    Some(match &entry.class {
        FileClass::Edited => stale.help("move the change into cluster.toml (every object has a `spec` table), then run `gatewayctl render`; `--force` overwrites it"),
        FileClass::Foreign => stale.help("move its contents into cluster.toml, or move the file away; `gatewayctl render --force` overwrites it"),
        FileClass::Others(Owner { configuration, .. }) => stale.help(format!("it belongs to {configuration}: give each configuration a `layout.path` or `layout.app` of its own")),
        FileClass::Blocked(_) => stale.help("move it away, then run `gatewayctl render`"),
        _ => stale,
    })
}

fn out_of_date(path: &str, how: &str) -> Diagnostic {
    Diagnostic::new(codes::TREE_OUT_OF_DATE, format!("`{path}` {how}"))
        .in_file(path)
        .why("Flux applies what is in Git, so the cluster doesn't run what cluster.toml says")
        .help("run `gatewayctl render`, and commit what it writes")
}
