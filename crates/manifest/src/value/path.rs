//! Paths of files in a repository, with `/` on every system: split, joined and compared without a disk.

/// The folder of a file; empty at the top.
pub fn folder(path: &str) -> &str {
    split(path).0
}

/// The last part of a path.
pub fn name(path: &str) -> &str {
    split(path).1
}

/// A file's folder and its name; the folder is empty at the top.
pub fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// A path without `.`, empty parts and, as far as it can do without, `..`.
pub fn normalise(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

/// `path` as seen from `folder`, normalised. A `/` at the beginning of `path` counts for nothing.
pub fn join(folder: &str, path: &str) -> String {
    match folder {
        "" => normalise(path.trim_start_matches('/')),
        folder => normalise(&format!("{folder}/{path}")),
    }
}

/// As [`join`]; `None` where the path leads out of the folder that `folder` counts from.
pub fn join_within(folder: &str, path: &str) -> Option<String> {
    let joined = join(folder, path);
    (joined != ".." && !joined.starts_with("../")).then_some(joined)
}

/// A path as seen from a folder that it lies in; `None` where it lies elsewhere, or is that folder. Everything lies
/// in the folder that paths count from, whose name is empty.
pub fn below<'a>(folder: &str, path: &'a str) -> Option<&'a str> {
    match folder {
        "" => Some(path),
        folder => path.strip_prefix(folder)?.strip_prefix('/'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_as_a_file_system_would() {
        for (folder, path, joined) in [
            ("a/b", "./c.yaml", "a/b/c.yaml"),
            ("a/b", "../c/", "a/c"),
            ("a", "../../c", "../c"),
            ("../a", "../../b", "../../b"),
            ("/x/a", "../b", "/x/b"),
            ("", "./a", "a"),
            ("", "/a", "a"),
            ("a", "", "a"),
            ("a.v1/.b", "c..d/...", "a.v1/.b/c..d/..."),
        ] {
            assert_eq!(join(folder, path), joined, "{folder} {path}");
        }
        assert_eq!(join_within("a", "../b").as_deref(), Some("b"));
        assert_eq!(join_within("a", "..").as_deref(), Some(""));
        assert_eq!(join_within("a", "../../b"), None);
        assert_eq!(join_within("a", "..b").as_deref(), Some("a/..b"));
    }

    #[test]
    fn a_path_lies_below_its_folders_only() {
        for (folder, path, rest) in [
            ("a", "a/b/c", Some("b/c")),
            ("", "a/b", Some("a/b")),
            ("a", "a", None),
            ("a", "ab/c", None),
            ("a/b", "a", None),
        ] {
            assert_eq!(below(folder, path), rest, "{folder} {path}");
        }
    }
}
