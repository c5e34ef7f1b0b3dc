//! Paths as URIs.

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The bytes that are escaped in a path.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// The path of a URI. `None` if it is not one of a file on this machine.
pub(super) fn to_path(uri: &str) -> Option<PathBuf> {
    let rest = uri.strip_prefix("file://")?;
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return None;
    }
    let path = percent_decode_str(path).decode_utf8().ok()?;
    // On Windows, `/c:/a` stands for `c:/a`.
    let bytes = path.as_bytes();
    let has_drive = cfg!(windows) && bytes.get(2) == Some(&b':');
    let path = path.get(usize::from(has_drive)..)?;
    let path = PathBuf::from(path);
    Some(clean(&path))
}

/// The URI of an absolute path.
pub(super) fn of_path(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    // A resolved path on Windows has this prefix, which no editor knows.
    let text = text.strip_prefix("//?/").unwrap_or(&text);
    let start = if text.starts_with('/') { "" } else { "/" };
    format!("file://{start}{}", utf8_percent_encode(text, ESCAPED))
}

/// The path with links of its folder followed, so that files are found by the paths that a walk gives them.
fn clean(path: &Path) -> PathBuf {
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    match (folder, path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn paths_with_any_characters_survive_as_uris() {
        for path in ["/no-such-folder/a b/ä#?%.yaml", "/no-such-folder/x:y/z"] {
            let uri = of_path(Path::new(path));
            assert!(!uri.contains([' ', '#', '?']), "{uri}");
            assert_eq!(to_path(&uri).as_deref(), Some(Path::new(path)), "{uri}");
        }
        assert_eq!(to_path("untitled:Untitled-1"), None);
        assert_eq!(to_path("file://server/a"), None);
        assert_eq!(to_path("file:///a%ff"), None);
    }
}
