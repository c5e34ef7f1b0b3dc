//! The findings of several clusters in one report.

use std::collections::HashMap;

use anyhow::Result;
use rayon::prelude::*;

use super::Global;
use super::project::Project;
use crate::compile::Compiled;
use crate::config::codes::CONFIG_UNUSED_IGNORE;
use crate::report::{ClusterSummary, Counts, Report};
use manifest::diagnostic::{Code, Diagnostic, ObjectRef, Severity, SourceId, Sources, Span};

/// The findings of several clusters, and the texts that they refer to.
#[derive(Default)]
pub(super) struct JoinedFindings {
    pub sources: Sources,
    pub diagnostics: Vec<Diagnostic>,
    /// How much was checked and found in each cluster.
    pub clusters: Vec<ClusterSummary>,
    pub files: usize,
    pub objects: usize,
    /// The texts, by name. What is rendered for a cluster may have the name of another text.
    ids: HashMap<String, Vec<SourceId>>,
    known: HashMap<Sameness, Vec<usize>>,
    /// In how many clusters each entry of `[validate]` counts, by its place.
    settings: HashMap<Span, usize>,
}

/// What makes findings of different clusters the same. What several clusters are rendered from is one mistake, wherever
/// it is rendered to.
#[derive(PartialEq, Eq, Hash)]
struct Sameness {
    code: Code,
    severity: Severity,
    words: [Option<String>; 3],
    place: (Option<Span>, Option<String>),
    object: Option<ObjectRef>,
    pointer: Option<String>,
}

impl JoinedFindings {
    /// With texts that keep their ids: those of the first cluster, whose findings are `found`.
    pub(super) fn with(sources: Sources, found: &[Diagnostic], config: Option<SourceId>) -> Self {
        let spans = found.iter().flat_map(|it| {
            let related = it.related.iter().map(|related| related.span);
            it.span.into_iter().chain(it.origin).chain(related)
        });
        let mut ids: HashMap<String, Vec<SourceId>> = HashMap::new();
        for id in spans.map(|span| span.source).chain(config) {
            let known = ids.entry(sources.get(id).name().to_owned()).or_default();
            if !known.contains(&id) {
                known.push(id);
            }
        }
        JoinedFindings {
            sources,
            ids,
            ..JoinedFindings::default()
        }
    }

    /// Adds the findings of the first cluster, whose texts are those of [`with`](Self::with).
    pub(super) fn keep(
        &mut self,
        cluster: Option<&str>,
        found: Vec<Diagnostic>,
        (files, objects): (usize, usize),
    ) {
        self.files += files;
        self.objects += objects;
        for finding in found {
            match cluster {
                Some(name) => self.add_one(finding, name),
                None => self.diagnostics.push(finding),
            }
        }
    }

    /// Adds the entries of `[validate]` that count in the first cluster.
    pub(super) fn keep_settings(&mut self, entries: Vec<Span>) {
        for span in entries {
            *self.settings.entry(span).or_default() += 1;
        }
    }

    /// Adds the entries of `[validate]` that count in a cluster.
    pub(super) fn add_settings(&mut self, entries: impl Iterator<Item = Span>, sources: &Sources) {
        for span in entries {
            let source = self.text(span.source, sources);
            *self.settings.entry(Span { source, ..span }).or_default() += 1;
        }
    }

    /// Takes back that an entry of `[validate]` fits nothing, if it fits something in another cluster.
    pub(super) fn leave_out_used_settings(&mut self) {
        let settings = &self.settings;
        self.diagnostics.retain(|finding| {
            let count = finding.span.and_then(|span| settings.get(&span));
            finding.code != CONFIG_UNUSED_IGNORE
                || count.is_none_or(|count| finding.clusters.len().max(1) >= *count)
        });
    }

    /// Adds the findings of a cluster, in which so many files and objects were checked. What another cluster has too is
    /// told once, with the names of all.
    pub(super) fn add(
        &mut self,
        cluster: Option<&str>,
        found: Vec<Diagnostic>,
        sources: &Sources,
        (files, objects): (usize, usize),
    ) {
        if let Some(name) = cluster {
            self.clusters.push(ClusterSummary {
                name: name.to_owned(),
                files,
                objects,
                counts: Counts::of(&found),
            });
        }
        self.files += files;
        self.objects += objects;
        let mut moved = HashMap::new();
        for finding in found {
            let finding = self.moved(finding, sources, &mut moved);
            match cluster {
                Some(name) => self.add_one(finding, name),
                None => self.diagnostics.push(finding),
            }
        }
    }

    /// The report of all.
    pub(super) fn report(&self) -> Report {
        Report {
            clusters: self.clusters.clone(),
            ..Report::new(
                self.diagnostics.clone(),
                self.files,
                self.objects,
                &self.sources,
            )
        }
    }

    /// A finding with its places in the joined texts. `moved` are the texts that were joined already.
    pub(super) fn moved(
        &mut self,
        mut finding: Diagnostic,
        sources: &Sources,
        moved: &mut HashMap<SourceId, SourceId>,
    ) -> Diagnostic {
        let mut to_joined = |span: &mut Span| {
            let id = moved.entry(span.source);
            span.source = *id.or_insert_with(|| self.text(span.source, sources));
        };
        finding.span.iter_mut().for_each(&mut to_joined);
        finding.origin.iter_mut().for_each(&mut to_joined);
        let related = finding.related.iter_mut();
        related.for_each(|related| to_joined(&mut related.span));
        finding
    }

    fn add_one(&mut self, mut finding: Diagnostic, cluster: &str) {
        finding.clusters = vec![cluster.to_owned()];
        let same = self.known.entry(sameness(&finding)).or_default();
        let has_cluster = |it: &Diagnostic| it.clusters.last().is_some_and(|last| last == cluster);
        let diagnostics = &mut self.diagnostics;
        let earlier = same
            .iter()
            .copied()
            .find(|at| diagnostics.get(*at).is_some_and(|it| !has_cluster(it)));
        match earlier.and_then(|at| diagnostics.get_mut(at)) {
            Some(earlier) => earlier.clusters.append(&mut finding.clusters),
            None => {
                same.push(diagnostics.len());
                diagnostics.push(finding);
            }
        }
    }

    /// The joined text for a text of a cluster.
    fn text(&mut self, id: SourceId, sources: &Sources) -> SourceId {
        let source = sources.get(id);
        let known = self.ids.entry(source.name().to_owned()).or_default();
        let is_same = |id: &&SourceId| self.sources.get(**id).text() == source.text();
        if let Some(id) = known.iter().find(is_same) {
            return *id;
        }
        let id = self.sources.add(source.name(), source.text());
        known.push(id);
        id
    }
}

/// Compiles each of several projects, in parallel. The result has their order.
///
/// # Errors
/// If something can't be read.
pub(super) fn compile_each(
    projects: Vec<Project>,
    compile: fn(&Project) -> Result<Compiled>,
) -> Result<Vec<(Project, Compiled)>> {
    let compiled = projects.into_par_iter().map(|project| {
        let compiled = compile(&project)?;
        Ok((project, compiled))
    });
    compiled.collect()
}

/// All findings of what was compiled.
pub(super) fn joined(all: Vec<(Project, Compiled)>) -> JoinedFindings {
    let mut joined = JoinedFindings::default();
    for (project, mut compiled) in all {
        let found = std::mem::take(&mut compiled.diagnostics);
        let counts = (compiled.files.len(), compiled.objects.len());
        joined.add(project.cluster.as_deref(), found, &compiled.sources, counts);
    }
    joined
}

/// The cluster that the user has chosen among those that are described.
pub(super) fn cluster_of(all: &[(Project, Compiled)], global: &Global) -> Option<String> {
    let is_described = all.iter().any(|(project, _)| project.cluster.is_some());
    global.cluster.clone().filter(|_| is_described)
}

fn sameness(finding: &Diagnostic) -> Sameness {
    let place = match finding.origin {
        Some(origin) => (Some(origin), None),
        None => (finding.span, finding.file.clone()),
    };
    Sameness {
        code: finding.code,
        severity: finding.severity,
        words: [
            Some(finding.message.clone()),
            finding.why.clone(),
            finding.help.clone(),
        ],
        place,
        // The object may have another namespace in each cluster.
        object: finding.object.clone().filter(|_| finding.origin.is_none()),
        pointer: finding.pointer.clone(),
    }
}
