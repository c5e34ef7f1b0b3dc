//! What Git knows, through its own program.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// The root of the repository that a folder lies in, told by `.git`: a folder, or, in a work tree, a file. The folder
/// must be given without links and dots.
pub fn repository(folder: &Path) -> Option<PathBuf> {
    let mut above = folder.ancestors();
    above
        .find(|above| above.join(".git").exists())
        .map(Path::to_path_buf)
}

fn git(root: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(root);
    command
}

/// The commit that a revision names.
///
/// # Errors
/// Where there is no Git, no repository or no such revision.
pub fn commit(root: &Path, rev: &str) -> anyhow::Result<String> {
    let output = git(root)
        .args(["rev-parse", "--verify", "--quiet", "--end-of-options"])
        .arg(format!("{rev}^{{commit}}"))
        .output()
        .context("git can't be run; it is needed for `--against git:REV`")?;
    if !output.status.success() {
        bail!("Git knows no revision `{rev}` here");
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Files of a commit, by their paths from `root`; those that it doesn't have are left out.
///
/// # Errors
/// Where Git fails.
pub fn show(root: &Path, commit: &str, paths: &[String]) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut child = git(root)
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("git can't be run")?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        bail!("git can't be talked to");
    };
    let asked: Vec<String> = paths
        .iter()
        .map(|path| format!("{commit}:./{path}\n"))
        .collect();
    let writer = std::thread::spawn(move || {
        asked
            .iter()
            .try_for_each(|line| stdin.write_all(line.as_bytes()))
    });
    let mut reader = BufReader::new(stdout);
    let mut files = Vec::new();
    for path in paths {
        let mut header = String::new();
        reader
            .read_line(&mut header)
            .context("git stopped answering")?;
        let mut words = header.split_whitespace().rev();
        let size = words.next().and_then(|size| size.parse::<usize>().ok());
        match (size, words.next()) {
            (Some(size), Some("blob")) => {
                let mut bytes = vec![0; size];
                reader
                    .read_exact(&mut bytes)
                    .context("git stopped answering")?;
                let mut end = [0; 1];
                reader
                    .read_exact(&mut end)
                    .context("git stopped answering")?;
                files.push((path.clone(), bytes));
            }
            _ if header.trim_end().ends_with(" missing") => {}
            _ => bail!("git answered `{}` for {path}", header.trim_end()),
        }
    }
    // What it could not write shows as an answer that did not come.
    let _ = writer.join();
    child.wait().context("git can't be waited for")?;
    Ok(files)
}
