//! The releases of the controller's chart, and their values.
//!
//! Values are merged in the order of helm-controller 1.6: first those of `valuesFrom` in their order, then `values`.

use std::collections::BTreeSet;

use super::helm_charts::{ChartVersion, HelmCharts, chart_source};
use super::{CHART, controller_settings};
use crate::helm_routes::{HELM, ReleaseValues, release_namespace};
use crate::read::{has, list, text};
use crate::settings::Settings;
use flux_repo::{ARGO_CD, Delivery, KnownVariables, as_applied, is_kustomization};
use manifest::diagnostic::Sources;
use manifest::value::path::nearest;
use manifest::value::{Kind, Node, Pointer, variable};
use manifest::{Object, read};

/// The path in the values to the controller's own configuration.
pub const CONFIGURATION: [&str; 2] = ["config", "envoyGateway"];

/// The files of a repository, which may contain values of releases.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    /// The objects as they are in their files.
    pub objects: &'a [Object],
    /// What kustomize and Flux do with them.
    pub delivery: &'a Delivery,
    /// Returns the text of a file; the name is in the form of [`Object::file`].
    pub text_of: &'a dyn Fn(&str) -> Option<String>,
}

impl Files<'_> {
    /// The objects as the API server gets them, with the known values of variables, and the settings of the controller that
    /// they install.
    pub fn applied(&self) -> (Vec<Object>, Settings) {
        self.applied_by(None)
    }

    /// The same as [`Files::applied`] for a declared minor version of the controller, which counts in place of the
    /// versions of the releases.
    pub fn applied_by(&self, declared: Option<(u64, u64)>) -> (Vec<Object>, Settings) {
        let mut objects = as_applied(self.objects, self.delivery);
        let known = KnownVariables::of(self.objects, self.delivery, self.text_of);
        for (object, (_, way)) in objects.iter_mut().zip(self.delivery.copies()) {
            known.put_into(object, way);
        }
        let settings = controller_settings(&objects, self, declared);
        (objects, settings)
    }

    /// The values that releases take from ConfigMaps. Those that are not given are left out. They have no places, because
    /// a place would be in a file of its own.
    pub fn release_values(&self, objects: &[Object]) -> ReleaseValues {
        let mut found = ReleaseValues::default();
        for release in objects {
            let has_any = !list(&release.node, &["spec", "valuesFrom"]).is_empty();
            if has_any && release.kind() == "HelmRelease" && release.group() == HELM {
                let given = values_from(self, release).into_iter().flatten();
                found.add(release, given.map(without_places).collect());
            }
        }
        found
    }
}

fn without_places(mut node: Node) -> Node {
    node.span = None;
    match &mut node.kind {
        Kind::Map(map) => {
            let entries = std::mem::take(map).into_entries();
            *map = entries
                .map(|(key, entry)| (key, without_places(entry.value)))
                .collect();
        }
        Kind::List(items) => {
            *items = std::mem::take(items)
                .into_iter()
                .map(without_places)
                .collect();
        }
        _ => {}
    }
    node
}

/// A release of the controller's chart.
#[derive(Clone, Debug)]
pub struct ControllerRelease<'a> {
    /// Its index among the given objects.
    pub at: usize,
    /// The HelmRelease.
    pub release: &'a Object,
    /// The version of the chart; `None` if no exact version is given.
    pub version: Option<ChartVersion<'a>>,
    /// The values of each entry of `valuesFrom`, in order; `None` for values that are not given.
    values_from: Vec<Option<Node>>,
    /// The texts of patches that contain the key of the controller's configuration. They may be for this release or
    /// another one.
    patches: Vec<&'a str>,
    /// The HelmReleases of the same name that are patches.
    partial_releases: Vec<&'a Object>,
}

/// Where the controller creates proxies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeployMode {
    /// The proxies of each gateway are in the namespace of the gateway.
    GatewayNamespace,
    /// All proxies are in the controller's namespace, whose name is given here.
    ControllerNamespace(String),
}

/// The result of looking up a path in the values.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting<'r> {
    /// The value, and its place in the HelmRelease if it is in `spec.values`.
    Given(&'r Node, Option<Pointer>),
    /// The values don't set it, so the default applies.
    Unset,
    /// It may be set in values that are not given, or by a patch.
    Unknown,
}

/// The path of the values in a HelmRelease.
pub fn values_pointer() -> Pointer {
    Pointer::root().key("spec").key("values")
}

/// The releases of the controller's chart in `objects`, which are as the API server gets them.
pub fn controller_releases<'a>(
    objects: &[&'a Object],
    charts: &HelmCharts<'a>,
    files: &Files<'a>,
) -> Vec<ControllerRelease<'a>> {
    let patches = patches(files);
    let all = charts.releases(CHART).iter();
    all.filter_map(|found| {
        let release = *objects.get(found.at)?;
        Some(ControllerRelease {
            at: found.at,
            release,
            version: found.version.clone(),
            values_from: values_from(files, release),
            patches: patches.clone(),
            partial_releases: partial_releases(files, release),
        })
    })
    .collect()
}

/// The values of an Application of Argo CD: of its files, then `values` and `valuesObject`.
fn values_of_application(files: &Files<'_>, application: &Object) -> Vec<Option<Node>> {
    let Some(source) = chart_source(application) else {
        return Vec::new();
    };
    let named = list(source, &["helm", "valueFiles"]).iter();
    // `$name/path` is a file of the source with that name, which is a repository.
    let of_file = |file: &str| {
        let (_, path) = file.strip_prefix('$')?.split_once('/')?;
        (files.text_of)(path).and_then(parsed)
    };
    let mut values: Vec<Option<Node>> = named.map(|file| file.as_str().and_then(of_file)).collect();
    values.extend(text(source, &["helm", "values"]).map(|text| parsed(text.to_owned())));
    values.extend(source.path(&["helm", "valuesObject"]).cloned().map(Some));
    if has(source, &["helm", "parameters"]) {
        values.push(None);
    }
    values
}

/// A text with one YAML document.
fn parsed(text: String) -> Option<Node> {
    let mut sources = Sources::default();
    let id = sources.add("", text);
    let (documents, problems) = read::read(&sources, id);
    let [document] = documents.try_into().ok()?;
    problems.is_empty().then_some(document.node)
}

fn values_from(files: &Files<'_>, release: &Object) -> Vec<Option<Node>> {
    if release.group() == ARGO_CD {
        return values_of_application(files, release);
    }
    let references = list(&release.node, &["spec", "valuesFrom"]).iter();
    references
        .map(|reference| {
            let is_whole = text(reference, &["kind"]) == Some("ConfigMap")
                && text(reference, &["targetPath"]).is_none();
            let name = text(reference, &["name"]).filter(|_| is_whole)?;
            let key = text(reference, &["valuesKey"]).unwrap_or("values.yaml");
            parsed(config_map_text(files, release, name, key)?)
        })
        .collect()
}

/// The text of a key in the ConfigMap that is nearest to the release. The ConfigMap may be a manifest, or generated by
/// a kustomization.
fn config_map_text(files: &Files<'_>, release: &Object, name: &str, key: &str) -> Option<String> {
    let maps = files.objects.iter();
    let maps = maps.filter(|it| it.kind() == "ConfigMap" && it.name() == name);
    if let Some(map) = nearest(&release.file, maps, |it| &it.file).first() {
        return text(&map.node, &["data", key]).map(str::to_owned);
    }
    let generated =
        files.delivery.generated().iter().filter(|map| {
            map.generator.kind == "ConfigMap" && map.names().any(|full| full == name)
        });
    let generated = generated.filter_map(|map| Some((files.objects.get(map.by)?, map)));
    let nearest = nearest(&release.file, generated, |(by, _)| &by.file);
    nearest.first()?.1.generator.text(key, files.text_of)
}

/// The texts of all patches that contain the key of the controller's configuration.
fn patches<'a>(files: &Files<'a>) -> Vec<&'a str> {
    const LISTS: [&[&str]; 3] = [&["patches"], &["patchesJson6902"], &["spec", "patches"]];
    let [_, key] = CONFIGURATION;
    let patching = files
        .objects
        .iter()
        .filter(|object| is_kustomization(object) || object.kind() == "Kustomization");
    patching
        .flat_map(|object| LISTS.iter().flat_map(|path| list(&object.node, path)))
        .filter_map(|patch| text(patch, &["patch"]))
        .filter(|text| text.contains(key))
        .collect()
}

fn partial_releases<'a>(files: &Files<'a>, release: &Object) -> Vec<&'a Object> {
    let objects = files.objects.iter().enumerate();
    objects
        .filter(|(at, object)| {
            object.kind() == "HelmRelease"
                && object.name() == release.name()
                && files.delivery.is_input(*at)
        })
        .map(|(_, object)| object)
        .collect()
}

impl<'a> ControllerRelease<'a> {
    /// The major and minor number of the chart's version, if it is known.
    pub fn minor(&self) -> Option<(u64, u64)> {
        self.version.as_ref().map(|version| version.minor)
    }

    /// The namespace in which the controller runs, if it is known.
    pub fn namespace(&self) -> Option<&'a str> {
        let namespace = release_namespace(self.release);
        (!namespace.is_empty() && !variable::in_text(namespace)).then_some(namespace)
    }

    /// The `spec` of an EnvoyProxy that applies to all gateways (Envoy Gateway 1.7 and later).
    pub fn envoy_proxy(&self) -> Option<&Node> {
        match self.setting(&["envoyProxy"]) {
            Setting::Given(spec, _) => Some(spec),
            _ => None,
        }
    }

    /// Where the controller creates proxies; `None` if it is not known.
    pub fn deploy_mode(&self) -> Option<DeployMode> {
        let mode = match self.setting(&["provider", "kubernetes", "deploy", "type"]) {
            Setting::Given(mode, _) => mode.as_str()?,
            Setting::Unset => "ControllerNamespace",
            Setting::Unknown => return None,
        };
        match mode {
            "GatewayNamespace" => Some(DeployMode::GatewayNamespace),
            "ControllerNamespace" => {
                let namespace = self.namespace()?.to_owned();
                Some(DeployMode::ControllerNamespace(namespace))
            }
            _ => None,
        }
    }

    /// The value at a path in the controller's configuration (`config.envoyGateway`).
    pub fn setting(&self, path: &[&str]) -> Setting<'_> {
        let full: Vec<&str> = CONFIGURATION.iter().chain(path).copied().collect();
        match self.may_be_patched(&full) {
            true => Setting::Unknown,
            false => self.value(&full),
        }
    }

    fn value(&self, path: &[&str]) -> Setting<'_> {
        let pointer = path
            .iter()
            .fold(values_pointer(), |pointer, key| pointer.key(*key));
        if let Some(node) = self.release.node.at(&pointer) {
            return Setting::Given(node, Some(pointer));
        }
        for values in self.values_from.iter().rev() {
            let Some(values) = values else {
                return Setting::Unknown;
            };
            if let Some(node) = values.path(path) {
                return Setting::Given(node, None);
            }
        }
        Setting::Unset
    }

    /// Whether a given patch may set a value. A patch is either written inline, where its text contains all keys of
    /// the path, or a file with a part of the HelmRelease.
    fn may_be_patched(&self, path: &[&str]) -> bool {
        let full: Vec<&str> = ["spec", "values"].iter().chain(path).copied().collect();
        let mut parts = self.partial_releases.iter();
        let mut patches = self.patches.iter();
        patches.any(|text| path.iter().all(|key| text.contains(key)))
            || parts.any(|part| part.node.path(&full).is_some())
    }

    /// The deepest existing place in the HelmRelease on the way to `path` in the controller's configuration.
    pub fn place(&self, path: &[&str]) -> Pointer {
        let mut pointer = Pointer::root().key("spec");
        for key in ["values"].iter().chain(&CONFIGURATION).chain(path) {
            let next = pointer.key(*key);
            if self.release.node.at(&next).is_none() {
                break;
            }
            pointer = next;
        }
        pointer
    }
}

/// The version of all releases; `None` if one has no exact version, or if they differ.
pub fn agreed_version<'a>(
    versions: impl IntoIterator<Item = Option<ChartVersion<'a>>>,
) -> Option<ChartVersion<'a>> {
    let versions: Option<Vec<ChartVersion<'a>>> = versions.into_iter().collect();
    let versions = versions?;
    let texts: BTreeSet<&str> = versions.iter().map(|it| it.text.as_str()).collect();
    match texts.len() {
        1 => versions.into_iter().next(),
        _ => None,
    }
}
