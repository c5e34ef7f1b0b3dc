//! Removes what was rendered for clusters that the configuration doesn't describe any more.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::described::for_cluster;
use super::owned::{Owned, with_help};
use super::project::Project;
use crate::compile::Compiled;
use crate::render::shared;
use crate::tree::abandoned::{abandoned, remove_lock};
use crate::tree::{self, Plan};
use manifest::diagnostic::{Diagnostic, Sources};

/// What a render would do with the files of a cluster that is not described any more.
pub(super) struct AbandonedCluster {
    /// The cluster; `None` for the configuration when it described only one.
    name: Option<String>,
    pub plan: Plan,
    /// What is wrong with kustomizations that have entries of ours.
    problems: Vec<Diagnostic>,
    folder: PathBuf,
    lock: String,
}

impl Project {
    /// This project for each cluster that is not described any more.
    ///
    /// # Errors
    /// If a lock can't be read.
    fn abandoned(&self) -> anyhow::Result<Vec<Self>> {
        let locks = abandoned(&self.out, &self.configuration()).map_err(with_help)?;
        let projects = locks.into_iter().map(|locks| Project {
            owned: OnceLock::from(Owned::new(locks)),
            ..for_cluster(self, None)
        });
        Ok(projects.collect())
    }

    /// The files of clusters that are not described any more, which the next render removes unless they were edited.
    ///
    /// # Errors
    /// If a lock can't be read.
    pub(super) fn abandoned_files(&self) -> anyhow::Result<Vec<(Option<String>, Vec<String>)>> {
        let mut all = Vec::new();
        for project in self.abandoned()? {
            let owned = project.owned()?;
            let lock = &owned.locks.own;
            let shared = owned.shared(&project.out).into_iter();
            let shared = shared.filter(|it| it.untouched).map(|it| it.path);
            let whole = lock.whole().map(|(path, _)| path.to_string());
            all.push((lock.cluster.clone(), whole.chain(shared).collect()));
        }
        Ok(all)
    }
}

/// What a render does with the files of clusters that the projects don't describe any more, when all of these are written.
///
/// # Errors
/// If something can't be read.
pub(super) fn plans(
    written: &[(Project, Compiled)],
    sources: &mut Sources,
) -> anyhow::Result<Vec<AbandonedCluster>> {
    let rendered = written
        .iter()
        .flat_map(|(_, compiled)| compiled.file_names());
    let rendered: BTreeSet<String> = rendered.collect();
    let Some((project, compiled)) = written.first() else {
        return Ok(Vec::new());
    };
    let Some(model) = &compiled.model else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    for mut project in project.abandoned()? {
        let Some(mut owned) = project.owned.take() else {
            continue;
        };
        let own = &mut owned.locks.own;
        // Another cluster has taken them over.
        own.files
            .retain(|path, _| !rendered.contains(path.as_str()));
        let (name, lock) = (own.cluster.clone(), owned.locks.file.clone());
        project.owned = OnceLock::from(owned);
        let (left, problems) = shared::leave_all(model, &project, sources);
        let plan = project.owned()?.plan(&project.out, &left, false)?;
        all.push(AbandonedCluster {
            name,
            plan,
            problems,
            folder: project.out,
            lock,
        });
    }
    Ok(all)
}

impl AbandonedCluster {
    /// Carries out the plan, and forgets the cluster.
    ///
    /// # Errors
    /// If something can't be written.
    pub(super) fn apply(&self) -> anyhow::Result<()> {
        if self.plan.has_work() {
            tree::apply(&self.plan).map_err(with_help)?;
        }
        remove_lock(&self.folder, &self.lock).map_err(with_help)
    }

    /// The findings on what is out of date, or on what is kept.
    pub(super) fn findings(&self, is_check: bool) -> Vec<Diagnostic> {
        let plan = &self.plan;
        let found = if is_check {
            plan.out_of_date()
        } else {
            plan.findings()
        };
        let all = found.into_iter().chain(self.problems.iter().cloned());
        let named = all.map(|finding| Diagnostic {
            clusters: self.name.iter().cloned().collect(),
            ..finding
        });
        named.collect()
    }

    /// Whether the files can be written.
    pub(super) fn is_possible(&self) -> bool {
        self.plan.refused.is_empty() && !self.problems.iter().any(Diagnostic::is_error)
    }
}
