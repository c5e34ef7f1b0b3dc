//! Paths of files in reports, in the form that code hosting services expect.

use std::path::Path;

use manifest::value::path::{join, normalise};

/// The base for file names in a report: absolute paths, with `/` on every operating system.
/// The formats `sarif`, `github` and `junit` are read by services that identify a file by its path from the
/// repository's root. By default, names are assumed to be such paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base {
    /// The repository's root.
    pub repository: String,
    /// The folder that relative names refer to.
    pub folder: String,
}

impl Base {
    /// The path of a file from the repository's root, for the `name` that is shown. It is absolute if the
    /// file is outside of the repository. A name that is not a path, such as `<stdin>`, stays as it is.
    pub fn path(&self, name: &str) -> String {
        if name.is_empty() || name.starts_with('<') {
            return name.to_owned();
        }
        let path = match self.folder.as_str() {
            "" => normalise(name),
            _ if Path::new(name).is_absolute() => normalise(name),
            folder => join(folder, name),
        };
        let below = path
            .strip_prefix(self.repository.trim_end_matches('/'))
            .and_then(|rest| rest.strip_prefix('/'))
            .filter(|_| !self.repository.is_empty());
        match below {
            Some(below) => below.to_owned(),
            None => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_paths_from_the_repositorys_root() {
        let base = |repository: &str, folder: &str| Base {
            repository: repository.to_owned(),
            folder: folder.to_owned(),
        };
        let cases = [
            (Base::default(), "cluster.toml", "cluster.toml"),
            (Base::default(), "./a//b/../c.yaml", "a/c.yaml"),
            (Base::default(), "../a.yaml", "../a.yaml"),
            (base("/repo", "/repo"), "cluster.toml", "cluster.toml"),
            (base("/repo", "/repo/main"), "a.toml", "main/a.toml"),
            (base("/repo", "/repo/main"), "../web/a.yaml", "web/a.yaml"),
            (base("/repo", "/repo/main"), "/repo/x/a.yaml", "x/a.yaml"),
            (base("/repo", "/repo"), "../other/a.yaml", "/other/a.yaml"),
            (base("/repo", "/repo"), "/repository/a", "/repository/a"),
            (base("/", "/main"), "a.toml", "main/a.toml"),
            (base("/repo", "/repo/main"), "<stdin>", "<stdin>"),
            (base("/repo", "/repo/main"), "", ""),
        ];
        for (base, name, path) in cases {
            assert_eq!(base.path(name), path, "{base:?} {name}");
        }
    }
}
