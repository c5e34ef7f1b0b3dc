//! Which chart each HelmRelease installs, and in which version.
//!
//! A HelmRelease names its chart (`spec.chart`), or a source that holds it (`spec.chartRef`): an OCIRepository, whose
//! address ends with the chart's name, or a HelmChart (helm-controller 1.6, source-controller 1.6).

use std::collections::{BTreeMap, HashMap};

use crate::helm_routes::HELM;
use crate::read::text;
use manifest::Object;

/// The group of Flux's sources.
const SOURCES: &str = "source.toolkit.fluxcd.io";

/// The version of a chart, as an object says it.
#[derive(Clone, Debug)]
pub struct ChartVersion<'a> {
    /// As written, without a leading `v`.
    pub text: String,
    /// Its major and minor number.
    pub minor: (u64, u64),
    /// The object that says so: the release, or its source.
    pub by: &'a Object,
}

/// A release of a chart.
#[derive(Clone, Debug)]
pub struct ChartRelease<'a> {
    /// Its place among the objects that were looked at.
    pub at: usize,
    /// The version of its chart; `None` where nothing says exactly one.
    pub version: Option<ChartVersion<'a>>,
}

/// The releases among objects by the names of their charts.
#[derive(Clone, Debug, Default)]
pub struct HelmCharts<'a> {
    by_chart: HashMap<&'a str, Vec<ChartRelease<'a>>>,
}

impl<'a> HelmCharts<'a> {
    /// Finds the chart of each release. A source is looked for where it may be of the release's cluster, as
    /// `may_share_cluster` tells; of several the nearest is taken.
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
            if release.kind() != "HelmRelease" || release.group() != HELM {
                continue;
            }
            let named = chart_of(release, &["spec", "chart", "spec", "chart"]);
            let (chart, version) = match named {
                Some(chart) => (
                    chart,
                    version_at(release, &["spec", "chart", "spec", "version"]),
                ),
                None => match source_of(release, &sources, &may_share_cluster) {
                    Some(found) => found,
                    None => continue,
                },
            };
            let of_chart = charts.by_chart.entry(chart).or_default();
            of_chart.push(ChartRelease { at, version });
        }
        charts
    }

    /// The releases of a chart.
    pub fn releases(&self, chart: &str) -> &[ChartRelease<'a>] {
        self.by_chart.get(chart).map_or(&[], Vec::as_slice)
    }
}

/// The chart that the source of a release holds, and its version.
fn source_of<'a>(
    release: &Object,
    sources: &BTreeMap<(&'a str, &'a str), Vec<&'a Object>>,
    may_share_cluster: impl Fn(&Object, &Object) -> bool,
) -> Option<(&'a str, Option<ChartVersion<'a>>)> {
    let kind = text(&release.node, &["spec", "chartRef", "kind"])?;
    let name = text(&release.node, &["spec", "chartRef", "name"])?;
    let namespace = text(&release.node, &["spec", "chartRef", "namespace"]);
    let namespace = namespace.unwrap_or(release.namespace());
    // Keys of the map live longer than this question.
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
    let source = nearest(fitting, &release.file)?;
    match kind {
        "OCIRepository" => Some((
            chart_of(source, &["spec", "url"])?,
            version_at(source, &["spec", "ref", "tag"]),
        )),
        "HelmChart" => Some((
            chart_of(source, &["spec", "chart"])?,
            version_at(source, &["spec", "version"]),
        )),
        _ => None,
    }
}

/// The name of a chart: the end of its address, or all of it.
fn chart_of<'a>(object: &'a Object, path: &[&str]) -> Option<&'a str> {
    let name = text(&object.node, path)?.rsplit('/').next()?;
    (!name.is_empty()).then_some(name)
}

/// A released version, not a range or a development build.
fn version_at<'a>(object: &'a Object, path: &[&str]) -> Option<ChartVersion<'a>> {
    let text = text(&object.node, path)?;
    let text = text.strip_prefix('v').unwrap_or(text);
    let version = semver::Version::parse(text).ok()?;
    let minor = (version.major, version.minor);
    (minor != (0, 0)).then(|| ChartVersion {
        text: text.to_owned(),
        minor,
        by: object,
    })
}

/// The object whose file is nearest to `file`: that shares the most folders with it; the first of several.
/// `None` where there is none.
pub fn nearest<'a>(objects: impl Iterator<Item = &'a Object>, file: &str) -> Option<&'a Object> {
    let mut best: Option<(usize, &Object)> = None;
    let nearest = shared_folders(file, file);
    for object in objects {
        let near = shared_folders(&object.file, file);
        if best.is_none_or(|(most, _)| near > most) {
            best = Some((near, object));
        }
        if near == nearest {
            break;
        }
    }
    best.map(|(_, object)| object)
}

/// How many folders two files share, from the root on.
pub fn shared_folders(file: &str, other: &str) -> usize {
    fn folders(file: &str) -> std::str::Split<'_, char> {
        file.rsplit_once('/')
            .map_or("", |(folder, _)| folder)
            .split('/')
    }
    let pairs = folders(file).zip(folders(other));
    pairs.take_while(|(one, two)| one == two).count()
}
