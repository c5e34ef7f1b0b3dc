//! The folders that contain files, found from the paths of the files without a disk.

use std::collections::{BTreeSet, HashMap, HashSet};

use manifest::value::path::{folder, join};

/// The folders that contain files.
#[derive(Debug, Default)]
pub struct Folders<'a> {
    all: HashSet<&'a str>,
    files: Option<&'a BTreeSet<String>>,
}

impl<'a> Folders<'a> {
    /// The folders that contain any of `files`, directly or not.
    pub fn of(files: &'a BTreeSet<String>) -> Self {
        let mut all = HashSet::with_capacity(files.len());
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

    /// Whether `folder` contains files, directly or not.
    pub fn contains(&self, folder: &str) -> bool {
        self.all.contains(folder)
    }

    /// All folders.
    pub fn all(&self) -> impl Iterator<Item = &'a str> {
        self.all.iter().copied()
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

    /// The folders that paths from the root of a repository lead to. Each path comes with the file that contains it:
    /// `(path, file)`.
    ///
    /// The root is a folder above the file. The given files may be named from a folder above the root
    /// (`clones/home/…`) or below it (`apps/…` for `kubernetes/apps/…`). If a path fits several roots, the root that
    /// fits most paths is taken, and of several such roots the nearest one. A root outside of the given files counts
    /// only if no path fits any other.
    pub fn lead_to(&self, paths: &[(&str, &str)]) -> Vec<Option<&'a str>> {
        let fits = |is_outside| -> Vec<Vec<(Root, &'a str)>> {
            paths
                .iter()
                .map(|(path, file)| self.fits(path, file, is_outside))
                .collect()
        };
        let mut all = fits(false);
        if all.iter().all(Vec::is_empty) {
            all = fits(true);
        }
        let mut votes: HashMap<&Root, usize> = HashMap::new();
        for (root, _) in all.iter().flatten() {
            *votes.entry(root).or_default() += 1;
        }
        // Nearer roots come first. `max_by_key` takes the last maximum, so the order is reversed.
        let best = |fits: &Vec<(Root, &'a str)>| {
            let ranked = fits.iter().rev();
            let best = ranked.max_by_key(|(root, _)| votes.get(root).copied());
            best.map(|(_, folder)| *folder)
        };
        all.iter().map(best).collect()
    }

    /// The folders that a path may lead to, each with the root that it would be relative to. Nearer roots come first.
    fn fits(&self, path: &str, file: &str, is_outside: bool) -> Vec<(Root, &'a str)> {
        let path = join("", path);
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let mut found = Vec::new();
        let mut above = folder(file);
        while !parts.is_empty() {
            let skips = if is_outside { 1..parts.len() } else { 0..1 };
            for skip in skips {
                let (outside, inside) = parts.split_at(skip);
                if let Some(folder) = self.all.get(join(above, &inside.join("/")).as_str()) {
                    let root = Root {
                        folder: above.to_owned(),
                        outside: outside.join("/"),
                    };
                    found.push((root, *folder));
                }
            }
            if above.is_empty() {
                break;
            }
            above = folder(above);
        }
        found
    }
}

/// A possible root of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Root {
    /// The folder among the given files that corresponds to it.
    folder: String,
    /// The folders between the root and `folder`, if the root is outside of the given files; otherwise empty.
    outside: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(paths: &[&str]) -> BTreeSet<String> {
        paths.iter().map(|path| (*path).to_owned()).collect()
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
            assert_eq!(folders.lead_to(&[(ks, all[0])]), [want], "{start}");
        }
    }

    #[test]
    fn the_root_is_where_most_paths_fit() {
        let files = files(&[
            "clusters/home/apps.yaml",
            "clusters/home/apps/x.yaml",
            "apps/a.yaml",
            "infra/a.yaml",
        ]);
        let folders = Folders::of(&files);
        let file = "clusters/home/apps.yaml";
        assert_eq!(
            folders.lead_to(&[
                ("./apps", file),
                ("infra/", file),
                ("./", file),
                ("absent", file)
            ]),
            [Some("apps"), Some("infra"), None, None]
        );
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
            folders.lead_to(&[
                ("./apps/x/app", "two/ks.yaml"),
                ("./apps/x/app", "one/ks.yaml"),
                ("./ps/x/app", "one/ks.yaml")
            ]),
            [Some("two/apps/x/app"), Some("one/apps/x/app"), None]
        );
        assert_eq!(folders.below("one/apps").count(), 1);
    }
}
