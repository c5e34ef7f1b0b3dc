//! What the commands check: the project with what is beside it, a whole repository, or manifests.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::bail;
use rayon::prelude::*;

use super::manifests::{self, Manifests};
use super::project::Project;
use super::settings::{self, ValidateSettings};
use super::several::JoinedFindings;
use super::{Global, collisions, location, used};
use crate::compile::Compiled;
use crate::lint::LintInput;
use crate::model::Model;
use crate::render::File;
use crd_validate::schema::bundle::ENVOY_GATEWAY;
use crd_validate::schema::{Catalogue, Reason, Selection, Version, releases};
use envoy_gateway::controller::agreed_chart_versions;
use envoy_gateway::controller::helm_charts::chart_in;
use manifest::Object;
use manifest::diagnostic::{Diagnostic, SourceId, Sources, Span};

/// What was checked, and what it was checked against.
pub(super) struct Checked {
    pub diagnostics: Vec<Diagnostic>,
    /// The number of files.
    pub files: usize,
    /// The number of objects.
    pub count: usize,
    /// The objects and the files that they were read from, or those that `cluster.toml` renders.
    pub manifests: Manifests,
    /// The files that `cluster.toml` renders.
    pub rendered: Vec<File>,
    /// The objects beside those that `cluster.toml` renders.
    pub others: Vec<Object>,
    pub sources: Sources,
    pub catalogue: Arc<Catalogue>,
    pub selection: Selection,
    /// The cluster, if `cluster.toml` describes several.
    pub cluster: Option<String>,
    /// Whether only this one of several clusters is looked at.
    pub is_one_of_several: bool,
    /// The source of the `cluster.toml` that was checked.
    pub config: Option<SourceId>,
    pub model: Option<Model>,
    /// The folder that the names of files are relative to.
    pub folder: PathBuf,
    /// Whether `cluster.toml` was checked, with what is beside it.
    pub is_project: bool,
    /// The `[validate]` table.
    pub settings: Option<ValidateSettings>,
}

impl Checked {
    /// What the rules look at.
    pub(super) fn lint_input(&self) -> LintInput<'_> {
        LintInput {
            model: self.model.as_ref(),
            ..self.manifests.lint_input(&self.sources, &self.selection)
        }
    }

    /// Takes the findings that are reported if no options choose others.
    pub(super) fn take_reported(&mut self) -> Vec<Diagnostic> {
        let mut found = std::mem::take(&mut self.diagnostics);
        if let Some(settings) = &mut self.settings {
            settings.apply(&mut found, &self.sources, &self.folder);
            if !self.is_one_of_several {
                found.extend(settings.unused());
            }
            settings.deny(&mut found);
        }
        found
    }
}

/// Checks `cluster.toml` and everything that it renders, together with what is beside it; or, without a `cluster.toml`, the
/// whole repository. If `cluster.toml` describes several clusters, the result has the objects of the first one, and the
/// findings of all. `uses` are the versions that `--use` declares.
///
/// # Errors
/// If something can't be read.
pub(super) fn check_whole(uses: &[String], global: &Global) -> anyhow::Result<Checked> {
    let mut all = check_each(uses, global)?;
    let mut first = all.remove(0);
    if all.is_empty() {
        return Ok(first);
    }
    let (found, entries) = first.take_settled();
    let sources = std::mem::take(&mut first.sources);
    let mut joined = JoinedFindings::with(sources, &found, first.config);
    let counts = (first.files, first.count);
    joined.keep_settings(entries);
    joined.keep(first.cluster.as_deref(), found, counts);
    for mut other in all {
        let (found, entries) = other.take_settled();
        joined.add_settings(entries.into_iter(), &other.sources);
        let counts = (other.files, other.count);
        joined.add(other.cluster.as_deref(), found, &other.sources, counts);
    }
    joined.leave_out_used_settings();
    Ok(Checked {
        diagnostics: joined.diagnostics,
        sources: joined.sources,
        files: joined.files,
        count: joined.objects,
        settings: None,
        ..first
    })
}

/// Like [`check_whole`], for each cluster that `cluster.toml` describes.
///
/// # Errors
/// If something can't be read.
pub(super) fn check_each(uses: &[String], global: &Global) -> anyhow::Result<Vec<Checked>> {
    if let Some(root) = location::root_without_config(global)? {
        let mut sources = Sources::default();
        let found = manifests::read_root(&root, &global.unsaved, &mut sources)?;
        let checked = check_manifests(found, sources, uses, global)?;
        return Ok(vec![Checked {
            folder: root,
            ..checked
        }]);
    }
    if !uses.is_empty() {
        bail!(
            "--use is for manifests without a cluster.toml, or with a PATH; cluster.toml declares its versions itself"
        );
    }
    let projects = Project::all(global, None)?;
    let wholes = projects.into_par_iter().map(|project| {
        let (mut compiled, mut manifests) = project.compile_whole()?;
        compiled.diagnostics.append(&mut manifests.diagnostics);
        Ok(((project, compiled), manifests))
    });
    let wholes: Vec<_> = wholes.collect::<anyhow::Result<_>>()?;
    let (mut compiled, manifests): (Vec<_>, Vec<_>) = wholes.into_iter().unzip();
    collisions::report(&mut compiled);
    let all = compiled.into_iter().zip(manifests);
    Ok(all
        .map(|((project, compiled), manifests)| Checked::of_project(project, compiled, manifests))
        .collect())
}

/// Like [`check_whole`], for the only cluster, or the one that `--cluster` names.
///
/// # Errors
/// If there are several, or something can't be read.
pub(super) fn check_one(uses: &[String], global: &Global) -> anyhow::Result<Checked> {
    if location::locate(global)?.is_some() {
        Project::find(global)?;
    }
    check_whole(uses, global)
}

impl Checked {
    fn of_project(project: Project, mut compiled: Compiled, mut manifests: Manifests) -> Self {
        let settings = settings::of_project(&project, &mut compiled);
        let (files, count) = (manifests.files, manifests.count + compiled.objects.len());
        let others = std::mem::replace(&mut manifests.objects, compiled.objects);
        Checked {
            diagnostics: compiled.diagnostics,
            files: compiled.files.len() + files,
            count,
            manifests,
            rendered: compiled.files,
            others,
            sources: compiled.sources,
            catalogue: project.catalogue,
            selection: compiled.selection,
            is_one_of_several: project.is_one_of_several,
            cluster: project.cluster,
            config: Some(compiled.config),
            model: compiled.model,
            folder: project.root,
            is_project: true,
            settings,
        }
    }

    /// Takes the findings that are reported if no options choose others, and the places of the entries in `[validate]`.
    fn take_settled(&mut self) -> (Vec<Diagnostic>, Vec<Span>) {
        let entries = self.settings.as_ref().map(ValidateSettings::entries);
        (self.take_reported(), entries.unwrap_or_default())
    }
}

/// Checks manifests as they are, against the versions that `--use` and `cluster.toml` declare.
pub(super) fn check_paths(
    paths: &[PathBuf],
    uses: &[String],
    global: &Global,
) -> anyhow::Result<Checked> {
    let mut sources = Sources::default();
    let found = manifests::read_repository(paths, &mut sources)?;
    check_manifests(found, sources, uses, global)
}

fn check_manifests(
    mut found: Manifests,
    mut sources: Sources,
    uses: &[String],
    global: &Global,
) -> anyhow::Result<Checked> {
    if !global.quiet {
        found.print_skipped(global.verbose, &mut global.stderr())?;
    }
    let (catalogue, mut selection) = used::selection(uses, global)?;
    declare_chart(&found.objects, &catalogue, &mut selection);
    let in_force = settings::in_force(global, &mut sources, &mut found.diagnostics)?;
    let (settings, rules) = in_force.unzip();
    found.rules = rules;
    let mut checked = Checked {
        diagnostics: std::mem::take(&mut found.diagnostics),
        files: found.files,
        count: found.count,
        manifests: found,
        rendered: Vec::new(),
        others: Vec::new(),
        sources,
        catalogue,
        selection,
        cluster: None,
        is_one_of_several: false,
        config: None,
        model: None,
        folder: PathBuf::from("."),
        is_project: false,
        settings,
    };
    let found = checked
        .manifests
        .check(&checked.sources, &checked.catalogue, &checked.selection);
    checked.diagnostics.extend(found);
    Ok(checked)
}

/// Uses the versions of charts in the manifests, if none is declared for their projects, and all manifests agree on one.
pub(super) fn declare_chart(objects: &[Object], catalogue: &Catalogue, selection: &mut Selection) {
    for (chart, version) in agreed_chart_versions(objects) {
        let Some((project, releases)) = releases::of_chart(chart) else {
            continue;
        };
        let chosen = selection.of(project);
        let is_open = chosen.is_some_and(|chosen| chosen.reason == Reason::Assumed);
        // The version of a chart that counts differently says nothing about that of the project.
        if !is_open || releases.newest_chart.is_some() {
            continue;
        }
        let written = chart_in(&version.by.node).and_then(|(_, written)| written);
        let range = written.filter(|written| Version::new(written).minor().is_none());
        let by = &version.by.file;
        let is_declared = range.is_some_and(|range| {
            selection.declare_range(catalogue, project, (range, version.minor), by)
        });
        if is_declared {
            continue;
        }
        let declared = Version::new(&version.text);
        let has_minor = || {
            let versions = catalogue.versions(project);
            versions.iter().any(|it| it.minor() == declared.minor())
        };
        // Envoy Gateway's version decides more than its CRDs. Of other projects, the newest release is as good a guess.
        if project == ENVOY_GATEWAY || has_minor() {
            selection.declare_nearest(catalogue, project, &declared, by);
        }
    }
}
