//! Paths as findings show them, with `/`: joined and looked up without a disk.

use std::collections::{BTreeSet, HashSet};

/// The folder of a file; empty at the top.
pub fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `path` as seen from `folder`, without `.` and, as far as that can be, without `..`.
pub fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let is_absolute = folder.starts_with('/');
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if is_absolute {
        format!("/{joined}")
    } else {
        joined
    }
}

/// The folder that `path` leads to below the repository's root, or the other way round: whether one of the two
/// is the other's end, in whole steps. The number of steps that they share, or `None`.
fn shared_end(folder: &str, path: &str) -> Option<usize> {
    let steps = |text: &str| text.split('/').filter(|part| !part.is_empty()).count();
    let (long, short) = if folder.len() >= path.len() {
        (folder, path)
    } else {
        (path, folder)
    };
    let rest = long.strip_suffix(short)?;
    (rest.is_empty() || rest.ends_with('/')).then(|| steps(short))
}

/// How many steps two paths have in common from the start.
fn shared_start(a: &str, b: &str) -> usize {
    a.split('/')
        .zip(b.split('/'))
        .take_while(|(a, b)| a == b)
        .count()
}

/// The folders that hold files, by what can be asked of them.
#[derive(Debug, Default)]
pub struct Folders<'a> {
    all: HashSet<&'a str>,
    files: Option<&'a BTreeSet<String>>,
}

impl<'a> Folders<'a> {
    /// All folders of all files.
    pub fn of(files: &'a BTreeSet<String>) -> Self {
        let mut all = HashSet::new();
        for file in files {
            let mut at = folder(file);
            while all.insert(at) && !at.is_empty() {
                at = folder(at);
            }
        }
        Folders {
            all,
            files: Some(files),
        }
    }

    /// Whether there is such a folder.
    pub fn contains(&self, folder: &str) -> bool {
        self.all.contains(folder)
    }

    /// The files below a folder, at any depth.
    pub fn below(&self, folder: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let start = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        self.files.into_iter().flat_map(move |files| {
            let start = start.clone();
            files
                .range(start.clone()..)
                .map(String::as_str)
                .take_while(move |file| file.starts_with(&start))
        })
    }

    /// The folder that a path from the repository's root leads to; the nearest to `file` where there are several.
    ///
    /// What was walked may start above the root (`clones/home/kubernetes/…`) or below it (`apps/…`): the path's
    /// end is compared with the folder's. A folder below the root counts only where `below_root` says that
    /// nothing above it was found for any path.
    pub fn lead_to(&self, path: &str, file: &str, below_root: bool) -> Option<&'a str> {
        let path = join("", path);
        if path.is_empty() {
            return None;
        }
        let ends: Vec<(usize, usize, &'a str)> = self
            .all
            .iter()
            .filter(|folder| !folder.is_empty() && (below_root || folder.len() >= path.len()))
            .filter_map(|folder| {
                let end = shared_end(folder, &path)?;
                Some((end, shared_start(folder, file), *folder))
            })
            .collect();
        // Of equals the first by name, so that the answer is always the same.
        ends.into_iter()
            .max_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| b.2.cmp(a.2)))
            .map(|(_, _, folder)| folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(paths: &[&str]) -> BTreeSet<String> {
        paths.iter().map(|path| (*path).to_owned()).collect()
    }

    #[test]
    fn paths_are_joined_as_a_file_system_would() {
        for (folder, path, joined) in [
            ("a/b", "./c.yaml", "a/b/c.yaml"),
            ("a/b", "../c/", "a/c"),
            ("a", "../../c", "../c"),
            ("../a", "../../b", "../../b"),
            ("/x/a", "../b", "/x/b"),
            ("", "./a", "a"),
        ] {
            assert_eq!(join(folder, path), joined, "{folder} {path}");
        }
    }

    #[test]
    fn a_path_from_the_root_is_found_wherever_the_walk_began() {
        let ks = "./kubernetes/apps/network/envoy-gateway/app";
        for start in ["", "kubernetes/", "kubernetes/apps/"] {
            let all = [
                "envoy-gateway/ks.yaml",
                "envoy-gateway/app/envoy.yaml",
                "dns/app/a.yaml",
            ]
            .map(|file| format!("kubernetes/apps/network/{file}"));
            let all: Vec<&str> = all
                .iter()
                .filter_map(|file| file.strip_prefix(start))
                .collect();
            let files = files(&all);
            let folders = Folders::of(&files);
            let want = "kubernetes/apps/network/envoy-gateway/app".strip_prefix(start);
            assert_eq!(folders.lead_to(ks, all[0], true), want, "{start}");
            let strict = folders.lead_to(ks, all[0], false);
            assert_eq!(strict, want.filter(|_| start.is_empty()), "{start}");
        }
    }

    #[test]
    fn of_two_repositories_the_own_one_is_meant() {
        let files = files(&[
            "one/apps/x/app/a.yaml",
            "one/ks.yaml",
            "two/apps/x/app/a.yaml",
            "two/ks.yaml",
        ]);
        let folders = Folders::of(&files);
        assert_eq!(
            folders.lead_to("./apps/x/app", "two/ks.yaml", false),
            Some("two/apps/x/app")
        );
        assert_eq!(
            folders.lead_to("./apps/x/app", "one/ks.yaml", false),
            Some("one/apps/x/app")
        );
        assert_eq!(folders.lead_to("./ps/x/app", "one/ks.yaml", false), None);
        assert_eq!(folders.below("one/apps").count(), 1);
    }
}
