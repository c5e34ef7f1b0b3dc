//! Flux Kustomizations, the namespace and its kustomization.

use serde::Serialize;

use super::Laid;
use super::layout::{Layout, join};
use super::names::{self, Rule};
use super::route::StreamRoute;
use crate::codes;
use crate::config::types::Overlay;
use crate::config::{Cluster, Pairs, Text, Texts};
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::Spanned;
use manifest::value::Node;
use manifest::value::merge::merge;

/// What Flux is told.
#[derive(Clone, Debug)]
pub struct Flux {
    /// The Kustomizations, in the order in which they depend on each other.
    pub kustomizations: Vec<Laid<Kustomization>>,
    /// Whether each object gives the namespace itself.
    pub in_objects: bool,
    /// The Namespace, where it is written.
    pub namespace: Option<Laid<Namespace>>,
    /// The namespace's kustomization, where it is kept up.
    pub index: Option<Index>,
}

/// A Flux Kustomization, as its template sees it.
#[derive(Clone, Debug, Serialize)]
pub struct Kustomization {
    /// Its name.
    pub name: Text,
    /// Its namespace, where `ks.yaml` gives it.
    pub namespace: Option<Text>,
    /// Labels that Flux adds.
    pub common_labels: Pairs,
    /// What comes first.
    pub depends_on: Vec<Dependency>,
    /// Objects whose health counts.
    pub health_checks: Vec<Node>,
    /// How often it is reconciled.
    pub interval: Text,
    /// How soon a failure is tried again.
    pub retry_interval: Option<Text>,
    /// How long applying may take.
    pub timeout: Option<Text>,
    /// The folder.
    pub path: String,
    /// Whether what is no longer there is deleted.
    pub prune: Spanned<bool>,
    /// Whether Flux waits until all is ready.
    pub wait: Option<Spanned<bool>>,
    /// Where the repository is read from.
    pub source: Source,
    /// The namespace of what it applies.
    pub target: Text,
    /// Post-build substitution.
    pub post_build: Option<Node>,
    /// Decryption.
    pub decryption: Option<Node>,
}

/// A Kustomization that comes first.
#[derive(Clone, Debug, Serialize)]
pub struct Dependency {
    /// Its name.
    pub name: Text,
    /// Its namespace.
    pub namespace: Option<Text>,
}

/// Where the repository is read from.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// The kind of source.
    pub kind: Text,
    /// Its name.
    pub name: Text,
    /// Its namespace.
    pub namespace: Text,
}

/// The Namespace, as its template sees it.
#[derive(Clone, Debug, Serialize)]
pub struct Namespace {
    /// Its name.
    pub name: Text,
}

/// The namespace's kustomization.
#[derive(Clone, Debug, Serialize)]
pub struct Index {
    /// The namespace that it sets.
    pub namespace: Text,
    /// Its components.
    pub components: Vec<Text>,
}

fn or(text: &Option<Text>, default: &str) -> Text {
    text.clone()
        .unwrap_or_else(|| Spanned::unwritten(default.to_owned()))
}

/// The folder of routes that live in another namespace, in the app's folder.
pub fn routes_folder(namespace: &str) -> String {
    format!("routes-{namespace}")
}

/// A folder of the app's, as Flux names it: from the root of what it reads.
fn path_of(prefix: &str, layout: &Layout, folder: &str) -> String {
    format!("./{}", join([prefix, layout.app_path().as_str(), folder]))
}

/// The path from the root of what Flux reads to the folder that is rendered in; `above` is the one from the root of the
/// Git repository.
fn prefix<'a>(cluster: &'a Cluster, above: &'a str, problems: &mut Vec<Diagnostic>) -> &'a str {
    let table = &cluster.flux;
    if let Some(given) = &table.path_prefix {
        names::check_path("the path to what is rendered", given, problems);
        return &given.value;
    }
    let kind = table.source.kind.as_ref();
    let other = kind.filter(|kind| kind.value != GIT);
    if let Some(kind) =
        other.filter(|_| !above.is_empty() && table.enabled.as_ref().is_none_or(|on| on.value))
    {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_MISSING_KEY,
                format!("where in the {} this folder lies is not known", kind.value),
            )
            .at(kind.span)
            .why(format!("Flux reads `path` from the root of its source: that may be the root of the Git repository, {above:?}, or any other folder"))
            .help(format!("add `path_prefix = {above:?}` to [flux] where the source holds the whole repository, `path_prefix = \".\"` where it holds only this folder"))
            .with_pointer("/flux/path_prefix"),
        );
    }
    above
}

/// The kind of source that holds a whole Git repository.
const GIT: &str = "GitRepository";

/// The Kustomizations: the chart's, the second folder's, and one for each namespace that routes live in.
/// (Flux's `targetNamespace` moves every object of a Kustomization, so those can't share one.)
pub fn build(
    cluster: &Cluster,
    layout: &Layout,
    namespace: &Text,
    routes: &[Laid<StreamRoute>],
    prefix: &str,
    problems: &mut Vec<Diagnostic>,
) -> Flux {
    let prefix = self::prefix(cluster, prefix, problems);
    names::check_pairs("common labels", &cluster.flux.common_labels, true, problems);
    names::check_pairs(
        "the namespace's labels",
        &cluster.namespace.labels,
        true,
        problems,
    );
    let first = kustomization(cluster, layout, namespace, prefix, problems);
    let name = first.of.name.clone();
    let mut kustomizations = vec![first.clone()];
    if let Some(folder) = &layout.config_folder {
        let path = path_of(prefix, layout, folder);
        kustomizations.push(second(cluster, namespace, folder, path, &first, problems));
    }
    let last = kustomizations.last().unwrap_or(&first).of.name.clone();
    let mut seen = Vec::new();
    for route in routes {
        let target = &route.of.namespace;
        if target.value == namespace.value || seen.contains(&target.value) {
            continue;
        }
        seen.push(target.value.clone());
        let folder = routes_folder(target);
        kustomizations.push(Laid {
            of: Kustomization {
                name: name.with(format!("{}-{folder}", name.value)),
                depends_on: vec![dependency(&last, namespace)],
                health_checks: Vec::new(),
                path: path_of(prefix, layout, &folder),
                target: target.clone(),
                ..first.of.clone()
            },
            overlay: first.overlay.clone(),
        });
    }
    let flag = |flag: &Option<Spanned<bool>>| flag.as_ref().is_none_or(|flag| flag.value);
    let table = &cluster.namespace;
    if cluster.flux.enabled.as_ref().is_some_and(|on| !on.value) {
        kustomizations.clear();
    }
    Flux {
        kustomizations,
        in_objects: table.in_objects.as_ref().is_some_and(|flag| flag.value),
        namespace: flag(&table.manifest).then(|| Laid {
            of: Namespace {
                name: namespace.clone(),
            },
            overlay: Overlay {
                labels: table.labels.clone(),
                annotations: table.annotations.clone(),
                ..Overlay::default()
            },
        }),
        index: flag(&table.kustomization).then(|| Index {
            namespace: namespace.clone(),
            components: table.components.to_vec(),
        }),
    }
}

fn kustomization(
    cluster: &Cluster,
    layout: &Layout,
    namespace: &Text,
    prefix: &str,
    problems: &mut Vec<Diagnostic>,
) -> Laid<Kustomization> {
    let table = &cluster.flux;
    let name = or(&table.name, &layout.app);
    names::check(Rule::Subdomain, "a Kustomization's name", &name, problems);
    let namespaced = table.namespaced.as_ref().is_some_and(|flag| flag.value);
    Laid {
        of: Kustomization {
            name,
            namespace: namespaced.then(|| namespace.clone()),
            common_labels: table.common_labels.clone(),
            depends_on: dependencies(&table.depends_on, problems),
            health_checks: table.health_checks.clone(),
            interval: or(&table.interval, "1h"),
            retry_interval: table.retry_interval.clone(),
            timeout: table.timeout.clone(),
            path: path_of(prefix, layout, &layout.folder),
            prune: table.prune.clone().unwrap_or(Spanned::unwritten(true)),
            wait: table.wait.clone().or_else(|| wait_for_first(table, layout)),
            source: Source {
                kind: or(&table.source.kind, GIT),
                name: or(&table.source.name, "flux-system"),
                namespace: or(&table.source.namespace, "flux-system"),
            },
            target: namespace.clone(),
            post_build: table.post_build.clone(),
            decryption: table.decryption.clone(),
        },
        overlay: table.overlay(),
    }
}

/// With two folders the second one needs the CRDs that the first one's release installs: Flux waits for the
/// first, unless something says otherwise.
fn wait_for_first(table: &crate::config::flux::Flux, layout: &Layout) -> Option<Spanned<bool>> {
    let waits = layout.config_folder.is_some() && table.health_checks.is_empty();
    waits.then_some(Spanned::unwritten(true))
}

fn second(
    cluster: &Cluster,
    namespace: &Text,
    folder: &str,
    path: String,
    first: &Laid<Kustomization>,
    problems: &mut Vec<Diagnostic>,
) -> Laid<Kustomization> {
    let own = &cluster.flux.config;
    let name = own.name.clone();
    let name = name.unwrap_or_else(|| {
        first
            .of
            .name
            .with(format!("{}-{folder}", first.of.name.value))
    });
    names::check(Rule::Subdomain, "a Kustomization's name", &name, problems);
    let mut depends_on = dependencies(&own.depends_on, problems);
    if depends_on
        .iter()
        .all(|there| there.name.value != first.of.name.value)
    {
        depends_on.insert(0, dependency(&first.of.name, namespace));
    }
    let common_labels = match own.common_labels.0.is_empty() {
        true => first.of.common_labels.clone(),
        false => own.common_labels.clone(),
    };
    let spec = match (first.overlay.spec.clone(), own.spec.clone()) {
        (Some(mut below), Some(above)) => {
            merge(&mut below, above);
            Some(below)
        }
        (below, above) => above.or(below),
    };
    Laid {
        of: Kustomization {
            name,
            depends_on,
            common_labels,
            health_checks: own.health_checks.clone(),
            wait: own.wait.clone(),
            path,
            ..first.of.clone()
        },
        overlay: Overlay {
            spec,
            ..own.overlay()
        },
    }
}

fn dependency(name: &Text, namespace: &Text) -> Dependency {
    Dependency {
        name: name.clone(),
        namespace: Some(namespace.clone()),
    }
}

/// `name` or `namespace/name`.
fn dependencies(texts: &Texts, problems: &mut Vec<Diagnostic>) -> Vec<Dependency> {
    let mut all = Vec::new();
    for text in texts.iter() {
        let (namespace, name) = match text.split_once('/') {
            Some((namespace, name)) => (
                Some(text.with(namespace.to_owned())),
                text.with(name.to_owned()),
            ),
            None => (None, text.clone()),
        };
        let parts = namespace.iter().chain([&name]);
        for part in parts {
            if !names::follows(Rule::Subdomain, part) {
                problems.push(
                    Diagnostic::new(
                        codes::CONFIG_INVALID_NAME,
                        format!("no Kustomization is called {:?}", text.value),
                    )
                    .at(text.span)
                    .why("Flux would refuse it, or wait for ever")
                    .help("write `name` or `namespace/name`"),
                );
                break;
            }
        }
        all.push(Dependency { name, namespace });
    }
    all
}
