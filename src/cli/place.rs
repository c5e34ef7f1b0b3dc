//! Paths that are relative to something: the configuration from the output's folder, and that folder from Git's root.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::git;
use crate::tree::Configuration;

/// How a lock names the configuration at the path `config`, in a project at `root` that writes its files to `out`.
pub(super) fn configuration(config: &Path, root: &Path, out: &Path) -> Configuration {
    let (root, out) = (canonical_path(root), canonical_path(out));
    // The name that was given counts, not the one that it may link to.
    let folder = config.parent().unwrap_or(Path::new(""));
    let config = match config.file_name() {
        Some(name) => canonical_path(folder).join(name),
        None => canonical_path(config),
    };
    let from_root = relative_path(&root, &config);
    // Two projects of one repository may render into one folder. Outside of the repository, the relative path would
    // only hold on this machine.
    let is_near = out != root
        && (out.starts_with(&root)
            || git::repository(&out).is_some_and(|repository| root.starts_with(repository)));
    let from_output = match is_near {
        true => relative_path(&out, &config),
        false => from_root.clone(),
    };
    Configuration {
        from_root,
        from_output,
        ..Configuration::default()
    }
}

/// The path from the root of the Git repository to the folder that files are written to. If that folder is in no
/// repository, the project's root is used instead.
pub(super) fn prefix(root: &Path, out: &Path) -> String {
    let folders = [canonical_path(out), canonical_path(root)];
    let found = folders.iter().find_map(|folder| {
        let repository = git::repository(folder)?;
        Some(slashed(folder.strip_prefix(repository).ok()?))
    });
    found.unwrap_or_default()
}

/// The relative path from a folder to a path. Both must be absolute and canonical.
fn relative_path(folder: &Path, path: &Path) -> String {
    let mut up = 0;
    let mut above = folder;
    while !path.starts_with(above) {
        let Some(next) = above.parent() else {
            return slashed(path);
        };
        above = next;
        up += 1;
    }
    let below = path.strip_prefix(above).unwrap_or(path);
    "../".repeat(up) + &slashed(below)
}

/// The absolute path without links and dots, as far as it exists.
fn canonical_path(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut missing: Vec<OsString> = Vec::new();
    let mut there = path.as_path();
    loop {
        if let Ok(mut settled) = there.canonicalize() {
            for part in missing.iter().rev() {
                match part.to_str() {
                    Some("..") => {
                        settled.pop();
                    }
                    _ => settled.push(part),
                }
            }
            return settled;
        }
        let part = there.components().next_back();
        let (Some(above), Some(part)) = (there.parent(), part) else {
            return path;
        };
        missing.push(part.as_os_str().to_owned());
        there = above;
    }
}

/// The path with `/` on every system and without `.` components.
pub(super) fn slashed(path: &Path) -> String {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    let parts = parts.map(|part| part.as_os_str().to_string_lossy().into_owned());
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_named_from_where_its_lock_lies() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("a");
        std::fs::create_dir_all(root.join("b")).expect("folders");
        let named = |config: &str, out: &str| {
            let found = configuration(&root.join(config), &root, &root.join(out));
            (found.from_root, found.from_output)
        };
        let both = |one: &str, two: &str| (one.to_owned(), two.to_owned());
        assert_eq!(
            named("cluster.toml", ""),
            both("cluster.toml", "cluster.toml")
        );
        assert_eq!(named("b/../x.toml", "."), both("x.toml", "x.toml"));
        assert_eq!(named("b/x.toml", ""), both("b/x.toml", "b/x.toml"));
        assert_eq!(named("../x.toml", ""), both("../x.toml", "../x.toml"));
        assert_eq!(
            named("cluster.toml", "new/c"),
            both("cluster.toml", "../../cluster.toml")
        );
        assert_eq!(
            named("cluster.toml", "../out"),
            both("cluster.toml", "cluster.toml")
        );
        std::fs::create_dir(folder.path().join(".git")).expect("a folder");
        assert_eq!(
            named("cluster.toml", "../out"),
            both("cluster.toml", "../a/cluster.toml")
        );
        assert_eq!(prefix(&root, &root), "a");
        assert_eq!(prefix(&root, &root.join("new/c")), "a/new/c");
    }
}
