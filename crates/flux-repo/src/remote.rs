//! Determines if an entry of a kustomization leads out of the repository.
//!
//! kustomize first tries to read an entry as a file: it downloads a URL, and looks for anything else beside the
//! kustomization. An entry that is not a file is a Git repository if it looks like one
//! (`api/internal/git/repospec.go`, v0.21), otherwise a folder.

/// The prefixes after which kustomize expects a host.
const SCHEMES: [&str; 4] = ["https://", "http://", "ssh://", "file://"];

/// Whether an entry is a URL, which kustomize downloads.
pub(crate) fn is_url(text: &str) -> bool {
    text.contains("://")
}

/// Whether an entry looks like a Git repository, with or without a folder in it.
pub(crate) fn is_repository(text: &str) -> bool {
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let path = without_prefix(path, "git::").unwrap_or(path);
    if SCHEMES
        .iter()
        .any(|scheme| without_prefix(path, scheme).is_some())
    {
        return true;
    }
    let (user, path) = match path.split_once('@') {
        Some((user, path)) if is_user(user) => (Some(user), path),
        _ => (None, path),
    };
    let is_github = ["github.com/", "github.com:"]
        .iter()
        .any(|host| without_prefix(path, host).is_some());
    if user.is_none() && !is_github {
        return is_host_and_repository(path, query);
    }
    let rest = path.split_once(['/', ':']).map_or("", |(_, rest)| rest);
    rest.contains('/') || rest.contains(".git")
}

/// Whether an entry is a host without a scheme, followed by something that marks a Git repository:
/// `gitlab.com/org/repo//folder`. kustomize fetched such entries up to version 4. Today it fails on them, but nobody
/// means a folder of the repository by them.
fn is_host_and_repository(path: &str, query: &str) -> bool {
    let Some((host, rest)) = path.split_once('/') else {
        return false;
    };
    let is_host = host.contains('.') && !host.starts_with('.');
    let has_version = query
        .split('&')
        .any(|part| part.starts_with("ref=") || part.starts_with("version="));
    let has_mark = rest.contains("//") || rest.ends_with(".git") || rest.contains(".git/");
    is_host && (has_mark || has_version)
}

fn is_user(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// The text after a prefix, which is compared without regard to case.
fn without_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_the_form_of_a_repository_is_one() {
        for text in [
            "https://example.com/org/repo//base?ref=v1",
            "github.com/org/repo?ref=main",
            "GitHub.com/org/repo",
            "github.com:org/repo",
            "git::https://example.com/org/repo",
            "git@example.com:org/repo.git",
            "org-1@github.com/org/repo",
            "ssh://git@example.com/org/repo",
            "file:///srv/repo",
            "gitlab.com/org/repo//p",
            "codeberg.org/org/repo.git/base",
            "example.com/org/repo?ref=v1",
        ] {
            assert!(is_repository(text), "{text}");
        }
    }

    #[test]
    fn what_kustomize_looks_for_in_the_repository_is_none() {
        for text in [
            "x.yaml",
            "./x",
            "../a/x.yaml",
            "a/b.c/x.yaml",
            "app.v1/x.yaml",
            "app.v1/base/prod",
            "example.com/org/repo",
            "./github.com/org/repo",
            "github.com/repo",
            "a@b/x.yaml",
            ".hidden//x.yaml",
            "app.v1/.github/x.yaml",
            "*.yaml",
        ] {
            assert!(!is_repository(text), "{text}");
        }
    }
}
