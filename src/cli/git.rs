//! Reads commits through the `git` program.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::bounds::program::{self, Bounds, Ran};

/// The time limit for one run of Git. It normally answers within a moment, but it waits for ever if one of its files
/// has been replaced by a pipe.
const TIME: Duration = Duration::from_secs(60);

/// The most bytes that one run of Git may print. All manifests of a repository fit into it.
const LARGEST: u64 = 256 << 20;

/// The root of the Git repository that contains `folder`: the nearest folder with a `.git`, which is a folder, or a
/// file in a linked work tree. `folder` must be canonical.
pub(super) fn repository(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|above| above.join(".git").exists())
}

/// Runs Git in `root` with `input` as its standard input. Its error messages are not shown, because they may quote
/// anything.
fn git(root: &Path, args: &[&str], input: String) -> anyhow::Result<Ran> {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(args).stderr(Stdio::null());
    let bounds = Bounds {
        time: TIME,
        bytes: LARGEST,
    };
    program::run(&mut command, Some(input.into_bytes()), bounds)
        .context("can't run git, which `--against git:REV` needs")
}

/// The revision in an argument `git:REV`.
///
/// # Errors
/// If it is anything else.
pub(super) fn parse_revision(text: &str) -> Result<String, String> {
    match text.split_once(':') {
        Some(("git", rev)) if !rev.is_empty() && !rev.starts_with('-') => Ok(rev.to_owned()),
        _ => Err("write `git:` and a revision such as `git:main`".to_owned()),
    }
}

/// Resolves a revision to the hash of its commit.
///
/// # Errors
/// If Git is not installed, `root` is in no repository, or there is no such revision.
pub(super) fn commit(root: &Path, rev: &str) -> anyhow::Result<String> {
    let rev_of_commit = format!("{rev}^{{commit}}");
    let args = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
    let ran = git(
        root,
        &[&args[..], &[&rev_of_commit]].concat(),
        String::new(),
    )?;
    if !ran.status.success() {
        bail!("there is no revision `{rev}` in this Git repository");
    }
    Ok(String::from_utf8_lossy(&ran.printed).trim().to_owned())
}

/// The contents of files at a commit, with their paths from `root`. Files that the commit doesn't have are left out.
///
/// # Errors
/// If Git fails.
pub(super) fn show(
    root: &Path,
    commit: &str,
    paths: &[String],
) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let asked = paths.iter().map(|path| format!("{commit}:./{path}\n"));
    let ran = git(root, &["cat-file", "--batch"], asked.collect())?;
    let mut rest = ran.printed.as_slice();
    let mut files = Vec::new();
    for path in paths {
        let Some((header, after)) = split_first_line(rest) else {
            bail!("git ended before it had answered");
        };
        let mut words = header.split_whitespace().rev();
        let size = words.next().and_then(|size| size.parse::<usize>().ok());
        match (size, words.next()) {
            (Some(size), Some("blob")) => {
                let Some((bytes, after)) = after.split_at_checked(size) else {
                    bail!("git ended before it had answered");
                };
                files.push((path.clone(), bytes.to_vec()));
                // Git ends each file's bytes with a newline of its own.
                rest = after.get(1..).unwrap_or_default();
            }
            _ if header.ends_with(" missing") => rest = after,
            _ => bail!("git gave an unexpected answer for {path}: `{header}`"),
        }
    }
    Ok(files)
}

/// The paths of all regular files below `root` at a commit, relative to `root`. Links and submodules are left out.
///
/// # Errors
/// If Git fails.
pub(super) fn files(root: &Path, commit: &str) -> anyhow::Result<Vec<String>> {
    let ran = git(root, &["ls-tree", "-r", "-z", commit], String::new())?;
    if !ran.status.success() {
        bail!("git can't list the files of {commit}");
    }
    let mut files = Vec::new();
    for entry in ran.printed.split(|byte| *byte == 0) {
        let entry = String::from_utf8_lossy(entry);
        // `MODE blob HASH<tab>PATH`; regular files have mode 100644 or 100755.
        if let Some((about, path)) = entry.split_once('\t')
            && about.starts_with("100")
        {
            files.push(path.to_owned());
        }
    }
    Ok(files)
}

/// Splits bytes into the first line and what follows it.
fn split_first_line(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, after) = bytes.split_at(end);
    let after = after.get(1..).unwrap_or_default();
    Some((String::from_utf8_lossy(line).into_owned(), after))
}
