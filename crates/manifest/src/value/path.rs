//! Paths of files in a repository, with `/` on every system. They are split, joined and compared without using the disk.

/// The folder of a file; empty if the file is in no folder.
pub fn folder(path: &str) -> &str {
    split(path).0
}

/// The folders that contain a file, the nearest first, the last one being the folder that paths count from, whose name
/// is empty.
pub fn folders_above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder(path)), |at| {
        (!at.is_empty()).then(|| folder(at))
    })
}

/// The last part of a path.
pub fn name(path: &str) -> &str {
    split(path).1
}

/// A file's folder and its name; the folder is empty if the file is in none.
pub fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// A path without `.` and empty parts, and without `..` unless it leads out of the folder that the path counts from.
pub fn normalise(path: &str) -> String {
    // Most paths are normalised already.
    if path.split('/').all(|part| !matches!(part, "" | "." | "..")) {
        return path.to_owned();
    }
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

/// The normalised path of `path` in `folder`. A `/` at the beginning of `path` is ignored.
pub fn join(folder: &str, path: &str) -> String {
    match folder {
        "" => normalise(path.trim_start_matches('/')),
        folder => normalise(&format!("{folder}/{path}")),
    }
}

/// Like [`join`]; `None` if the path leads out of the folder that `folder` counts from.
pub fn join_within(folder: &str, path: &str) -> Option<String> {
    let joined = join(folder, path);
    (!is_outside(&joined)).then_some(joined)
}

/// Whether a normalised path leads out of the folder that paths count from.
pub fn is_outside(path: &str) -> bool {
    path.split('/').next() == Some("..")
}

/// The rest of a path below a folder; `None` if the path is not below it, or is the folder itself. Every path is below
/// the folder that paths count from, whose name is empty.
pub fn below<'a>(folder: &str, path: &'a str) -> Option<&'a str> {
    match folder {
        "" => Some(path),
        folder => path.strip_prefix(folder)?.strip_prefix('/'),
    }
}

/// The items whose files are nearest to `file`, which means that they have the most folders in common with it, counted
/// from the root. Several are equally near; they stay in the given order.
pub fn nearest<T>(
    file: &str,
    items: impl IntoIterator<Item = T>,
    file_of: impl Fn(&T) -> &str,
) -> Vec<T> {
    let mut nearest = Vec::new();
    let mut most = 0;
    for item in items {
        let pairs = folder(file_of(&item))
            .split('/')
            .zip(folder(file).split('/'));
        let shared = pairs.take_while(|(one, two)| one == two).count();
        if shared > most {
            nearest.clear();
            most = shared;
        }
        if shared == most {
            nearest.push(item);
        }
    }
    nearest
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
    fn folders_above_a_file_end_with_the_root() {
        let above = |path| folders_above(path).collect::<Vec<_>>();
        assert_eq!(above("a/b/c.yaml"), ["a/b", "a", ""]);
        assert_eq!(above("c.yaml"), [""]);
    }

    #[test]
    fn the_nearest_files_have_the_most_folders_in_common() {
        let files = ["a/x", "a/b/y", "ab/b/z", "a/b/c/w", "v"];
        let near = |file| nearest(file, files, |it| it);
        assert_eq!(near("a/b/file"), ["a/b/y", "a/b/c/w"]);
        assert_eq!(near("a/file"), ["a/x", "a/b/y", "a/b/c/w"]);
        assert_eq!(near("file"), ["v"]);
        assert_eq!(near("other/file"), files);
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
