//! Files that several clusters of a description would write.

use std::collections::BTreeMap;

use super::project::Project;
use crate::compile::Compiled;
use crate::config::codes::CONFIG_DUPLICATE;
use manifest::diagnostic::{Diagnostic, Span};

/// Adds a finding to each cluster that would write the same files as others.
pub(super) fn report(all: &mut [(Project, Compiled)]) {
    let mut writers: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, (_, compiled)) in all.iter().enumerate() {
        for file in &compiled.files {
            writers.entry(file.path.as_str()).or_default().push(at);
        }
    }
    // Each group of clusters is told once, with its first file and the number of the others.
    let mut groups: BTreeMap<Vec<usize>, (String, usize)> = BTreeMap::new();
    for (path, group) in writers.into_iter().filter(|(_, group)| group.len() > 1) {
        let (_, count) = groups.entry(group).or_insert((path.to_owned(), 0));
        *count += 1;
    }
    for (group, (path, count)) in groups {
        let names = group
            .iter()
            .filter_map(|at| all.get(*at)?.0.cluster.clone());
        let names = names.collect::<Vec<_>>().join(", ");
        for at in group {
            if let Some((_, compiled)) = all.get_mut(at) {
                let found = finding(compiled, &names, &path, count);
                compiled.diagnostics.push(found);
            }
        }
    }
}

fn finding(compiled: &Compiled, names: &str, path: &str, count: usize) -> Diagnostic {
    let cluster = compiled.cluster.as_ref();
    let bootstrap = cluster.and_then(|it| it.chart.bootstrap.as_ref());
    let bootstrap = bootstrap.filter(|it| it.value == path);
    let folder = cluster.and_then(|it| it.layout.path.as_ref());
    let (span, help): (Option<Span>, &str) = match bootstrap {
        Some(text) => (
            text.span,
            "write the cluster's name into the path, such as `bootstrap = \"bootstrap/{cluster}/00-crds.yaml\"` in [chart]",
        ),
        None => (
            folder.and_then(|text| text.span),
            "write the cluster's name into the path, such as `path = \"kubernetes/{cluster}/apps/network\"` in [layout], or give each cluster its own in [clusters.NAME.layout]",
        ),
    };
    let more = match count {
        1 => String::new(),
        2 => " and another file".to_owned(),
        more => format!(" and {} other files", more - 1),
    };
    let message = format!("several clusters would write `{path}`{more}: {names}");
    Diagnostic::new(CONFIG_DUPLICATE, message)
        .at(span)
        .why("each would overwrite what the others have written, and one folder can't be applied in several clusters")
        .help(help)
}
