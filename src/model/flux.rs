//! Flux Kustomizations, and the namespace with its kustomization.

use serde::Serialize;

use super::ObjectInput;
use super::delivery;
use super::layout::{Layout, join};
use super::names::{self, Rule};
use crate::config::codes;
use crate::config::delivery::DeliveryKind;
use crate::config::types::Overlay;
use crate::config::{Cluster, Pairs, Text, Texts};
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::Spanned;
use manifest::value::Node;
use manifest::value::merge::merge;

/// The Flux Kustomizations and the objects of the namespace.
#[derive(Clone, Debug)]
pub struct Flux {
    /// The Kustomizations, in the order in which they depend on each other.
    pub kustomizations: Vec<ObjectInput<Kustomization>>,
    /// Whether each object sets `metadata.namespace`.
    pub in_objects: bool,
    /// The Namespace; `None` if it is not written.
    pub namespace: Option<ObjectInput<Namespace>>,
    /// The namespace's kustomization; `None` if it is not updated.
    pub index: Option<Index>,
}

/// The values for the template of a Flux Kustomization.
#[derive(Clone, Debug, Serialize)]
pub struct Kustomization {
    /// The name of the Kustomization.
    pub name: Text,
    /// The namespace of the Kustomization, if `ks.yaml` sets it.
    pub namespace: Option<Text>,
    /// Labels that Flux adds to all objects.
    pub common_labels: Pairs,
    /// The Kustomizations that must be ready before this one.
    pub depends_on: Vec<Dependency>,
    /// Objects whose health Flux checks.
    pub health_checks: Vec<Node>,
    /// How often Flux reconciles.
    pub interval: Text,
    /// How long Flux waits before it retries after a failure.
    pub retry_interval: Option<Text>,
    /// The timeout of one reconciliation.
    pub timeout: Option<Text>,
    /// The path of the folder, from the root of the source, with `./` in front.
    pub path: String,
    /// Whether Flux deletes objects that are no longer rendered.
    pub prune: Spanned<bool>,
    /// Whether Flux waits until all objects are ready.
    pub wait: Option<Spanned<bool>>,
    /// The source from which Flux reads the repository.
    pub source: Source,
    /// The namespace of the objects that it applies (`targetNamespace`).
    pub target: Text,
    /// Post-build substitution.
    pub post_build: Option<Node>,
    /// Decryption.
    pub decryption: Option<Node>,
}

/// A Kustomization that another one depends on.
#[derive(Clone, Debug, Serialize)]
pub struct Dependency {
    /// The name of the Kustomization.
    pub name: Text,
    /// The namespace of the Kustomization.
    pub namespace: Option<Text>,
}

/// The source from which Flux reads the repository.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// The kind of the source.
    pub kind: Text,
    /// The name of the source.
    pub name: Text,
    /// The namespace of the source.
    pub namespace: Text,
}

/// The values for the template of the Namespace.
#[derive(Clone, Debug, Serialize)]
pub struct Namespace {
    /// The name of the namespace.
    pub name: Text,
    /// What applies it.
    pub delivery: DeliveryKind,
}

/// The namespace's kustomization.
#[derive(Clone, Debug, Serialize)]
pub struct Index {
    /// The namespace that it sets. Without Flux it sets none, because Applications are in the namespace of Argo CD,
    /// and folders set their own.
    pub namespace: Option<Text>,
    /// The kustomize components that it uses.
    pub components: Vec<Text>,
}

pub(super) fn or(text: &Option<Text>, default: &str) -> Text {
    text.clone()
        .unwrap_or_else(|| Spanned::unwritten(default.to_owned()))
}

/// The folder for routes in another namespace, inside the app's folder.
pub fn routes_folder(namespace: &str) -> String {
    format!("routes-{namespace}")
}

/// The path of one of the app's folders as Flux needs it: from the root of the source.
fn path_of(prefix: &str, layout: &Layout, folder: &str) -> String {
    format!("./{}", join([prefix, layout.app_path().as_str(), folder]))
}

/// The path from the root of Flux's source to the folder that the tree is rendered in. `above` is the path
/// from the root of the Git repository, which is used unless `path_prefix` is given.
fn prefix<'a>(cluster: &'a Cluster, above: &'a str, problems: &mut Vec<Diagnostic>) -> &'a str {
    let table = &cluster.flux;
    if let Some(given) = &table.path_prefix {
        names::check_path("the path prefix", given, problems);
        return &given.value;
    }
    let kind = table.source.kind.as_ref();
    let other = kind.filter(|kind| kind.value != GIT);
    if let Some(kind) = other.filter(|_| !above.is_empty()) {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_MISSING_KEY,
                format!("it is not known where this folder is in the {}", kind.value),
            )
            .at(kind.span)
            .why(format!("Flux resolves `path` from the root of its source, which may be the root of the Git repository, {above:?}, or any other folder"))
            .help(format!("add `path_prefix = {above:?}` to [flux] if the source contains the whole repository, or `path_prefix = \".\"` if it contains only this folder"))
            .with_pointer("/flux/path_prefix"),
        );
    }
    above
}

/// The kind of source that contains a whole Git repository.
const GIT: &str = "GitRepository";

/// Builds the Kustomizations: one for the chart, one for the second folder, and one for each other namespace
/// that objects are in. (Flux's `targetNamespace` moves every object of a Kustomization, so such objects need a
/// Kustomization of their own.)
pub fn build(
    cluster: &Cluster,
    layout: &Layout,
    namespace: &Text,
    elsewhere: &[&Text],
    prefix: &str,
    problems: &mut Vec<Diagnostic>,
) -> Flux {
    names::check_pairs(
        "the namespace's labels",
        &cluster.namespace.labels,
        true,
        problems,
    );
    let kind = delivery::kind(cluster);
    let flag = |flag: &Option<Spanned<bool>>, default: bool| {
        flag.as_ref().map_or(default, |flag| flag.value)
    };
    let table = &cluster.namespace;
    let has_kustomizations = kind == DeliveryKind::Flux && flag(&cluster.flux.enabled, true);
    Flux {
        kustomizations: match has_kustomizations {
            true => kustomizations(cluster, layout, namespace, elsewhere, prefix, problems),
            false => Vec::new(),
        },
        in_objects: flag(&table.in_objects, false),
        namespace: flag(&table.manifest, kind != DeliveryKind::ArgoCd).then(|| ObjectInput {
            values: Namespace {
                name: namespace.clone(),
                delivery: kind,
            },
            overlay: Overlay {
                labels: table.labels.clone(),
                annotations: table.annotations.clone(),
                ..Overlay::default()
            },
        }),
        index: flag(&table.kustomization, true).then(|| Index {
            namespace: (kind == DeliveryKind::Flux).then(|| namespace.clone()),
            components: table.components.to_vec(),
        }),
    }
}

fn kustomizations(
    cluster: &Cluster,
    layout: &Layout,
    namespace: &Text,
    elsewhere: &[&Text],
    prefix: &str,
    problems: &mut Vec<Diagnostic>,
) -> Vec<ObjectInput<Kustomization>> {
    let prefix = self::prefix(cluster, prefix, problems);
    names::check_pairs("common labels", &cluster.flux.common_labels, true, problems);
    let first = kustomization(cluster, layout, namespace, prefix, problems);
    let name = first.values.name.clone();
    let mut kustomizations = vec![first.clone()];
    if let Some(folder) = &layout.config_folder {
        let path = path_of(prefix, layout, folder);
        kustomizations.push(second(cluster, namespace, folder, path, &first, problems));
    }
    let last = kustomizations.last().unwrap_or(&first).values.name.clone();
    let mut seen = Vec::new();
    for &target in elsewhere {
        if target.value == namespace.value || seen.contains(&target.value) {
            continue;
        }
        seen.push(target.value.clone());
        let folder = routes_folder(target);
        kustomizations.push(ObjectInput {
            values: Kustomization {
                name: name.with(format!("{}-{folder}", name.value)),
                depends_on: vec![dependency(&last, namespace)],
                health_checks: Vec::new(),
                path: path_of(prefix, layout, &folder),
                target: target.clone(),
                ..first.values.clone()
            },
            overlay: first.overlay.clone(),
        });
    }
    kustomizations
}

fn kustomization(
    cluster: &Cluster,
    layout: &Layout,
    namespace: &Text,
    prefix: &str,
    problems: &mut Vec<Diagnostic>,
) -> ObjectInput<Kustomization> {
    let table = &cluster.flux;
    let name = or(&table.name, &layout.app);
    names::check(Rule::Subdomain, "a Kustomization's name", &name, problems);
    let namespaced = table.namespaced.as_ref().is_some_and(|flag| flag.value);
    ObjectInput {
        values: Kustomization {
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

/// With two folders, the second one needs the CRDs that the release in the first one installs, so Flux waits
/// for the first unless the configuration says otherwise.
fn wait_for_first(table: &crate::config::flux::Flux, layout: &Layout) -> Option<Spanned<bool>> {
    let waits = layout.config_folder.is_some() && table.health_checks.is_empty();
    waits.then_some(Spanned::unwritten(true))
}

fn second(
    cluster: &Cluster,
    namespace: &Text,
    folder: &str,
    path: String,
    first: &ObjectInput<Kustomization>,
    problems: &mut Vec<Diagnostic>,
) -> ObjectInput<Kustomization> {
    let own = &cluster.flux.config;
    let name = own.name.clone();
    let name = name.unwrap_or_else(|| {
        first
            .values
            .name
            .with(format!("{}-{folder}", first.values.name.value))
    });
    names::check(Rule::Subdomain, "a Kustomization's name", &name, problems);
    let mut depends_on = dependencies(&own.depends_on, problems);
    if depends_on
        .iter()
        .all(|there| there.name.value != first.values.name.value)
    {
        depends_on.insert(0, dependency(&first.values.name, namespace));
    }
    let common_labels = match own.common_labels.0.is_empty() {
        true => first.values.common_labels.clone(),
        false => own.common_labels.clone(),
    };
    let spec = match (first.overlay.spec.clone(), own.spec.clone()) {
        (Some(mut below), Some(above)) => {
            merge(&mut below, above);
            Some(below)
        }
        (below, above) => above.or(below),
    };
    ObjectInput {
        values: Kustomization {
            name,
            depends_on,
            common_labels,
            health_checks: own.health_checks.clone(),
            wait: own.wait.clone(),
            retry_interval: own
                .retry_interval
                .clone()
                .or(first.values.retry_interval.clone()),
            timeout: own.timeout.clone().or(first.values.timeout.clone()),
            path,
            ..first.values.clone()
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

/// Parses references of the form `name` or `namespace/name`.
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
                        format!("a Kustomization can't be called {:?}", text.value),
                    )
                    .at(text.span)
                    .why("Flux would refuse it, or wait forever")
                    .help("write `name` or `namespace/name`"),
                );
                break;
            }
        }
        all.push(Dependency { name, namespace });
    }
    all
}
