//! The content of files.

use std::sync::Arc;

use anyhow::{Context, bail};

use super::Input;
use crate::bounds::file::{self, Encoding, Unread};
use manifest::codes;
use manifest::diagnostic::Diagnostic;
use manifest::read::LARGEST_FILE;

/// The text of a file, or why it can't be used.
pub(super) type FileText = Result<Arc<str>, Box<UnusableFile>>;

/// A file that can't be used.
pub(super) struct UnusableFile {
    pub(super) finding: Diagnostic,
    /// Whether git-crypt has encrypted it. Whoever has the key sees the manifest.
    pub(super) is_encrypted: bool,
}

/// The first bytes of a file that git-crypt has encrypted.
const GIT_CRYPT: &[u8] = b"\0GITCRYPT\0";

/// Reads a file, or standard input.
///
/// # Errors
/// If it can't be read, or it is a pipe or a device instead of a file.
pub(super) fn text(input: &Input) -> anyhow::Result<FileText> {
    let name = input.name.as_str();
    let read = match (&input.path, &input.content) {
        (_, Some(bytes)) => Ok(bytes.clone()),
        (None, None) => file::stream(std::io::stdin().lock(), LARGEST_FILE),
        (Some(path), None) => file::read(path, LARGEST_FILE),
    };
    let problem = match read.and_then(file::decoded) {
        Ok((text, Encoding::Utf16)) if manifest::read::split(&text).len() > 1 => Diagnostic::new(
            codes::YAML_SYNTAX,
            "the file is UTF-16 and has several documents",
        )
        .why("kustomize, Flux and kubectl read only the first document of such a file, and pass over the others in silence")
        .help("save the file as UTF-8"),
        Ok((text, _)) => return Ok(Ok(text.into())),
        Err(Unread::NotUtf16 { at }) => Diagnostic::new(
            codes::YAML_SYNTAX,
            format!("the file is not valid UTF-16, from byte {at} on"),
        )
        .why("kustomize and Flux fail on this file")
        .help("save the file as UTF-8"),
        Err(Unread::TooLarge { most, .. }) => {
            let message = format!("{name} has more than {most} bytes");
            Diagnostic::new(codes::CONFIG_TOO_LARGE, message)
                .why("the file was not read: the API server accepts no object of that size")
                .help("leave the file out, or split it")
        }
        Err(Unread::NotUtf8 { at }) => Diagnostic::new(
            codes::YAML_SYNTAX,
            format!("the file is not valid UTF-8, from byte {at} on"),
        )
        .why("kustomize and Flux fail on this file")
        .help("save the file as UTF-8"),
        Err(Unread::Special("a pipe")) => bail!(
            "{name}: can't be read: it is a pipe, not a regular file\n  help: `-` reads standard input"
        ),
        Err(error) => return Err(error).with_context(|| format!("{name}: can't be read")),
    };
    let is_encrypted = match (&input.path, &input.content) {
        (_, Some(bytes)) => bytes.starts_with(GIT_CRYPT),
        (Some(path), None) => {
            file::read(path, LARGEST_FILE).is_ok_and(|it| it.starts_with(GIT_CRYPT))
        }
        (None, None) => false,
    };
    Ok(Err(Box::new(UnusableFile {
        finding: problem.in_file(name),
        is_encrypted,
    })))
}
