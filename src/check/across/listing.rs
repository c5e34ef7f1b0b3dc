//! Files that kustomizations list but that don't exist, and manifests beside a kustomization that none lists.
//!
//! Only folders that were walked are checked, because it is not known which files exist in others.

use std::collections::{BTreeMap, BTreeSet};

use super::Whole;
use crate::codes;
use flux_repo::{
    Entry, Kustomization, is_kustomization, is_kustomization_file, kustomization_files,
};
use manifest::diagnostic::Diagnostic;
use manifest::value::Pointer;
use manifest::value::path::{folder, split};
use manifest::{Object, finding};

/// Reports files that are listed but missing, and manifests that are not listed.
pub fn check(whole: &Whole<'_>) -> Vec<Diagnostic> {
    let kustomizations: Vec<&Object> = whole
        .objects
        .iter()
        .filter(|object| is_kustomization(object))
        .collect();
    let mut found = Vec::new();
    for kustomization in &kustomizations {
        let entries = Kustomization::of(kustomization).entries();
        found.extend(
            entries
                .iter()
                .filter_map(|entry| missing(whole, kustomization, entry)),
        );
    }
    found.extend(unlisted(whole, &kustomizations));
    found
}

/// The finding on an entry, if there is nothing at its path that kustomize can read.
fn missing(whole: &Whole<'_>, kustomization: &Object, entry: &Entry<'_>) -> Option<Diagnostic> {
    let target = entry.path.as_str();
    let is_hidden = target
        .split('/')
        .any(|step| step.starts_with('.') && step != "..");
    // Walking skips hidden files. If even the folder of the target is missing, maybe only a part of the repository is
    // given.
    if is_hidden || !whole.is_walked(target) || !whole.has_folder(folder(target)) {
        return None;
    }
    let has_own = kustomization_files(target).any(|file| whole.files.contains(&file));
    let standing = match () {
        () if whole.files.contains(target) => Standing::File,
        () if whole.has_folder(target) => Standing::Folder { has_own },
        () => Standing::Nothing,
    };
    not_built(kustomization, entry, standing)
}

/// What exists at the path of a kustomization's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A file.
    File,
    /// A folder.
    Folder {
        /// Whether it has its own kustomization.
        has_own: bool,
    },
    /// Nothing.
    Nothing,
}

/// Reports the entries at which kustomize would fail. `stands` returns what exists, or will exist, at a path.
pub fn at_which_it_stops(objects: &[Object], stands: &dyn Fn(&str) -> Standing) -> Vec<Diagnostic> {
    let kustomizations = objects.iter().filter(|it| is_kustomization(it));
    let entries = kustomizations.flat_map(|it| {
        let entries = Kustomization::of(it).entries().into_iter();
        entries.map(move |entry| (it, entry))
    });
    entries
        .filter_map(|(it, entry)| not_built(it, &entry, stands(&entry.path)))
        .collect()
}

/// The finding on an entry, if kustomize would fail at what exists there.
fn not_built(kustomization: &Object, entry: &Entry<'_>, standing: Standing) -> Option<Diagnostic> {
    let written = entry.text;
    let (message, help) = match (standing, entry.role.may_be_folder()) {
        (Standing::File, _) | (Standing::Folder { has_own: true }, true) => return None,
        _ if entry.may_be_elsewhere => return None,
        (Standing::Folder { .. }, true) => (
            format!("`{written}` is a folder without a kustomization.yaml"),
            "list its files one by one, or give the folder a kustomization.yaml that does",
        ),
        (Standing::Folder { .. }, false) => (
            format!("`{written}` is a folder, and only a file can stand here"),
            "write the path of a file in it",
        ),
        (Standing::Nothing, _) => (
            format!("`{written}` is listed and not there"),
            "correct the path, or remove the entry",
        ),
    };
    Some(
        finding(codes::REFERENCE_MISSING_FILE, kustomization, &entry.pointer, message)
            .why("kustomize stops at this entry: nothing of the folder is built, and Flux applies no change of it")
            .help(help),
    )
}

/// Reports manifests in a folder with a kustomization, if neither that one nor any other lists them.
fn unlisted(whole: &Whole<'_>, kustomizations: &[&Object]) -> Vec<Diagnostic> {
    let folders: BTreeMap<&str, &&Object> = kustomizations
        .iter()
        .map(|object| (folder(&object.file), object))
        .collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (at, object) in whole.objects.iter().enumerate() {
        let (folder, name) = split(&object.file);
        let Some(kustomization) = folders.get(folder) else {
            continue;
        };
        let is_no_matter = !whole.delivery.is_left_out(at)
            || is_kustomization_file(&object.file)
            || is_configuration(object)
            || !whole.is_walked(folder)
            || is_commented_out(whole, kustomization, name);
        if is_no_matter || !seen.insert(object.file.as_str()) {
            continue;
        }
        let root = Pointer::root();
        let message = format!("the kustomization of its folder does not list {name}");
        let at_list = Pointer::root().key("resources");
        found.push(
            finding(codes::REFERENCE_UNLISTED_FILE, object, &root, message)
                .related(kustomization.span(&at_list), "the list")
                .why(format!(
                    "Flux applies what is listed: {} {} never reaches the cluster",
                    object.kind(),
                    object.name()
                ))
                .help(format!(
                    "add `- ./{name}` to `resources`, or remove the file"
                )),
        );
    }
    found
}

/// Whether an object configures a program outside of the cluster.
fn is_configuration(object: &Object) -> bool {
    object.group().ends_with("config.k8s.io")
        || object.group().is_empty() && object.kind() == "Config"
}

/// Whether a comment in a kustomization contains the name of a file, which means that somebody removed it
/// intentionally.
fn is_commented_out(whole: &Whole<'_>, kustomization: &Object, name: &str) -> bool {
    let Some(text) = whole.text(&kustomization.file) else {
        return false;
    };
    text.lines()
        .filter_map(|line| line.split_once('#'))
        .any(|(_, comment)| comment.contains(name))
}

#[cfg(test)]
mod tests {
    use super::super::support::told;
    use super::*;

    const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n";

    fn list(entries: &str) -> String {
        format!("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n{entries}\n")
    }

    #[test]
    fn what_is_listed_and_not_there_is_told() {
        let kustomization = list(
            "resources: [./a.yaml, ./b.yaml, ./empty, ../gone/c.yaml, 'https://example.com/d.yaml', ./.e.yaml]\n\
             configMapGenerator: [{name: m, files: [lua=m.lua]}]",
        );
        let tree = [
            ("app/kustomization.yaml", kustomization.as_str()),
            ("app/a.yaml", MAP),
            ("app/empty/values.yaml", "a: b\n"),
        ];
        assert_eq!(
            told(check, "1.9.0", &tree),
            [
                "error reference/missing-file /resources/1: `./b.yaml` is listed and not there",
                "error reference/missing-file /resources/2: `./empty` is a folder without a kustomization.yaml",
                "error reference/missing-file /configMapGenerator/0/files/0: `lua=m.lua` is listed and not there",
            ]
        );
    }

    #[test]
    fn what_is_there_and_not_listed_is_told() {
        let empty = list("resources: []");
        let tree = [
            ("app/kustomization.yaml", empty.as_str()),
            ("app/a.yaml", MAP),
            ("app/values.yaml", "a: b\n"),
            ("other/b.yaml", MAP),
        ];
        assert_eq!(
            told(check, "1.9.0", &tree),
            [
                "warning reference/unlisted-file : the kustomization of its folder does not list a.yaml"
            ]
        );
    }

    #[test]
    fn what_another_list_or_a_comment_names_is_not_told() {
        let own = list("resources: [./a.yaml]\npatches: [{path: p.yaml}]\n# - ./off.yaml");
        let other = list("resources: [../app/b.yaml]");
        let tree = [
            ("app/kustomization.yaml", own.as_str()),
            ("other/kustomization.yaml", other.as_str()),
            ("app/a.yaml", MAP),
            ("app/b.yaml", MAP),
            ("app/p.yaml", MAP),
            ("app/off.yaml", MAP),
        ];
        assert_eq!(told(check, "1.9.0", &tree), [""; 0]);
    }
}
