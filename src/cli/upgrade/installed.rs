//! The versions of projects that manifests install.

use envoy_gateway::controller::helm_charts::{WrittenVersion, chart_in};
use manifest::Object;
use manifest::value::{Node, Pointer, variable};

/// A version that a manifest installs.
#[derive(Clone, Debug)]
pub(super) struct Installed<'a> {
    /// The object that contains it.
    pub object: &'a Object,
    /// Its path.
    pub pointer: Pointer,
    /// It, as it is written.
    pub written: &'a str,
    /// What it says.
    pub version: WrittenVersion,
    /// Whether it is written by a person, so that it is to be changed there.
    pub is_setting: bool,
}

impl Installed<'_> {
    /// The version without a leading `v`.
    pub(super) fn shown(&self) -> &str {
        self.written.strip_prefix('v').unwrap_or(self.written)
    }
}

/// The charts of projects.
const CHARTS: &[(&str, &str)] = &[
    ("cert-manager", "cert-manager"),
    ("cilium", "cilium"),
    ("external-dns", "external-dns"),
    ("gateway-helm", "envoy-gateway"),
    ("grafana-operator", "grafana-operator"),
    ("keda", "keda"),
];

/// What a project writes into its CRDs: the API group, and the label or annotation with its version.
const MARKS: &[(&str, &str, &str, &str)] = &[
    (
        "cert-manager",
        "cert-manager.io",
        "labels",
        "app.kubernetes.io/version",
    ),
    (
        "flux",
        "kustomize.toolkit.fluxcd.io",
        "labels",
        "app.kubernetes.io/version",
    ),
    (
        "gateway-api",
        "gateway.networking.k8s.io",
        "annotations",
        "gateway.networking.k8s.io/bundle-version",
    ),
    ("keda", "keda.sh", "labels", "app.kubernetes.io/version"),
    (
        "prometheus-operator",
        "monitoring.coreos.com",
        "annotations",
        "operator.prometheus.io/version",
    ),
];

/// The versions of a project that the manifests install.
pub(super) fn installed<'a>(objects: &'a [Object], project: &str) -> Vec<Installed<'a>> {
    let mut found: Vec<Installed> = objects
        .iter()
        .filter_map(|object| {
            of_chart(object, project)
                .or_else(|| of_flux(object, project))
                .or_else(|| of_gateway_api(object, project))
        })
        .collect();
    if found.is_empty() {
        found.extend(objects.iter().filter_map(|object| of_crd(object, project)));
        found.truncate(1);
    }
    found
}

fn pointer(path: &[&str]) -> Pointer {
    path.iter().fold(Pointer::root(), |at, key| at.key(*key))
}

fn text<'a>(object: &'a Object, path: &[&str]) -> Option<&'a str> {
    object.node.path(path).and_then(Node::as_str)
}

/// The version of a chart in a HelmRelease or in a source.
fn of_chart<'a>(object: &'a Object, project: &str) -> Option<Installed<'a>> {
    let (chart, _) = chart_in(&object.node)?;
    CHARTS.iter().find(|it| *it == &(chart, project))?;
    // Bitnami numbers its charts by itself.
    let is_other = |url: &str| url.contains("bitnami");
    if text(object, &["spec", "url"]).is_some_and(is_other) {
        return None;
    }
    let paths: [&[&str]; 4] = match object.kind() {
        "HelmRelease" => [&["spec", "chart", "spec", "version"]; 4],
        "HelmChart" => [&["spec", "version"]; 4],
        _ => [
            &["spec", "ref", "semver"],
            &["spec", "ref", "tag"],
            &["spec", "ref", "digest"],
            &["spec", "ref"],
        ],
    };
    let path = paths.into_iter().find(|path| text(object, path).is_some());
    let path = path.unwrap_or(&["spec"]);
    let written = text(object, path).unwrap_or_default();
    let version = match path.last() {
        Some(&"digest" | &"spec") => WrittenVersion::Unknown,
        _ if variable::in_text(written) => WrittenVersion::Unknown,
        _ => of_project(WrittenVersion::parse(written), project),
    };
    Some(Installed {
        object,
        pointer: pointer(path),
        written,
        version,
        is_setting: path.last() != Some(&"spec"),
    })
}

/// The version of a project that a chart of a version installs. That of external-dns is 1.22.0 for 0.22.0.
fn of_project(version: WrittenVersion, project: &str) -> WrittenVersion {
    let other = |version: String| match version.strip_prefix("1.") {
        Some(rest) if project == "external-dns" => format!("0.{rest}"),
        _ => version,
    };
    match version {
        WrittenVersion::Exact(version) => WrittenVersion::Exact(other(version)),
        WrittenVersion::AtLeast(version) => WrittenVersion::AtLeast(other(version)),
        WrittenVersion::Unknown => WrittenVersion::Unknown,
    }
}

/// The version of the chart that installs a version of a project.
pub(super) fn chart_version(project: &str, version: &str) -> String {
    match version.strip_prefix("0.") {
        Some(rest) if project == "external-dns" => format!("1.{rest}"),
        _ => version.to_owned(),
    }
}

/// The version in a FluxInstance.
fn of_flux<'a>(object: &'a Object, project: &str) -> Option<Installed<'a>> {
    let path = ["spec", "distribution", "version"];
    let written =
        text(object, &path).filter(|_| project == "flux" && object.kind() == "FluxInstance")?;
    Some(Installed {
        object,
        pointer: pointer(&path),
        written,
        version: WrittenVersion::parse(written),
        is_setting: true,
    })
}

/// The release of the Gateway API in a GitRepository, or in the resources of a kustomization.
fn of_gateway_api<'a>(object: &'a Object, project: &str) -> Option<Installed<'a>> {
    const REPOSITORY: &str = "kubernetes-sigs/gateway-api";
    if project != "gateway-api" {
        return None;
    }
    let found = |pointer: Pointer, written: &'a str| Installed {
        object,
        pointer,
        written,
        version: WrittenVersion::parse(written),
        is_setting: true,
    };
    if object.kind() == "GitRepository" {
        let path = ["spec", "ref", "tag"];
        text(object, &["spec", "url"]).filter(|url| url.contains(REPOSITORY))?;
        return Some(found(pointer(&path), text(object, &path)?));
    }
    let resources = object.node.path(&["resources"]).and_then(Node::as_list)?;
    resources.iter().enumerate().find_map(|(at, resource)| {
        let text = resource.as_str().filter(|it| it.contains(REPOSITORY))?;
        let parts = text.split(['/', '=', '&', '?']);
        let mut versions = parts.filter(|part| {
            matches!(WrittenVersion::parse(part), WrittenVersion::Exact(_)) && part.starts_with('v')
        });
        Some(found(
            Pointer::root().key("resources").index(at),
            versions.next()?,
        ))
    })
}

/// The version that a project has written into one of its CRDs.
fn of_crd<'a>(object: &'a Object, project: &str) -> Option<Installed<'a>> {
    let group = text(object, &["spec", "group"])?;
    let (.., table, key) = MARKS
        .iter()
        .find(|(name, of_group, ..)| *name == project && *of_group == group)?;
    let path = ["metadata", table, key];
    let written = text(object, &path).filter(|_| object.kind() == "CustomResourceDefinition")?;
    Some(Installed {
        object,
        pointer: pointer(&path),
        written,
        version: WrittenVersion::parse(written),
        is_setting: false,
    })
}
