//! The releases of the `gateway-helm` chart at hand, and what their values say.
//!
//! A release is a HelmRelease whose chart is `gateway-helm`: by `chartRef` to an OCIRepository with such an address,
//! or by name (helm-controller 1.6). Values are laid over each other as helm-controller does it: those of
//! `valuesFrom` in order, then `values`.

use std::collections::HashMap;

use super::kustomize::{self, Content};
use super::{Given, kustomize::split};
use crd_validate::schema::Version;
use manifest::diagnostic::Sources;
use manifest::value::{Node, Pointer, variable};
use manifest::{Object, read};

/// The chart's name.
pub const NAME: &str = "gateway-helm";

/// A release of the chart.
#[derive(Clone, Debug)]
pub struct Chart<'a> {
    /// The HelmRelease.
    pub release: &'a Object,
    /// The version of the chart, and the object that says it; `None` where none does exactly.
    pub version: Option<(Version, &'a Object)>,
    /// What `valuesFrom` brings, in order; `None` for what is not at hand.
    from: Vec<Option<Node>>,
}

/// What the values say of a switch.
#[derive(Clone, Debug, PartialEq)]
pub enum Switch {
    /// It is on or off; where, if the release itself says so.
    Is(bool, Option<Pointer>),
    /// Nothing is said.
    Unset,
    /// It may be said in values that are not at hand.
    Unknown,
}

/// Where values stand in a HelmRelease.
pub fn values_pointer() -> Pointer {
    Pointer::root().key("spec").key("values")
}

/// The releases of the chart among the objects.
pub fn charts<'a>(whole: &Given<'a>) -> Vec<Chart<'a>> {
    // Of many sources few are the chart's: names that none of those has lead to no release.
    let mut sources: HashMap<&str, Vec<&Object>> = HashMap::new();
    let mut releases = Vec::new();
    for object in whole.objects {
        match object.kind() {
            "OCIRepository" => sources.entry(object.name()).or_default().push(object),
            "HelmRelease" => releases.push(object),
            _ => {}
        }
    }
    sources.retain(|_, all| all.iter().any(|source| is_of_chart(source)));
    releases
        .into_iter()
        .filter(|it| it.group() == "helm.toolkit.fluxcd.io")
        .filter_map(|release| chart(whole, &sources, release))
        .collect()
}

/// Whether a source is one of the chart.
fn is_of_chart(source: &Object) -> bool {
    let url = source.node.path(&["spec", "url"]).and_then(Node::as_str);
    url.is_some_and(|url| split(url).1 == NAME)
}

fn chart<'a>(
    whole: &Given<'a>,
    sources: &HashMap<&'a str, Vec<&'a Object>>,
    release: &'a Object,
) -> Option<Chart<'a>> {
    let spec = release.node.get("spec")?;
    let from = || values_from(whole, release);
    if let Some(name) = spec
        .path(&["chart", "spec", "chart"])
        .and_then(Node::as_str)
    {
        let version = spec.path(&["chart", "spec", "version"]);
        let version = exact(version.and_then(Node::as_str));
        return (split(name).1 == NAME).then(|| Chart {
            release,
            version: version.map(|version| (version, release)),
            from: from(),
        });
    }
    let reference = spec.get("chartRef")?;
    let name = reference.get("name")?.as_str()?;
    if reference.get("kind")?.as_str()? != "OCIRepository" {
        return None;
    }
    let source = nearest(sources.get(name)?.iter().copied(), &release.file)?;
    let tag = source.node.path(&["spec", "ref", "tag"]);
    let tag = exact(tag.and_then(Node::as_str));
    is_of_chart(source).then(|| Chart {
        release,
        version: tag.map(|version| (version, source)),
        from: from(),
    })
}

/// A released version, not a range or a development build.
fn exact(text: Option<&str>) -> Option<Version> {
    let version = Version::new(text?);
    let is_development = version.minor() == Some((0, 0));
    (version.minor().is_some() && !is_development).then_some(version)
}

/// The object whose file is nearest to `file`: that shares the most folders with it. `None` where there is none.
pub fn nearest<'a>(objects: impl Iterator<Item = &'a Object>, file: &str) -> Option<&'a Object> {
    // The first of those that are equally near.
    let mut best: Option<(usize, &Object)> = None;
    let nearest = shared(file, file);
    for object in objects {
        let near = shared(&object.file, file);
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
fn shared(a: &str, b: &str) -> usize {
    let (a, b) = (split(a).0.split('/'), split(b).0.split('/'));
    a.zip(b).take_while(|(a, b)| a == b).count()
}

/// Which releases are nearest to an object: one, unless several are equally near.
pub fn of(charts: &[Chart<'_>], object: &Object) -> Vec<usize> {
    let near = |chart: &Chart<'_>| shared(&chart.release.file, &object.file);
    let most = charts.iter().map(near).max();
    let all = charts.iter().enumerate();
    all.filter(|(_, chart)| Some(near(chart)) == most)
        .map(|(at, _)| at)
        .collect()
}

fn values_from(whole: &Given<'_>, release: &Object) -> Vec<Option<Node>> {
    let list = kustomize::items(
        &release.node,
        &Pointer::root().key("spec").key("valuesFrom"),
    );
    list.map(|(_, reference)| {
        let text = |key: &str| reference.get(key).and_then(Node::as_str);
        if text("kind") != Some("ConfigMap") || text("targetPath").is_some() {
            return None;
        }
        let key = text("valuesKey").unwrap_or("values.yaml");
        let values = config_map(whole, release, text("name")?, key)?;
        let mut sources = Sources::default();
        let id = sources.add("", values);
        let (documents, problems) = read::read(&sources, id);
        let [document] = documents.try_into().ok()?;
        problems.is_empty().then_some(document.node)
    })
    .collect()
}

/// The text under a key of the ConfigMap nearest to the release, given as such or made by a kustomization.
fn config_map(whole: &Given<'_>, release: &Object, name: &str, key: &str) -> Option<String> {
    let maps = whole.objects.iter();
    let maps = maps.filter(|it| it.kind() == "ConfigMap" && it.name() == name);
    if let Some(map) = nearest(maps, &release.file) {
        return Some(map.node.path(&["data", key])?.as_str()?.to_owned());
    }
    let makers = whole.objects.iter().filter(|object| {
        kustomize::is_kustomization(object)
            && kustomize::generated(object)
                .iter()
                .any(|it| it.name == name)
    });
    let maker = nearest(makers, &release.file)?;
    let made = kustomize::generated(maker);
    let map = made.iter().find(|map| map.name == name)?;
    match map.keys.iter().find(|(known, _)| known == key)? {
        (_, Content::File(file)) => whole.text(file).map(str::to_owned),
        (_, Content::Text(text)) => Some((*text).to_owned()),
    }
}

impl Chart<'_> {
    /// What the values say of a switch.
    pub fn switch(&self, path: &[&str]) -> Switch {
        let pointer = path
            .iter()
            .fold(values_pointer(), |pointer, key| pointer.key(*key));
        if let Some(node) = self.release.node.at(&pointer) {
            return match read_switch(node) {
                Some(is) => Switch::Is(is, Some(pointer)),
                None => Switch::Unknown,
            };
        }
        for values in self.from.iter().rev() {
            let Some(values) = values else {
                return Switch::Unknown;
            };
            if let Some(node) = values.path(path) {
                return read_switch(node).map_or(Switch::Unknown, |is| Switch::Is(is, None));
            }
        }
        Switch::Unset
    }

    /// The nearest place in the release to what `path` names in the values.
    pub fn place(&self, path: &[&str]) -> Pointer {
        let mut pointer = Pointer::root().key("spec");
        for key in std::iter::once(&"values").chain(path) {
            let next = pointer.key(*key);
            if self.release.node.at(&next).is_none() {
                break;
            }
            pointer = next;
        }
        pointer
    }
}

/// `true` or `false`; `None` of what Flux fills in, and of what is neither.
fn read_switch(node: &Node) -> Option<bool> {
    match node.as_str() {
        Some(text) if variable::in_text(text) => None,
        Some(text) => text.parse().ok(),
        None => node.as_bool(),
    }
}

/// The one version that all releases at hand declare; `None` where none does, or they differ.
pub fn declared<'a>(charts: &[Chart<'a>]) -> Option<(Version, &'a Object)> {
    let mut all = charts.iter().map(|chart| chart.version.clone());
    let first = all.next()??;
    all.all(|other| other.is_some_and(|(version, _)| version == first.0))
        .then_some(first)
}
