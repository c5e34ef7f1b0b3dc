//! What was not read.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use super::{Manifests, is_manifest};
use crate::cli::walk::SkipReason;
use manifest::diagnostic::printable::printable;

impl Manifests {
    /// What was skipped and may hold manifests: the `.git` folder and files with other endings can't.
    fn skipped(&self) -> impl Iterator<Item = (&Path, SkipReason)> {
        let may_hold =
            |path: &Path| is_manifest(path) || (path.is_dir() && !path.ends_with(".git"));
        let skipped = self
            .skipped
            .iter()
            .map(|(path, why)| (path.as_path(), *why));
        skipped.filter(move |(path, _)| may_hold(path))
    }

    /// How many paths were skipped for each reason.
    pub(in crate::cli) fn skipped_by_reason(&self) -> BTreeMap<SkipReason, usize> {
        let mut paths_by_reason: BTreeMap<SkipReason, usize> = BTreeMap::new();
        for (_, why) in self.skipped() {
            *paths_by_reason.entry(why).or_default() += 1;
        }
        paths_by_reason
    }

    /// Prints what was skipped: only how much, or with `each` every path.
    ///
    /// # Errors
    /// If it can't be written.
    pub(in crate::cli) fn print_skipped(
        &self,
        each: bool,
        out: &mut dyn Write,
    ) -> std::io::Result<()> {
        if each {
            for (path, why) in self.skipped() {
                let shown = printable(&self.shown(path));
                writeln!(out, "skipped {shown}: {}", why.as_str())?;
            }
            return Ok(());
        }
        let counts = self.skipped_by_reason();
        if counts.is_empty() {
            return Ok(());
        }
        let counts = counts.iter();
        let counts: Vec<String> = counts
            .map(|(why, count)| format!("{count} ({})", why.as_str()))
            .collect();
        let counts = counts.join(", ");
        writeln!(out, "skipped in folders: {counts}; --verbose lists them")
    }
}
