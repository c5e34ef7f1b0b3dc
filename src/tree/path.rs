//! Paths below the root.

use std::fmt;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::lock::LOCK_FILE;

/// A path relative to the root, with `/` on every system, whose text can't lead out of the root. (Symbolic links are
/// checked on disk, when the path is used.)
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(String);

impl TreePath {
    /// Parses a relative path.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence that starts with the path: it is absolute; one of its
    /// components is empty, `.`, `..` or `.git`; it has a backslash, a colon or a control character; or it is a name
    /// that gatewayctl uses itself.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.starts_with('/') {
            return Err("is absolute");
        }
        if text.contains('\\') {
            return Err("has a backslash, which separates folders on Windows");
        }
        if text.contains(':') {
            return Err("has a colon, which marks a drive on Windows");
        }
        if text.chars().any(char::is_control) {
            return Err("has a control character");
        }
        for part in text.split('/') {
            match part {
                "" => return Err("has an empty component"),
                "." | ".." => return Err("has a component `.` or `..`"),
                // A file there could be a hook that Git runs.
                part if part.eq_ignore_ascii_case(".git") => {
                    return Err("leads into Git's own folder");
                }
                part if is_reserved(part) => {
                    return Err("is a name that gatewayctl uses itself");
                }
                _ => {}
            }
        }
        Ok(TreePath(text.to_owned()))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last component.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The folder that contains it; `None` directly below the root.
    pub fn parent(&self) -> Option<TreePath> {
        let (parent, _) = self.0.rsplit_once('/')?;
        Some(TreePath(parent.to_owned()))
    }

    /// The folders above it, below the root, the outermost first.
    pub fn folders(&self) -> Vec<TreePath> {
        self.0
            .match_indices('/')
            .filter_map(|(at, _)| self.0.get(..at))
            .map(|text| TreePath(text.to_owned()))
            .collect()
    }

    /// The name of the temporary file for this path. It is in the same folder, because a rename is only atomic within
    /// a file system. The name is a hash, so it is never too long and always the same: what a killed run left behind
    /// is found without a search.
    pub(super) fn temporary(&self) -> String {
        beside(self.name(), "tmp")
    }

    /// The name under which the old file is kept while it is checked again; before that, it is the complete new file.
    pub(super) fn aside(&self) -> String {
        beside(self.name(), ASIDE)
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of the temporary file for a file in the same folder.
pub(super) fn temporary_of(name: &str) -> String {
    beside(name, "tmp")
}

fn beside(name: &str, ending: &str) -> String {
    let hash = HEXLOWER.encode(&Sha256::digest(name));
    format!("{OWN}-{hash:.16}.{ending}")
}

/// The beginning of the names that gatewayctl uses itself.
const OWN: &str = ".gatewayctl";

const ASIDE: &str = "aside";

/// The name of a lock for another configuration than the usual one. `text` distinguishes it.
pub(super) fn lock_of(text: &str) -> String {
    format!("{OWN}.{text}.lock")
}

/// Whether a file in the root with this name is a lock, of whichever configuration.
pub(super) fn is_lock(name: &str) -> bool {
    let rest = name.strip_prefix(OWN).and_then(|it| it.strip_prefix('.'));
    name == LOCK_FILE || rest.is_some_and(|rest| rest.ends_with(".lock"))
}

fn is_reserved(name: &str) -> bool {
    let rest = name.strip_prefix(OWN);
    rest.is_some_and(|rest| rest.starts_with(['.', '-']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_leave_the_root_is_no_path() {
        let refused = [
            "",
            "/",
            "/etc/passwd",
            "a/../b",
            "..",
            "../a",
            "a/..",
            ".",
            "./a",
            "a//b",
            "a/",
            "a\\b",
            "C:/x",
            "a\0b",
            "a\nb",
            ".git/hooks/pre-commit",
            "sub/.GIT/config",
            ".gatewayctl.lock",
            "a/.gatewayctl-00.tmp",
            ".gatewayctl.staging.toml.lock",
            "a/.gatewayctl-00.aside",
        ];
        for text in refused {
            assert!(TreePath::parse(text).is_err(), "{text:?}");
        }
        for text in [
            "a",
            "a/b.yaml",
            ".gitignore",
            "a/..b",
            "ä/ö",
            "kubernetes/apps/network/ks.yaml",
        ] {
            assert_eq!(
                TreePath::parse(text).map(|path| path.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn folders_are_listed_from_the_outside() {
        let path = TreePath::parse("a/b/c.yaml").expect("a path");
        let folders: Vec<String> = path.folders().iter().map(TreePath::to_string).collect();
        assert_eq!(folders, ["a", "a/b"]);
        assert_eq!(TreePath::parse("a").expect("a path").parent(), None);
    }
}
