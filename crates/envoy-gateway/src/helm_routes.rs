//! Routes that Helm charts of applications create from their values.
//!
//! A HelmRelease of an application usually contains its route. [`app_template`] knows bjw-s' app-template, from whose
//! values it reads whole routes and the Services behind them. Other charts read `httpRoute` or `gateway`, for example;
//! [`other_charts`] finds such blocks by their list `parentRefs`, and takes what they say: parents, hostnames, and rules
//! if there are any.
//!
//! Each route is an object whose places point into the HelmRelease. What only the chart knows is listed in
//! [`HelmRoute::unknown`]. These routes are kept apart from routes in manifests.

mod app_template;
mod names;
mod other_charts;
mod places;
mod template;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};

use super::controller::HelmCharts;
use super::index::Key;
use super::read::{flag, text};
use manifest::Object;
use manifest::value::merge::merge;
use manifest::value::{Kind, Node, Pointer};
use places::ValuePlaces;
use template::TemplateValues;

pub use template::TEMPLATE;

/// The group of Flux's HelmRelease.
pub const HELM: &str = "helm.toolkit.fluxcd.io";

/// The annotation that Helm 3 puts on everything that it creates; its value is the release's name.
pub const RELEASE: &str = "meta.helm.sh/release-name";

/// A route that a chart creates from its values.
#[derive(Clone, Debug)]
pub struct HelmRoute<'a> {
    /// The HelmRelease.
    pub release: &'a Object,
    /// The route. Its places point into the release's file. In strings, a variable stands where the chart has a
    /// template.
    pub object: Object,
    /// The path of the block of values in the release.
    pub block: Pointer,
    /// What of the route is not known.
    pub unknown: UnknownParts,
    places: ValuePlaces,
}

/// What of a chart's route is not known, because only the chart determines it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnknownParts {
    /// Which rules there are.
    pub rules: bool,
    /// The rules whose backends are not all known, by their index.
    pub backends: BTreeSet<usize>,
    /// Whether `postRenderers` of the release may change anything of the route.
    pub is_patched: bool,
}

impl HelmRoute<'_> {
    /// The path in the release for `pointer`, a path in the route.
    pub fn place(&self, pointer: &Pointer) -> Pointer {
        self.places.of(pointer)
    }
}

/// What charts create that matters for requests.
#[derive(Clone, Debug, Default)]
pub struct Charted<'a> {
    /// The routes.
    pub routes: Vec<HelmRoute<'a>>,
    /// The Services, as far as their names and ports are known. Their places point into the release's file.
    pub services: Vec<Object>,
}

impl Charted<'_> {
    /// All objects.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        let routes = self.routes.iter().map(|route| &route.object);
        routes.chain(&self.services)
    }
}

/// The values that releases take from ConfigMaps (`valuesFrom`).
#[derive(Clone, Debug, Default)]
pub struct ReleaseValues {
    by_release: HashMap<(String, String), Vec<Node>>,
}

impl ReleaseValues {
    /// Adds the values of a release, in their order.
    pub fn add(&mut self, release: &Object, values: Vec<Node>) {
        self.by_release.insert(identity(release), values);
    }

    fn of(&self, release: &Object) -> &[Node] {
        let given = self.by_release.get(&identity(release));
        given.map_or(&[], Vec::as_slice)
    }
}

fn identity(release: &Object) -> (String, String) {
    (release.file.clone(), Key::of(release).to_string())
}

/// The namespace that a release is installed in; empty if it isn't known.
pub fn release_namespace(release: &Object) -> &str {
    let given = text(&release.node, &["spec", "targetNamespace"]);
    let of_application = || text(&release.node, &["spec", "destination", "namespace"]);
    given.or_else(of_application).unwrap_or(release.namespace())
}

/// The name of the Helm release: the one that is given, else the name of the object, after its target namespace if it
/// has one (helm-controller 1.6).
pub fn release_name(release: &Object) -> String {
    let spec = |key| text(&release.node, &["spec", key]);
    match (spec("releaseName"), spec("targetNamespace")) {
        (Some(name), _) => name.to_owned(),
        (None, Some(namespace)) => format!("{namespace}-{}", release.name()),
        (None, None) => release.name().to_owned(),
    }
}

/// The routes that the charts of releases create from `spec.values`. `objects` are the releases and the sources of their
/// charts. Routes that are disabled (`enabled: false`) are left out, and so are releases whose `postRenderers` change
/// routes.
pub fn helm_routes<'a>(objects: impl IntoIterator<Item = &'a Object>) -> Vec<HelmRoute<'a>> {
    let mut routes = charted(objects, &ReleaseValues::default()).routes;
    routes.retain(|route| !route.unknown.is_patched);
    routes
}

/// Everything that the charts of releases create from their values. `objects` are the releases and the sources of their
/// charts. Routes that are disabled (`enabled: false`) are left out, and so are Services that are given themselves.
pub fn charted<'a>(
    objects: impl IntoIterator<Item = &'a Object>,
    values_from: &ReleaseValues,
) -> Charted<'a> {
    let objects: Vec<&Object> = objects.into_iter().collect();
    let mut charts: HashMap<usize, (&str, Option<u64>)> = HashMap::new();
    for (name, release) in HelmCharts::new(&objects, |_, _| true).all() {
        let major = release.version.as_ref().map(|version| version.minor.0);
        charts.insert(release.at, (name, major));
    }
    let mut found = Charted::default();
    let own: HashSet<Key<'_>> = objects
        .iter()
        .filter(|it| it.kind() == "Service" && it.group().is_empty())
        .map(|it| Key::of(it))
        .collect();
    for (at, release) in objects.iter().copied().enumerate() {
        if release.kind() != "HelmRelease" || release.group() != HELM {
            continue;
        }
        let Some(values) = values(release, values_from) else {
            continue;
        };
        let install = Install {
            release,
            values: &values,
            fill: TemplateValues::new(release, &values),
            is_patched: changes_routes(release),
        };
        match app_template::is_it(&values, charts.get(&at).copied()) {
            true => app_template::add(&install, &mut found),
            false => found.routes.extend(other_charts::routes(&install, None)),
        }
    }
    found
        .services
        .retain(|service| !own.contains(&Key::of(service)));
    found
}

/// A release with its values.
struct Install<'a, 'v> {
    release: &'a Object,
    values: &'v Node,
    fill: TemplateValues<'v>,
    is_patched: bool,
}

/// The values of a release: those of `valuesFrom` in their order, then `spec.values` (helm-controller 1.6).
fn values<'a>(release: &'a Object, values_from: &ReleaseValues) -> Option<Cow<'a, Node>> {
    let own = release.node.path(&["spec", "values"]);
    let Some((first, more)) = values_from.of(release).split_first() else {
        return own.map(Cow::Borrowed);
    };
    let mut all = first.clone();
    for one in more {
        merge(&mut all, one.clone());
    }
    if let Some(own) = own {
        merge(&mut all, own.clone());
    }
    Some(Cow::Owned(all))
}

/// Whether the chart's output is patched afterwards in a way that may change routes.
fn changes_routes(release: &Object) -> bool {
    let patches = release.node.path(&["spec", "postRenderers"]);
    patches.is_some_and(|patches| patches.to_json().to_string().contains("Route"))
}

fn is_off(node: &Node) -> bool {
    flag(node, &["enabled"]) == Some(false) || text(node, &["enabled"]) == Some("false")
}

fn spanned(kind: Kind, like: &Node) -> Node {
    Node {
        kind,
        span: like.span,
    }
}

/// The path of a release's values.
fn values_pointer() -> Pointer {
    Pointer::root().key("spec").key("values")
}

#[cfg(test)]
mod tests;
