//! The controller as a repository installs it. The version and values of its Helm release determine which features are
//! enabled, in which namespace it runs, and which EnvoyProxy is the default for all gateways.
//!
//! [`Files::applied`] is the entry point. If no release of the chart is given, the defaults of [`Settings`] are
//! used.

pub mod features;
pub mod helm_charts;
pub mod release;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use features::{Feature, State};
pub use helm_charts::{ChartVersion, HelmCharts};
pub use release::{
    ControllerRelease, DeployMode, Files, Setting, agreed_version, controller_releases,
};

use super::read::{list, text};
use super::settings::{Features, Settings};
use manifest::Object;

/// The name of the controller's Helm chart.
pub const CHART: &str = "gateway-helm";

/// The minor version of Envoy Gateway that is assumed if no version is known: the one that [`super`] implements.
pub const ASSUMED: (u64, u64) = (1, 9);

/// The settings of the controller that a repository installs, for [`resolve`](super::resolve). `objects` are as the
/// API server gets them. If a version is declared, it counts in place of those of the releases.
fn controller_settings(
    objects: &[Object],
    files: &Files<'_>,
    declared: Option<(u64, u64)>,
) -> Settings {
    let objects: Vec<&Object> = objects.iter().collect();
    let may_share =
        |one: &Object, other: &Object| files.delivery.may_share_cluster(&one.file, &other.file);
    let charts = HelmCharts::new(&objects, may_share);
    let releases = controller_releases(&objects, &charts, files);
    let mut settings = settings_of(&releases, |release| declared.or(release.minor()));
    settings.features.minor = declared.unwrap_or(ASSUMED);
    settings
}

/// The version of each release of the controller's chart. `objects` are as they are in their files.
pub fn chart_versions(objects: &[Object]) -> Vec<Option<ChartVersion<'_>>> {
    let objects: Vec<&Object> = objects.iter().collect();
    let charts = HelmCharts::new(&objects, |_, _| true);
    let releases = charts.releases(CHART).iter();
    releases.map(|release| release.version.clone()).collect()
}

/// The version that all releases of a chart agree on, by the name of the chart. `objects` are as they are in their files.
pub fn agreed_chart_versions(objects: &[Object]) -> Vec<(&str, ChartVersion<'_>)> {
    let objects: Vec<&Object> = objects.iter().collect();
    let charts = HelmCharts::new(&objects, |_, _| true);
    let mut versions: BTreeMap<&str, Vec<Option<ChartVersion<'_>>>> = BTreeMap::new();
    for (chart, release) in charts.all() {
        let of_chart = versions.entry(chart).or_default();
        of_chart.push(release.version.clone());
    }
    let agreed = versions.into_iter();
    agreed
        .filter_map(|(chart, versions)| Some((chart, agreed_version(versions)?)))
        .collect()
}

/// The settings according to `releases`. `minor_of` returns the minor version of each.
pub fn settings_of(
    releases: &[ControllerRelease<'_>],
    minor_of: impl Fn(&ControllerRelease<'_>) -> Option<(u64, u64)>,
) -> Settings {
    let mut settings = Settings::default();
    let of_release = |release| {
        let minor = minor_of(release).unwrap_or(ASSUMED);
        (release.release.file.clone(), features_of(release, minor))
    };
    settings.by_release = releases.iter().map(of_release).collect();
    if let Some(namespace) = agreed(releases.iter().map(ControllerRelease::namespace)) {
        settings.namespace = namespace.to_owned();
    }
    if let [only] = releases {
        settings.proxy = only.envoy_proxy().cloned();
    }
    for release in releases {
        settings.extensions.extend(kinds(release, "resources"));
        settings
            .extensions
            .extend(kinds(release, "backendResources"));
        let policies = kinds(release, "policyResources");
        settings.extension_policies.extend(policies);
    }
    settings
}

/// The value of all, if it is the same for all and known.
fn agreed<'a>(all: impl Iterator<Item = Option<&'a str>>) -> Option<&'a str> {
    let all: BTreeSet<Option<&str>> = all.collect();
    match all.len() {
        1 => all.into_iter().next().flatten(),
        _ => None,
    }
}

/// The features that a release enables. If this is unknown, a feature is taken as enabled.
fn features_of(release: &ControllerRelease<'_>, minor: (u64, u64)) -> Features {
    let may_be_on = |feature: Feature| feature.state(release, minor) != State::Off;
    Features {
        minor,
        backend: may_be_on(Feature::Backend),
        patch_policy: may_be_on(Feature::EnvoyPatchPolicy),
        lua: may_be_on(Feature::Lua),
        sds: may_be_on(Feature::SdsSecrets),
        global_rate_limit: release.setting(&["rateLimit"]) != Setting::Unset,
        host: runs_on_host(release),
    }
}

/// Whether proxies run as processes on the host of the controller.
fn runs_on_host(release: &ControllerRelease<'_>) -> bool {
    let path = ["provider", "custom", "infrastructure", "type"];
    matches!(release.setting(&path), Setting::Given(node, _) if node.as_str() == Some("Host"))
}

/// The groups and kinds that the controller's extension servers add.
fn kinds(release: &ControllerRelease<'_>, key: &str) -> Vec<(String, String)> {
    let one = match release.setting(&["extensionManager"]) {
        Setting::Given(node, _) => Some(node),
        _ => None,
    };
    let several = match release.setting(&["extensionManagers"]) {
        Setting::Given(node, _) => node.as_list().unwrap_or_default(),
        _ => &[],
    };
    let managers = one.into_iter().chain(several);
    managers
        .flat_map(|manager| list(manager, &[key]))
        .filter_map(|kind| {
            let part = |key| text(kind, &[key]).map(str::to_owned);
            Some((part("group")?, part("kind")?))
        })
        .collect()
}
