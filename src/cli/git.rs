//! What Git knows, through its own program.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::bounds::program::{self, Bounds, Ran};

/// How long Git may take: it answers within a moment, and waits for ever where a pipe stands in the place of one of its
/// files.
const TIME: Duration = Duration::from_secs(60);

/// How much Git may print: all files of a rendered tree.
const LARGEST: u64 = 64 << 20;

/// The root of the repository that a folder lies in, told by `.git`: a folder, or, in a work tree, a file. The folder
/// must be given without links and dots.
pub fn repository(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|above| above.join(".git").exists())
}

/// Runs Git in `root`, and gives it `input`. What it has to say of errors is not shown: it may quote anything.
fn git(root: &Path, args: &[&str], input: String) -> anyhow::Result<Ran> {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(args).stderr(Stdio::null());
    let bounds = Bounds {
        time: TIME,
        bytes: LARGEST,
    };
    program::run(&mut command, Some(input.into_bytes()), bounds)
        .context("git, which is needed for `--against git:REV`")
}

/// The commit that a revision names.
///
/// # Errors
/// Where there is no Git, no repository or no such revision.
pub fn commit(root: &Path, rev: &str) -> anyhow::Result<String> {
    let rev_of_commit = format!("{rev}^{{commit}}");
    let args = ["rev-parse", "--verify", "--quiet", "--end-of-options"];
    let ran = git(
        root,
        &[&args[..], &[&rev_of_commit]].concat(),
        String::new(),
    )?;
    if !ran.status.success() {
        bail!("Git knows no revision `{rev}` here");
    }
    Ok(String::from_utf8_lossy(&ran.printed).trim().to_owned())
}

/// Files of a commit, by their paths from `root`; those that it doesn't have are left out.
///
/// # Errors
/// Where Git fails.
pub fn show(root: &Path, commit: &str, paths: &[String]) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let asked = paths.iter().map(|path| format!("{commit}:./{path}\n"));
    let ran = git(root, &["cat-file", "--batch"], asked.collect())?;
    let mut rest = ran.printed.as_slice();
    let mut files = Vec::new();
    for path in paths {
        let Some((header, after)) = line(rest) else {
            bail!("git stopped answering");
        };
        let mut words = header.split_whitespace().rev();
        let size = words.next().and_then(|size| size.parse::<usize>().ok());
        match (size, words.next()) {
            (Some(size), Some("blob")) => {
                let Some((bytes, after)) = after.split_at_checked(size) else {
                    bail!("git stopped answering");
                };
                files.push((path.clone(), bytes.to_vec()));
                // The end of the line after the bytes.
                rest = after.get(1..).unwrap_or_default();
            }
            _ if header.ends_with(" missing") => rest = after,
            _ => bail!("git answered `{header}` for {path}"),
        }
    }
    Ok(files)
}

/// The first line, and what comes after it.
fn line(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, after) = bytes.split_at(end);
    let after = after.get(1..).unwrap_or_default();
    Some((String::from_utf8_lossy(line).into_owned(), after))
}
