//! `gatewayctl watch`: checks the repository at each save, and shows what the changes since a commit mean.
//!
//! It looks at the times of the files instead of asking the operating system for events, because events are missing on network
//! folders and in containers, and each system has its own limits. Looking at thousands of files takes milliseconds.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use super::checked::check_whole;
use super::diff;
use super::location;
use super::output::Stream;
use super::walk::walk;
use super::{Global, git};
use crate::report::{Format, Report};
use manifest::diagnostic::printable::printable;

/// Arguments of `watch`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  gatewayctl watch                     findings, and what changes since the last commit
  gatewayctl watch --against git:main  what changes since the branch main")]
pub(super) struct Args {
    /// The revision to compare with: `git:REV`, such as `git:main` [default: git:HEAD]
    #[arg(long, value_name = "git:REV", value_parser = git::parse_revision)]
    against: Option<String>,
}

/// How often the files are looked at.
const PAUSE: Duration = Duration::from_millis(300);

/// How many names of changed files are shown.
const SHOWN: usize = 3;

/// Files that are not walked, because their names start with a dot, but that matter: what was rendered, and the last commit.
const HIDDEN: [&str; 2] = [".gatewayctl.lock", ".git/logs/HEAD"];

/// Runs the command, until it is interrupted or nobody reads its output any more.
///
/// # Errors
/// If there is nothing to watch, or the output can't be written.
pub(super) fn run(args: &Args, global: &Global, out: &mut Stream) -> anyhow::Result<ExitCode> {
    let root = location::root(global)?;
    let global = Global {
        quiet: true,
        is_background: true,
        ..global.clone()
    };
    let mut seen = times(&root).unwrap_or_default();
    let mut changed = Vec::new();
    loop {
        out.clear()?;
        heading(&changed, out)?;
        page(args, &root, &global, out)?;
        out.flush()?;
        loop {
            if out.is_closed() {
                return Ok(ExitCode::SUCCESS);
            }
            std::thread::sleep(PAUSE);
            // A folder may be gone for a moment, while Git checks out another branch.
            let Ok(now) = times(&root) else { continue };
            if now != seen {
                changed = differing(&seen, &now, &root);
                seen = settled(&root, now);
                break;
            }
        }
    }
}

type Times = BTreeMap<PathBuf, (u64, Option<SystemTime>)>;

/// The sizes and times of all files that may matter.
fn times(root: &Path) -> std::io::Result<Times> {
    let hidden = HIDDEN.iter().map(|name| root.join(name));
    let files = walk(root)?.files.into_iter().chain(hidden);
    let of_file = |path: PathBuf| {
        let about = std::fs::metadata(&path).ok()?;
        Some((path, (about.len(), about.modified().ok())))
    };
    Ok(files.filter_map(of_file).collect())
}

/// Waits until nothing changes any more: many files may be saved one after the other.
fn settled(root: &Path, mut last: Times) -> Times {
    loop {
        std::thread::sleep(PAUSE / 3);
        match times(root) {
            Ok(now) if now == last => return now,
            Ok(now) => last = now,
            Err(_) => {}
        }
    }
}

/// The names of the files that were added, changed or removed.
fn differing(before: &Times, now: &Times, root: &Path) -> Vec<String> {
    let paths = before.keys().chain(now.keys());
    let mut paths: Vec<&PathBuf> = paths
        .filter(|path| before.get(*path) != now.get(*path))
        .collect();
    paths.sort();
    paths.dedup();
    let name = |path: &&PathBuf| {
        let path = path.strip_prefix(root).unwrap_or(path);
        path.to_string_lossy().replace('\\', "/")
    };
    paths.iter().map(name).collect()
}

fn heading(changed: &[String], out: &mut Stream) -> anyhow::Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> = changed.iter().take(SHOWN).map(|it| printable(it)).collect();
    let more = changed.len() - shown.len();
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    writeln!(out, "changed: {}{more}\n", shown.join(", "))?;
    Ok(())
}

/// Shows the findings, and what differs from the revision.
fn page(args: &Args, root: &Path, global: &Global, out: &mut Stream) -> anyhow::Result<()> {
    match check_whole(&[], global) {
        Ok(mut checked) => {
            let found = checked.take_reported();
            let report = Report::new(found, checked.files, checked.count, &checked.sources);
            global.print(Format::Human, &report, &checked.sources, out)?;
        }
        // It may be mended by the next save.
        Err(error) => writeln!(out, "error: {}", printable(&format!("{error:#}")))?,
    }
    let revision = args.against.as_deref().unwrap_or("HEAD");
    if args.against.is_none() && git::commit(root, revision).is_err() {
        // Without a commit, there is nothing to compare with.
        return Ok(());
    }
    writeln!(out, "\nsince {}:", printable(revision))?;
    if let Err(error) = diff::since_revision(
        revision,
        diff::Format::Text,
        &Global {
            quiet: false,
            ..global.clone()
        },
        out,
    ) {
        writeln!(out, "{}", printable(&format!("{error:#}")))?;
    }
    Ok(())
}
