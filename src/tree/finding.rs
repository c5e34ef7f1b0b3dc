//! What a plan has to say.

use super::classify::{Class, Obstacle};
use super::locks::Owner;
use super::plan::{Action, Entry, Plan};
use crate::codes;
use manifest::diagnostic::{Diagnostic, Severity};

const LOST: &str = "rendering over it would lose what was written there";

impl Plan {
    /// What a person has to know before or after the work: what was interrupted, what is not overwritten.
    pub fn findings(&self) -> Vec<Diagnostic> {
        let interrupted = self.interrupted.then(|| interrupted(&self.lock));
        let refused = self.refused.iter().map(|refused| {
            Diagnostic::new(codes::TREE_UNSAFE_PATH, format!("the output path {:?} {}", refused.path, refused.problem))
                .why("nothing outside the output folder is ever written, and the path means another file elsewhere")
                .help("give the file another name in cluster.toml")
        });
        let entries = self.entries.iter().filter_map(conflict);
        interrupted
            .into_iter()
            .chain(refused)
            .chain(entries)
            .collect()
    }

    /// What is not as `cluster.toml` renders it: the answer of a run that only checks.
    pub fn out_of_date(&self) -> Vec<Diagnostic> {
        let mut stale: Vec<Diagnostic> = self.entries.iter().filter_map(stale).collect();
        if stale.is_empty() && self.lock_is_out_of_date() {
            stale.push(out_of_date(
                &self.lock,
                "does not list the files as they are rendered",
            ));
        }
        stale
    }
}

fn interrupted(lock: &str) -> Diagnostic {
    Diagnostic::new(
        codes::TREE_INTERRUPTED,
        "an earlier render was interrupted; this one finishes its work",
    )
    .in_file(lock)
    .why("some files are from before it and some from after; each of them is whole")
    .help("nothing is to be done; where only a check was asked for, run `gatewayctl render`")
}

/// Why a path is not written.
fn conflict(entry: &Entry) -> Option<Diagnostic> {
    let path = &entry.path;
    let diagnostic = match &entry.class {
        _ if entry.action != Action::Leave => return None,
        Class::Edited => Diagnostic::new(codes::TREE_EDITED, format!("`{path}` was edited by hand since it was rendered"))
            .why(LOST)
            .help("move the change into cluster.toml (every object has a `spec` table); or overwrite it with --force"),
        Class::KeepEdited => {
            let message = format!("`{path}` is no longer rendered, but was edited by hand: it was kept");
            Diagnostic::new(codes::TREE_EDITED, message)
                .severity(Severity::Warning)
                .why("Flux applies it as long as a kustomization lists it; gatewayctl no longer looks after it")
                .help("remove it if it isn't needed, or list it among your own manifests")
        }
        Class::Foreign => {
            let message = format!("`{path}` is in the way: gatewayctl would write there, but didn't write what is there");
            Diagnostic::new(codes::TREE_FOREIGN, message)
                .why(LOST)
                .help("rename it, or give the rendered file another name; or overwrite it with --force")
        }
        Class::Others(owner) => of_others(path.as_str(), owner),
        Class::KeepStrange => {
            let message = format!("`{path}` is in the lock and no longer rendered, but no render writes such a file: it was kept");
            Diagnostic::new(codes::TREE_FOREIGN, message)
                .severity(Severity::Warning)
                .why("only manifests and scripts are ever written, so the lock was changed by hand")
                .help("nothing is to be done; the lock no longer lists it")
        }
        Class::Blocked(obstacle) => blocked(path.as_str(), obstacle),
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
    Diagnostic::new(codes::TREE_FOREIGN, message)
        .why("two configurations would take turns in overwriting it; a file of another one's is never written or removed, --force or not")
        .help("give each configuration a `layout.path` or `layout.app` of its own; where this is the same one under a new name, remove that lock and render again: files that are as rendered are taken over")
}

fn blocked(path: &str, obstacle: &Obstacle) -> Diagnostic {
    match obstacle {
        Obstacle::Link(link) => {
            let message = format!("`{path}` is not written: `{link}` is a symbolic link");
            Diagnostic::new(codes::TREE_UNSAFE_PATH, message)
                .why("a link can lead out of the repository; gatewayctl neither follows nor replaces one, --force or not")
                .help("put a folder or a file in its place, or render elsewhere with --out")
        }
        Obstacle::NotAFolder(file) => {
            let message =
                format!("`{path}` is not written: `{file}` is a file, where a folder is needed");
            Diagnostic::new(codes::TREE_FOREIGN, message)
                .why(LOST)
                .help("move the file away, then render again")
        }
        Obstacle::Aside(name) => {
            let message =
                format!("`{path}` is not written: `{name}` beside it holds an edit of it");
            Diagnostic::new(codes::TREE_EDITED, message)
                .why("a render was killed just when somebody saved that edit, and what stands in its place was saved later")
                .help(format!("compare the two, keep what is right in `{path}`, and remove `{name}`"))
        }
        Obstacle::NotAFile => {
            let message =
                format!("`{path}` is not written: what is there is a folder, or no regular file");
            Diagnostic::new(codes::TREE_FOREIGN, message)
                .why(LOST)
                .help("move it away, then render again")
        }
    }
}

/// How a path is not as it is rendered.
fn stale(entry: &Entry) -> Option<Diagnostic> {
    let how = match (&entry.class, entry.action) {
        (Class::Gone, Action::Leave) => return None,
        (Class::Create | Class::Gone, _) => "is rendered, but not there",
        (Class::Edited, _) => "was edited by hand",
        (Class::Blocked(Obstacle::Aside(_)), _) => {
            "has an edit beside it that an interrupted render left"
        }
        (Class::Foreign | Class::Others(_) | Class::Blocked(_), _) => {
            "is something else than what is rendered"
        }
        (_, Action::Write) => "is not what is rendered",
        (_, Action::Remove) => "is no longer rendered, but still there",
        (_, Action::Leave) => return None,
    };
    let stale = out_of_date(entry.path.as_str(), how);
    Some(match &entry.class {
        Class::Edited => stale.help("move the change into cluster.toml (every object has a `spec` table), then run `gatewayctl render`; `--force` overwrites it"),
        Class::Foreign => stale.help("move what it says into cluster.toml, or move the file away; `gatewayctl render --force` overwrites it"),
        Class::Others(Owner { configuration, .. }) => stale.help(format!("it belongs to {configuration}: give each configuration a `layout.path` or `layout.app` of its own")),
        Class::Blocked(_) => stale.help("move what stands there away, then run `gatewayctl render`"),
        _ => stale,
    })
}

fn out_of_date(path: &str, how: &str) -> Diagnostic {
    Diagnostic::new(codes::TREE_OUT_OF_DATE, format!("`{path}` {how}"))
        .in_file(path)
        .why("Flux applies what is in Git: the cluster runs something else than cluster.toml says")
        .help("run `gatewayctl render`, and commit what it writes")
}
