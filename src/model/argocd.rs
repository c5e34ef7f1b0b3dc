//! The Applications of Argo CD: one for the chart, and one for each folder.

use serde::Serialize;

use super::ObjectInput;
use super::chart::{Chart, address_parts};
use super::flux::{or, routes_folder};
use super::layout::{Layout, join};
use super::names::{self, Rule};
use crate::config::codes;
use crate::config::delivery::ArgoCd;
use crate::config::{Cluster, Count, Pairs, Text};
use manifest::diagnostic::{Diagnostic, Spanned};

/// The API server of the cluster that Argo CD runs in.
const IN_CLUSTER: &str = "https://kubernetes.default.svc";

/// The finalizer with which deleting an Application deletes what it has applied.
const FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";

/// How often Argo CD tries again to apply the folders.
const RETRIES: i64 = 10;

/// The sync options of every Application, and the further ones of the chart's and of the folders'.
const FOR_ALL: &[&str] = &["ServerSideApply=true"];
const FOR_CHART: &[&str] = &["CreateNamespace=true"];
const FOR_FOLDERS: &[&str] = &["SkipDryRunOnMissingResource=true"];

/// The values for the template of an Application.
#[derive(Clone, Debug, Serialize)]
pub struct Application {
    /// The name of the Application.
    pub name: Text,
    /// The namespace of the Application.
    pub namespace: Text,
    /// The sync wave.
    pub sync_wave: Option<Text>,
    /// The finalizers.
    pub finalizers: Option<Vec<&'static str>>,
    /// The AppProject.
    pub project: Text,
    /// The chart; `None` for a folder.
    pub chart: Option<ApplicationChart>,
    /// The repository, the revision and the folder; `None` for the chart.
    pub repository: Option<Text>,
    /// The branch, tag or commit of the repository.
    pub revision: Option<Text>,
    /// The path of the folder, from the root of the repository.
    pub path: Option<String>,
    /// The cluster.
    pub destination: Destination,
    /// The namespace of the objects that have none.
    pub target: Text,
    /// Whether Argo CD applies changes by itself.
    pub automated: bool,
    /// Whether Argo CD deletes objects that are no longer rendered.
    pub prune: Spanned<bool>,
    /// Whether Argo CD undoes changes in the cluster.
    pub self_heal: Spanned<bool>,
    /// Labels of the namespace that Argo CD creates.
    pub namespace_labels: Pairs,
    /// Annotations of the namespace that Argo CD creates.
    pub namespace_annotations: Pairs,
    /// How often Argo CD tries again.
    pub retries: Option<Spanned<Count>>,
    /// The sync options.
    pub sync_options: Vec<Text>,
}

/// The chart of an Application.
#[derive(Clone, Debug, Serialize)]
pub struct ApplicationChart {
    /// The last part of the chart's address.
    pub name: Text,
    /// The address before it, without `oci://`.
    pub registry: Text,
    /// The version.
    pub version: Text,
    /// The name of the Helm release.
    pub release: Text,
}

/// The cluster that an Application applies to.
#[derive(Clone, Debug, Serialize)]
pub struct Destination {
    /// The URL of its API server, unless it has a name.
    pub server: Option<Text>,
    /// Its name.
    pub name: Option<Text>,
}

/// Builds the Applications. `elsewhere` are the other namespaces that objects are in, and `prefix` is the path from the
/// root of the Git repository to the folder that the tree is rendered in.
pub fn build(
    cluster: &Cluster,
    layout: &Layout,
    chart: &Chart,
    namespace: &Text,
    elsewhere: &[&Text],
    prefix: &str,
    problems: &mut Vec<Diagnostic>,
) -> Vec<ObjectInput<Application>> {
    let table = &cluster.argocd;
    if table.enabled.as_ref().is_some_and(|on| !on.value) {
        return Vec::new();
    }
    let of_chart = common(cluster, layout, namespace, problems);
    let Some(repository) = table.repository.clone() else {
        problems.push(no_repository(cluster));
        return Vec::new();
    };
    let prefix = table.path_prefix.as_ref().map_or(prefix, |given| {
        names::check_path("the path prefix", given, problems);
        given.value.as_str()
    });
    let of_folder = |name: Text, folder: &str, target: &Text| Application {
        name,
        sync_wave: wave(table.config.sync_wave.as_ref(), 1),
        repository: Some(repository.clone()),
        revision: Some(or(&table.revision, "HEAD")),
        path: Some(join([prefix, layout.app_path().as_str(), folder])),
        target: target.clone(),
        retries: Some(retries(table)),
        sync_options: sync_options(table, FOR_FOLDERS),
        ..of_chart.clone()
    };
    let name = &of_chart.name;
    let named = |folder: &str| name.with(format!("{}-{folder}", name.value));
    let own = table.config.name.clone();
    let own = own.unwrap_or_else(|| named(&layout.folder));
    names::check(Rule::Subdomain, "an Application's name", &own, problems);
    let mut folders = vec![of_folder(own, &layout.folder, namespace)];
    let mut seen = vec![&namespace.value];
    for &target in elsewhere {
        if !seen.contains(&&target.value) {
            seen.push(&target.value);
            let folder = routes_folder(target);
            folders.push(of_folder(named(&folder), &folder, target));
        }
    }
    let folders = folders.into_iter().map(|values| ObjectInput {
        values,
        overlay: table.config.overlay(),
    });
    let release = chart.release.as_ref().map(|release| {
        let (registry, name) = address_parts(&chart.url);
        let is_created = cluster.namespace.manifest.as_ref();
        let is_created = !is_created.is_some_and(|written| written.value);
        let pairs = |pairs: &Pairs| match is_created {
            true => pairs.clone(),
            false => Pairs::default(),
        };
        let further: &[&str] = if is_created { FOR_CHART } else { &[] };
        ObjectInput {
            values: Application {
                chart: Some(ApplicationChart {
                    name,
                    registry,
                    version: chart.version.clone(),
                    release: release.values.name.clone(),
                }),
                namespace_labels: pairs(&cluster.namespace.labels),
                namespace_annotations: pairs(&cluster.namespace.annotations),
                sync_options: sync_options(table, further),
                ..of_chart.clone()
            },
            overlay: table.overlay(),
        }
    });
    release.into_iter().chain(folders).collect()
}

/// What all Applications have in common, under the name of the chart's.
fn common(
    cluster: &Cluster,
    layout: &Layout,
    namespace: &Text,
    problems: &mut Vec<Diagnostic>,
) -> Application {
    let table = &cluster.argocd;
    let name = or(&table.name, &layout.app);
    names::check(Rule::Subdomain, "an Application's name", &name, problems);
    let own_namespace = or(&table.namespace, "argocd");
    let what = "the namespace of Argo CD";
    names::check(Rule::Label, what, &own_namespace, problems);
    let flag = |flag: &Option<Spanned<bool>>, default: bool| {
        flag.clone().unwrap_or(Spanned::unwritten(default))
    };
    if let (Some(server), Some(name)) = (&table.destination.server, &table.destination.name) {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_CONTRADICTION,
                "the destination has both a name and a server",
            )
            .at(name.span)
            .related(server.span, "the server")
            .why("Argo CD refuses an Application with both")
            .help("remove one of them"),
        );
    }
    Application {
        name,
        namespace: own_namespace,
        sync_wave: wave(table.sync_wave.as_ref(), 0),
        finalizers: flag(&table.delete_objects, false)
            .value
            .then(|| vec![FINALIZER]),
        project: or(&table.project, "default"),
        chart: None,
        repository: None,
        revision: None,
        path: None,
        destination: Destination {
            server: match &table.destination.name {
                Some(_) => None,
                None => Some(or(&table.destination.server, IN_CLUSTER)),
            },
            name: table.destination.name.clone(),
        },
        target: namespace.clone(),
        automated: flag(&table.automated, true).value,
        prune: flag(&table.prune, true),
        self_heal: flag(&table.self_heal, true),
        namespace_labels: Pairs::default(),
        namespace_annotations: Pairs::default(),
        retries: None,
        sync_options: Vec::new(),
    }
}

/// A sync wave as the text of an annotation; `None` for 0, which is that of everything without the annotation.
fn wave(given: Option<&Spanned<Count>>, default: i64) -> Option<Text> {
    let text = |count: &Count| match count {
        Count::Number(number) => number.to_string(),
        Count::Variable(text) => text.clone(),
    };
    let wave = match given {
        Some(given) => given.with(text(&given.value)),
        None => Spanned::unwritten(default.to_string()),
    };
    Some(wave).filter(|wave| wave.value != "0")
}

fn retries(table: &ArgoCd) -> Spanned<Count> {
    let given = table.config.retries.clone();
    given.unwrap_or(Spanned::unwritten(Count::Number(RETRIES)))
}

/// The built-in sync options, except for those that the user replaces, and the user's.
fn sync_options(table: &ArgoCd, further: &[&str]) -> Vec<Text> {
    let name = |option: &str| option.split('=').next().unwrap_or_default().to_owned();
    let is_replaced = |option: &str| {
        let mut own = table.sync_options.iter();
        own.any(|own| name(own) == name(option))
    };
    let built_in = further.iter().chain(FOR_ALL).copied();
    let built_in = built_in.filter(|option| !is_replaced(option));
    let built_in = built_in.map(|option| Spanned::unwritten(option.to_owned()));
    built_in.chain(table.sync_options.iter().cloned()).collect()
}

fn no_repository(cluster: &Cluster) -> Diagnostic {
    let kind = cluster.delivery.kind.as_ref();
    Diagnostic::new(
        codes::CONFIG_MISSING_KEY,
        "the Applications of Argo CD have no repository",
    )
    .at(kind.and_then(|kind| kind.span))
    .why("Argo CD reads the rendered folders from a Git repository, and each Application names it")
    .help("add `repository = \"https://git.example.com/home.git\"` to [argocd]")
    .with_pointer("/argocd/repository")
}
