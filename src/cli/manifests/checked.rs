//! Checks manifests, each cluster by itself.

use std::collections::{BTreeSet, HashMap};

use rayon::prelude::*;

use super::Manifests;
use crate::cli::checked::declare_chart;
use crate::compile::check_in_files;
use crate::lint::{self, LintContext, LintInput};
use crd_validate::schema::{Catalogue, Selection};
use flux_repo::Cluster;
use manifest::Object;
use manifest::diagnostic::{Code, Diagnostic, Severity, Sources, Span};

impl Manifests {
    /// What is wrong with the objects, by themselves and together. If the repository is for several clusters, each one is
    /// checked with the objects that may be in it, and the findings name it.
    pub(in crate::cli) fn check(
        &self,
        sources: &Sources,
        catalogue: &Catalogue,
        selection: &Selection,
    ) -> Vec<Diagnostic> {
        let input = self.lint_input(sources, selection);
        let patched = input.patched();
        let files = patched.objects.iter().map(|object| object.file.as_str());
        let clusters = patched.delivery.clusters(files);
        if clusters.len() < 2 {
            return input.with_patched(&patched, |context| check(context, catalogue, selection));
        }
        let check_cluster = |cluster: &Cluster<'_>| {
            let objects = self.objects.iter();
            let objects = objects.filter(|object| cluster.may_hold(&object.file));
            let objects: Vec<Object> = objects.cloned().collect();
            // Each cluster may have another version of the chart.
            let mut own = selection.clone();
            declare_chart(&objects, catalogue, &mut own);
            let input = LintInput {
                objects: &objects,
                selection: &own,
                ..input
            };
            input.with_context(|context| check(context, catalogue, &own))
        };
        let of_clusters: Vec<Vec<Diagnostic>> = clusters.par_iter().map(check_cluster).collect();
        let mut found = Findings::default();
        for (name, of_cluster) in Cluster::names(&clusters).iter().zip(of_clusters) {
            for finding in of_cluster {
                found.add(finding, name);
            }
        }
        for finding in &mut found.all {
            soften_if_shared(finding, &clusters, sources);
        }
        found.all
    }
}

fn check(
    context: &LintContext<'_>,
    catalogue: &Catalogue,
    selection: &Selection,
) -> Vec<Diagnostic> {
    let (mut found, mut of_lint) = rayon::join(
        || check_in_files(context.objects, context.delivery, catalogue, selection),
        || lint::check_context(context),
    );
    // What nothing applies is judged by itself, but not with the objects of a cluster that it is not in.
    let is_whole = context.delivery.has_flux_above(context.objects);
    let not_applied = match is_whole && context.model.is_none() {
        true => context.delivery.not_applied_by_flux(context.objects),
        false => Vec::new(),
    };
    let not_applied = not_applied
        .into_iter()
        .filter_map(|at| context.objects.get(at));
    let files: BTreeSet<&str> = not_applied
        .map(|object| object.file.as_str())
        .filter(|file| context.is_walked(file))
        .collect();
    of_lint.retain(|finding| {
        let span = finding
            .span
            .map(|span| context.sources.get(span.source).name());
        let file = span.or(finding.file.as_deref());
        !file.is_some_and(|file| files.contains(file))
    });
    found.extend(of_lint);
    lint::said_once(found)
}

/// Objects that several clusters share may name the gateways of all of them. What attaches in one cluster and not in another
/// is only a note.
fn soften_if_shared(finding: &mut Diagnostic, clusters: &[Cluster<'_>], sources: &Sources) {
    let span = finding.span.map(|span| sources.get(span.source).name());
    let Some(file) = span.or(finding.file.as_deref()) else {
        return;
    };
    let sharing = clusters.iter().filter(|it| it.may_hold(file)).count();
    if finding.code.group() == "attachment" && finding.clusters.len() < sharing {
        finding.severity = Severity::Note;
    }
}

/// The findings of all clusters. What is found in several of them is listed once.
#[derive(Default)]
struct Findings {
    all: Vec<Diagnostic>,
    known: HashMap<Sameness, usize>,
}

/// What makes two findings of different clusters the same.
type Sameness = (Code, Option<Span>, Option<String>, Option<String>, String);

impl Findings {
    fn add(&mut self, finding: Diagnostic, cluster: &str) {
        let key = (
            finding.code,
            finding.span,
            finding.file.clone(),
            finding.pointer.clone(),
            finding.message.clone(),
        );
        let at = *self.known.entry(key).or_insert(self.all.len());
        if at == self.all.len() {
            self.all.push(finding);
        }
        if let Some(known) = self.all.get_mut(at)
            && !known.clusters.iter().any(|name| name == cluster)
        {
            known.clusters.push(cluster.to_owned());
        }
    }
}
