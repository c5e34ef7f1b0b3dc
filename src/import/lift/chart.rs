//! `[chart]`, `[versions]`

use super::rows::{self, SOURCE};
use super::{Form, Lift};
use crate::config::delivery::DeliveryKind;
use crate::import::config::{flag, text};
use crate::import::files::text as text_at;
use crate::import::find::is_chart;
use crate::model::layout::Group;
use crate::model::version::Version as Number;
use crd_validate::schema::version::Version;

/// The default URL of the chart, without the registry.
const ADDRESS: &str = "/envoyproxy/gateway-helm";

impl Lift<'_> {
    pub(super) fn chart(&mut self, elsewhere: Option<&str>) {
        let chart = |group: &str, kind: &str| -> Vec<usize> {
            let all = self.all(group, kind).into_iter();
            all.filter(|at| is_chart(self.node(*at))).collect()
        };
        let source = chart("source.toolkit.fluxcd.io", "OCIRepository")
            .first()
            .copied();
        let releases = chart("helm.toolkit.fluxcd.io", "HelmRelease");
        let of_source = |at: &&usize| {
            let name = source.map(|source| self.name(source));
            name == Some(text_at(self.node(**at), &["spec", "chartRef", "name"]))
        };
        let release = releases
            .iter()
            .find(of_source)
            .or(releases.first())
            .copied();
        self.chart_version(source, release, elsewhere);
        let name = release
            .or(source)
            .map(|at| self.name(at))
            .unwrap_or("envoy-gateway");
        if name != "envoy-gateway" {
            self.set(&["chart", "name"], text(name));
        }
        if self.door.delivery.kind != DeliveryKind::Flux {
            return self.chart_of_application();
        }
        match source {
            Some(source) => self.source(source, name),
            None => self.set(&["chart", "source", "enabled"], flag(false)),
        }
        match release {
            Some(release) => self.release(release, source),
            None => self.set(&["chart", "release", "enabled"], flag(false)),
        }
    }

    fn source(&mut self, at: usize, chart: &str) {
        let node = self.node(at);
        self.extend(&["chart"], rows::lift(SOURCE, node, ""));
        if self.name(at) != chart {
            self.set(&["chart", "source", "name"], text(self.name(at)));
        }
        self.chart_address(text_at(node, &["spec", "url"]));
        self.slot(at, &["chart", "source"], Form::Object, Group::Source);
    }

    /// The registry of the chart, or its whole address.
    pub(super) fn chart_address(&mut self, url: &str) {
        match url
            .strip_prefix("oci://")
            .and_then(|rest| rest.strip_suffix(ADDRESS))
        {
            Some("docker.io") => {}
            Some(registry) if !registry.is_empty() => {
                self.set(&["chart", "registry"], text(registry))
            }
            _ => self.set(&["chart", "url"], text(url)),
        }
    }

    fn release(&mut self, at: usize, source: Option<usize>) {
        let node = self.node(at);
        self.values_of_release(node);
        if source.is_none() {
            let of = text_at(node, &["spec", "chartRef", "name"]);
            if !of.is_empty() && of != self.name(at) {
                self.set(&["chart", "source", "name"], text(of));
            }
        }
        self.slot(at, &["chart", "release"], Form::Release, Group::Release);
    }

    /// The version of the chart, and the one in the catalogue that is used for it.
    fn chart_version(
        &mut self,
        source: Option<usize>,
        release: Option<usize>,
        elsewhere: Option<&str>,
    ) {
        let of = |at: Option<usize>, path: &[&str]| {
            let found = at
                .map(|at| text_at(self.node(at), path))
                .filter(|text| !text.is_empty());
            found.map(str::to_owned)
        };
        let written = of(source, &["spec", "ref", "tag"])
            .or_else(|| of(release, &["spec", "chart", "spec", "version"]))
            .or_else(|| elsewhere.map(str::to_owned));
        let known: Vec<Version> = self
            .catalogue
            .versions("envoy-gateway")
            .into_iter()
            .cloned()
            .collect();
        let newest = known.iter().rev().find(|version| version.is_stable());
        let newest =
            newest.map_or_else(|| "1.9.0".to_owned(), |version| version.as_str().to_owned());
        // Another release of a known minor version is checked like the nearest one that is known.
        let is_of_known_minor = |given: &Version| {
            let mut minors = known.iter().map(Version::minor);
            known.contains(given)
                || given
                    .minor()
                    .is_some_and(|it| minors.any(|one| one == Some(it)))
        };
        let is_exact = |text: &String| Number::parse(text).is_some();
        let chosen = match &written {
            Some(text) if is_of_known_minor(&Version::new(text)) => text.clone(),
            Some(text) if is_exact(text) => {
                let given = Version::new(text);
                // A build without a release number is newer than any release.
                let nearest = match given.minor() {
                    Some((0, 0)) => None,
                    _ => known
                        .iter()
                        .rev()
                        .min_by_key(|version| version.distance(&given)),
                };
                let nearest = nearest.map_or(newest, |version| version.as_str().to_owned());
                self.set(&["versions", "envoy_gateway"], text_node(&nearest));
                let path = vec!["versions".to_owned(), "envoy_gateway".to_owned()];
                let why = format!(
                    "The catalogue has no {text}, so the schemas of this version are used."
                );
                self.lifted.comments.push((path, why));
                self.set(&["chart", "version"], text_node(text));
                self.version = Number::parse(&nearest).unwrap_or(self.version);
                return;
            }
            _ => {
                let what = written
                    .as_deref()
                    .map_or("no chart was found".to_owned(), |text| {
                        format!("the chart's version is {text:?}")
                    });
                self.lifted.notes.push(format!(
                    "{what}, so the running version is assumed to be {newest}"
                ));
                newest
            }
        };
        self.version = Number::parse(&chosen).unwrap_or(self.version);
        self.set(&["chart", "version"], text_node(&chosen));
    }
}

fn text_node(value: &str) -> manifest::value::Node {
    text(value)
}
