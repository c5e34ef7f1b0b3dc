//! The set that a schema belongs to: a project's version, with a channel if the project has channels.

use std::fmt;

use super::version::Version;

/// A project's version, with a channel if the project has channels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Set {
    /// The project: `envoy-gateway`.
    pub project: String,
    /// The version.
    pub version: Version,
    /// The channel: `standard`, `experimental`.
    pub channel: Option<String>,
}

/// The names of projects, as they write them.
const TITLES: &[(&str, &str)] = &[
    ("argo-cd", "Argo CD"),
    ("cilium", "Cilium"),
    ("cloudnative-pg", "CloudNativePG"),
    ("core", "Kubernetes"),
    ("envoy-gateway", "Envoy Gateway"),
    ("external-secrets", "External Secrets"),
    ("flagger", "Flagger"),
    ("flux", "Flux"),
    ("flux-operator", "Flux Operator"),
    ("gateway-api", "Gateway API"),
    ("gateway-helm-values", "the gateway-helm chart"),
    ("grafana-operator", "Grafana Operator"),
    ("keda", "KEDA"),
    ("longhorn", "Longhorn"),
    ("metallb", "MetalLB"),
    ("node-feature-discovery", "Node Feature Discovery"),
    ("prometheus-operator", "Prometheus Operator"),
    ("rook", "Rook"),
    ("sealed-secrets", "Sealed Secrets"),
    ("traefik", "Traefik"),
    ("vertical-pod-autoscaler", "Vertical Pod Autoscaler"),
    ("volsync", "VolSync"),
];

/// The project of schemas that a user imported without a project.
const OWN: &str = "own";

/// The projects that front doors are made of. The catalogue follows their releases, and their versions can be declared. Of the
/// other projects it only has the newest release, and nobody knows which one a cluster has.
const FOLLOWED: [&str; 12] = [
    "cert-manager",
    "cilium",
    "core",
    "envoy-gateway",
    "external-dns",
    "gateway-api",
    "grafana-operator",
    "helm-controller",
    "keda",
    "kustomize-controller",
    "prometheus-operator",
    "source-controller",
];

/// Whether the catalogue follows the releases of a project.
pub fn is_followed(project: &str) -> bool {
    FOLLOWED.contains(&project)
}

/// The name of a project as it writes it, or `project` itself if that is not known.
pub fn title(project: &str) -> &str {
    TITLES
        .iter()
        .find(|(name, _)| *name == project)
        .map_or(project, |(_, title)| title)
}

impl Set {
    /// Creates a set from user input.
    pub fn new(project: &str, version: &str, channel: Option<&str>) -> Self {
        Set {
            project: project.to_owned(),
            version: Version::new(version),
            channel: channel.map(str::to_owned),
        }
    }

    /// The set of the user's own schemas that belong to no project. They are always used.
    pub fn own() -> Self {
        Set::new(OWN, "", None)
    }

    /// Whether it is [`own`](Self::own).
    pub(crate) fn is_own(&self) -> bool {
        *self == Set::own()
    }

    /// The set in a path: `PROJECT/VERSION/FILE` or `PROJECT/VERSION/CHANNEL/FILE`, after any other folders.
    /// `flux/NAME-vVERSION/FILE` is used for releases of several projects together; the project is `NAME`.
    pub fn of_path(path: &str) -> Option<Self> {
        let folders: Vec<&str> = path.split('/').rev().skip(1).collect();
        let is_version = |text: &str| Version::new(text).minor().is_some();
        let (channel, version, project) = match folders.as_slice() {
            [version, project, ..] if is_version(last_part(version)) => (None, version, project),
            [channel, version, project, ..] if is_version(last_part(version)) => {
                (Some(*channel), version, project)
            }
            _ => return None,
        };
        let number = last_part(version);
        let project = version
            .strip_suffix(number)
            .and_then(|name| name.strip_suffix('-'))
            .unwrap_or(project);
        Some(Set::new(project, number, channel))
    }

    /// The folder for its files, relative to the root of a catalogue.
    pub(crate) fn folder(&self) -> String {
        if self.is_own() {
            return OWN.to_owned();
        }
        let mut folder = format!("{}/{}", plain(&self.project), plain(&self.version.folder()));
        if let Some(channel) = &self.channel {
            folder.push('/');
            folder.push_str(&plain(channel));
        }
        folder
    }

    /// The project's own name and the version.
    pub fn title(&self) -> String {
        if self.is_own() {
            return "your own schemas".to_owned();
        }
        format!("{} {}", title(&self.project), self.version)
    }
}

/// `v1.9.4` for `kustomize-controller-v1.9.4`; the whole name if it has no such part.
fn last_part(folder: &str) -> &str {
    match folder.rfind("-v") {
        Some(at) if Version::new(&folder[at + 1..]).minor().is_some() => &folder[at + 1..],
        _ => folder,
    }
}

/// A name that can be used as a file name without leaving its folder.
pub(super) fn plain(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name: String = name
        .chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect();
    match name.trim_start_matches('.') {
        "" => "_".to_owned(),
        rest => rest.to_owned(),
    }
}

impl fmt::Display for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_own() {
            return f.write_str(OWN);
        }
        write!(f, "{}@{}", self.project, self.version)?;
        match &self.channel {
            Some(channel) => write!(f, ":{channel}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_name_project_version_and_channel() {
        let of = |path: &str| Set::of_path(path).map(|set| set.to_string());
        assert_eq!(of("x/keda/v2.20.2/a.yaml").as_deref(), Some("keda@2.20.2"));
        assert_eq!(
            of("gateway-api/v1.6.1/experimental/a.yaml").as_deref(),
            Some("gateway-api@1.6.1:experimental")
        );
        assert_eq!(
            of("flux/helm-controller-v1.6.3/a.yaml").as_deref(),
            Some("helm-controller@1.6.3")
        );
        assert_eq!(of("a.yaml"), None);
        assert_eq!(of("some/folder/a.yaml"), None);
    }
}
