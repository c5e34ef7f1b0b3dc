//! Finds the chart that each HelmRelease installs, and its version.
//!
//! A HelmRelease contains the name of its chart (`spec.chart`), or refers to a source of it (`spec.chartRef`): an
//! OCIRepository, whose URL ends with the name of the chart, or a HelmChart (helm-controller 1.6, source-controller
//! 1.6). An Application of Argo CD names its chart in a source.

use std::collections::{BTreeMap, HashMap};

use crate::helm_routes::HELM;
use crate::read::{list, text};
use flux_repo::ARGO_CD;
use manifest::Object;
use manifest::value::Node;
use manifest::value::path::{name, nearest};

/// The API group of Flux's sources.
const SOURCES: &str = "source.toolkit.fluxcd.io";

/// The version of a chart.
#[derive(Clone, Debug)]
pub struct ChartVersion<'a> {
    /// The version without a leading `v`. For a range within one minor version, this is the first version in the range.
    pub text: String,
    /// The major and minor number.
    pub minor: (u64, u64),
    /// The object that contains it: the HelmRelease or its source.
    pub by: &'a Object,
}

/// A HelmRelease of a chart.
#[derive(Clone, Debug)]
pub struct ChartRelease<'a> {
    /// Its index among the given objects.
    pub at: usize,
    /// The version of its chart; `None` if it may have several minor versions.
    pub version: Option<ChartVersion<'a>>,
}

/// The HelmReleases, grouped by the name of their chart.
#[derive(Clone, Debug, Default)]
pub struct HelmCharts<'a> {
    by_chart: HashMap<&'a str, Vec<ChartRelease<'a>>>,
}

impl<'a> HelmCharts<'a> {
    /// Finds the chart of each release. The source of a release must be in the same cluster, according to
    /// `may_share_cluster`. If there are several, the nearest one is taken.
    pub fn new(
        objects: &[&'a Object],
        may_share_cluster: impl Fn(&Object, &Object) -> bool,
    ) -> Self {
        let mut sources: BTreeMap<(&str, &str), Vec<&Object>> = BTreeMap::new();
        for object in objects.iter().filter(|it| it.group() == SOURCES) {
            let named = sources.entry((object.kind(), object.name())).or_default();
            named.push(object);
        }
        let mut charts = HelmCharts::default();
        for (at, release) in objects.iter().copied().enumerate() {
            if release.group() == ARGO_CD {
                if let Some((chart, version)) = chart_of_application(release) {
                    let version = version.and_then(|text| known_version(text, release));
                    let of_chart = charts.by_chart.entry(chart).or_default();
                    of_chart.push(ChartRelease { at, version });
                }
                continue;
            }
            if release.kind() != "HelmRelease" || release.group() != HELM {
                continue;
            }
            let by = match chart_in(&release.node) {
                Some(_) => Some(release),
                None => source_of(release, &sources, &may_share_cluster),
            };
            let Some((by, (chart, version))) = by.and_then(|by| Some((by, chart_in(&by.node)?)))
            else {
                continue;
            };
            let version = version.and_then(|text| known_version(text, by));
            let of_chart = charts.by_chart.entry(chart).or_default();
            of_chart.push(ChartRelease { at, version });
        }
        charts
    }

    /// All releases whose chart is known, each with the name of its chart.
    pub fn all(&self) -> impl Iterator<Item = (&'a str, &ChartRelease<'a>)> {
        let charts = self.by_chart.iter();
        charts.flat_map(|(chart, releases)| releases.iter().map(move |release| (*chart, release)))
    }

    /// The releases of the chart with a given name.
    pub fn releases(&self, chart: &str) -> &[ChartRelease<'a>] {
        self.by_chart.get(chart).map_or(&[], Vec::as_slice)
    }
}

/// The source of an Application of Argo CD that is a chart.
pub(super) fn chart_source(application: &Object) -> Option<&Node> {
    let several = list(&application.node, &["spec", "sources"]).iter();
    let one = application.node.path(&["spec", "source"]);
    let mut all = one.into_iter().chain(several);
    all.find(|source| chart_of_source(source).is_some())
}

/// The name and version of the chart of an Application of Argo CD.
fn chart_of_application(application: &Object) -> Option<(&str, Option<&str>)> {
    chart_of_source(chart_source(application)?)
}

/// The name and version of the chart that a source of Argo CD is. Its address is in `repoURL`, with the name of the chart
/// in `chart`, or, since Argo CD 3.1, with the name in the address.
fn chart_of_source(source: &Node) -> Option<(&str, Option<&str>)> {
    let address = text(source, &["repoURL"]).filter(|url| url.starts_with("oci://"));
    let chart = name(text(source, &["chart"]).or(address)?);
    Some((chart, text(source, &["targetRevision"])))
}

/// All charts that a document names, each with its version as it is written: a HelmRelease, a source of one, an
/// Application of Argo CD, a kustomization with `helmCharts`, or a `Chart.yaml` with dependencies.
pub fn charts_in(node: &Node) -> Vec<(&str, Option<&str>)> {
    let of_flux = chart_in(node);
    let spec = |path: &[&str]| node.path(path);
    let sources = list(node, &["spec", "sources"]).iter();
    let sources = spec(&["spec", "source"]).into_iter().chain(sources);
    let is_application = text(node, &["kind"]) == Some("Application");
    let of_argo = sources.filter(|_| is_application);
    let entries = ["dependencies", "helmCharts"];
    let entries = entries.iter().flat_map(|key| list(node, &[*key]));
    let of_entries = entries.filter_map(|entry| {
        let chart = text(entry, &["name"])?;
        Some((chart, text(entry, &["version"])))
    });
    of_flux
        .into_iter()
        .chain(of_argo.filter_map(chart_of_source))
        .chain(of_entries)
        .collect()
}

/// The source of a release.
fn source_of<'a>(
    release: &Object,
    sources: &BTreeMap<(&'a str, &'a str), Vec<&'a Object>>,
    may_share_cluster: impl Fn(&Object, &Object) -> bool,
) -> Option<&'a Object> {
    let kind = text(&release.node, &["spec", "chartRef", "kind"])?;
    let name = text(&release.node, &["spec", "chartRef", "name"])?;
    let namespace = text(&release.node, &["spec", "chartRef", "namespace"]);
    let namespace = namespace.unwrap_or(release.namespace());
    // The map's keys have a longer lifetime than the strings of this lookup.
    let sources: &BTreeMap<(&str, &str), Vec<&'a Object>> = sources;
    let fitting = sources
        .get(&(kind, name))?
        .iter()
        .copied()
        .filter(|source| {
            let there = source.namespace();
            (namespace.is_empty() || there.is_empty() || there == namespace)
                && may_share_cluster(source, release)
        });
    let nearest = nearest(&release.file, fitting, |source| &source.file);
    nearest.first().copied()
}

/// The name of the chart that a HelmRelease or the source of one contains, and the version as it is written. A chart in a
/// URL is named by its last part.
pub fn chart_in(node: &Node) -> Option<(&str, Option<&str>)> {
    let (chart, version): (&[&str], &[&str]) = match text(node, &["kind"])? {
        "HelmRelease" => (
            &["spec", "chart", "spec", "chart"],
            &["spec", "chart", "spec", "version"],
        ),
        "OCIRepository" => (&["spec", "url"], &["spec", "ref", "tag"]),
        "HelmChart" => (&["spec", "chart"], &["spec", "version"]),
        _ => return None,
    };
    let chart = name(text(node, chart)?);
    let version = text(node, version).or(text(node, &["spec", "ref", "semver"]));
    (!chart.is_empty()).then_some((chart, version))
}

/// The path to the version of the chart that a HelmRelease or the source of one contains, or to the digest in place of it;
/// `None` if it contains none.
pub fn version_path(node: &Node) -> Option<&'static [&'static str]> {
    let paths: &[&'static [&'static str]] = match text(node, &["kind"])? {
        "HelmRelease" => &[&["spec", "chart", "spec", "version"]],
        "OCIRepository" => &[
            &["spec", "ref", "tag"],
            &["spec", "ref", "semver"],
            &["spec", "ref", "digest"],
        ],
        "HelmChart" => &[&["spec", "version"]],
        _ => &[],
    };
    let there = |path: &&&'static [&'static str]| text(node, path).is_some();
    paths.iter().find(there).copied()
}

/// A version whose minor version is known: an exact one, or a range within one minor version, such as `1.8.x`. `None` for
/// `0.0.x`, which is a development build.
fn known_version<'a>(written: &str, by: &'a Object) -> Option<ChartVersion<'a>> {
    let text = written.strip_prefix('v').unwrap_or(written);
    let version = semver::Version::parse(text).ok();
    let version = version.or_else(|| first_in_range(text))?;
    let minor = (version.major, version.minor);
    (minor != (0, 0)).then(|| ChartVersion {
        text: version.to_string(),
        minor,
        by,
    })
}

/// What the version of a chart, as it is written, says about the version that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrittenVersion {
    /// It runs.
    Exact(String),
    /// A version from this one on runs.
    AtLeast(String),
    /// It says nothing: `latest`, `*`, a Flux variable.
    Unknown,
}

impl WrittenVersion {
    /// Reads a version, with or without a leading `v`, or a range of versions.
    pub fn parse(written: &str) -> Self {
        let text = written.strip_prefix('v').unwrap_or(written);
        if semver::Version::parse(text).is_ok() {
            return WrittenVersion::Exact(text.to_owned());
        }
        let Some(range) = range(text) else {
            return WrittenVersion::Unknown;
        };
        use semver::Op;
        let lowest = range
            .comparators
            .iter()
            .filter(|it| !matches!(it.op, Op::Less | Op::LessEq));
        let lowest = lowest.map(|it| {
            let (minor, patch) = (it.minor.unwrap_or(0), it.patch.unwrap_or(0));
            semver::Version::new(it.major, minor, patch)
        });
        lowest.max().map_or(WrittenVersion::Unknown, |lowest| {
            WrittenVersion::AtLeast(lowest.to_string())
        })
    }
}

/// Whether a range of versions contains a version.
pub fn admits(written: &str, version: &str) -> bool {
    let written = written.strip_prefix('v').unwrap_or(written);
    // As a range, a version would be all that are compatible with it.
    let is_exact = semver::Version::parse(written).is_ok();
    let version = semver::Version::parse(version);
    matches!((range(written), version), (Some(range), Ok(version)) if !is_exact && range.matches(&version))
}

/// A range of versions. Helm separates conditions by commas or blanks.
fn range(text: &str) -> Option<semver::VersionReq> {
    let conditions: Vec<&str> = text
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|part| !part.is_empty())
        .collect();
    semver::VersionReq::parse(&conditions.join(", ")).ok()
}

/// The minor and patch versions that a range is compared with.
const COMPARED: (u64, u64) = (64, 32);

/// The first version in a range, if all versions in it have the same minor version.
fn first_in_range(text: &str) -> Option<semver::Version> {
    let range = range(text)?;
    let numbers = (0..=2).flat_map(|major| {
        (0..COMPARED.0)
            .flat_map(move |minor| (0..COMPARED.1).map(move |patch| (major, minor, patch)))
    });
    let mut matching = numbers
        .map(|(major, minor, patch)| semver::Version::new(major, minor, patch))
        .filter(|version| range.matches(version));
    let first = matching.next()?;
    let is_same =
        |version: &semver::Version| (version.major, version.minor) == (first.major, first.minor);
    matching.all(|version| is_same(&version)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::{WrittenVersion, admits, first_in_range};

    #[test]
    fn a_version_as_it_is_written_says_what_runs() {
        let exact = |text: &str| WrittenVersion::Exact(text.to_owned());
        let at_least = |text: &str| WrittenVersion::AtLeast(text.to_owned());
        for (written, want) in [
            ("v1.8.3", exact("1.8.3")),
            ("1.9.0-rc.1", exact("1.9.0-rc.1")),
            ("1.8.x", at_least("1.8.0")),
            (">=1.8.0", at_least("1.8.0")),
            (">=1.8.1 <1.9.0", at_least("1.8.1")),
            ("^2", at_least("2.0.0")),
            ("*", WrittenVersion::Unknown),
            ("latest", WrittenVersion::Unknown),
            ("${VERSION}", WrittenVersion::Unknown),
        ] {
            assert_eq!(WrittenVersion::parse(written), want, "{written}");
        }
        assert!(admits(">=1.8.0", "1.9.0") && !admits("1.8.x", "1.9.0"));
        assert!(!admits("1.8.3", "1.9.0"));
    }

    #[test]
    fn a_range_within_a_minor_version_is_known() {
        let first = |text: &str| first_in_range(text).map(|version| version.to_string());
        for (range, want) in [
            ("1.8.x", Some("1.8.0")),
            ("1.8.*", Some("1.8.0")),
            ("~1.8.2", Some("1.8.2")),
            (">=1.8.1 <1.9.0", Some("1.8.1")),
            (">=1.8.1, <1.9.0", Some("1.8.1")),
            ("1.x", None),
            ("^1.8.0", None),
            (">=1.8.0", None),
            ("latest", None),
        ] {
            assert_eq!(first(range).as_deref(), want, "{range}");
        }
    }
}
