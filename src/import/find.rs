//! Finds the front door, which is the folders with Envoy Gateway and its gateways. It is recognized by its objects,
//! not by the names of folders.

use std::collections::{BTreeMap, BTreeSet};

use super::Failure;
use super::files::{
    self, ENVOY, FLUX, Files, GATEWAY_API, Reader, below, folder_of, is, is_manifest, name_of, text,
};
use envoy_gateway::class::DEFAULT_CONTROLLER;
use envoy_gateway::controller::CHART;
use envoy_gateway::controller::helm_charts::{chart_in, charts_in};
use envoy_gateway::controller::release::CONFIGURATION;
use flux_repo::EntryRole;
use manifest::value::Node;
use manifest::value::path::{join_within, nearest};

/// The folders of a front door.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrontDoorFolders {
    /// The folder that contains them.
    pub app: String,
    /// The folder with the chart. If there is only one folder, it contains everything.
    pub folder: String,
    /// The second folder, if there is one.
    pub config: Option<String>,
    /// Other folders with Gateways, which are not imported.
    pub others: Vec<String>,
}

/// A Flux Kustomization.
#[derive(Clone, Debug)]
pub struct Flux {
    /// Its file.
    pub file: String,
    /// Its index in the file.
    pub at: usize,
    /// The folder that it applies.
    pub folder: String,
    /// The content of the object.
    pub node: Node,
}

/// What an object says about its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sign {
    /// It is a Gateway of this class.
    Gateway(String),
    /// It is a class, a proxy or the chart of Envoy Gateway.
    Envoy,
}

/// Whether an object is the source of the chart, or its release. A release whose source is elsewhere is recognized by
/// names and values.
pub fn is_chart(node: &Node) -> bool {
    let reference = node.path(&["spec", "chartRef"]);
    chart_in(node).is_some_and(|(chart, _)| chart == CHART)
        || reference.is_some_and(|reference| text(reference, &["name"]) == CHART)
        || reference.is_some() && configures_gateway(node)
}

/// Whether the values or the name of a release are those of Envoy Gateway.
fn configures_gateway(node: &Node) -> bool {
    let values = node.path(&["spec", "values"]);
    values.is_some_and(|values| values.path(&CONFIGURATION).is_some())
        || text(node, &["metadata", "name"]) == "envoy-gateway"
}

/// Finds the front door at or below `wanted`, or anywhere if that is empty.
///
/// # Errors
/// If there is none, or more than one.
pub fn find(reader: &mut Reader, wanted: &str) -> Result<(FrontDoorFolders, Vec<Flux>), Failure> {
    let signs = signs(reader);
    let signs = of_envoy(signs);
    let fluxes = fluxes(reader, &signs);
    let mut groups: BTreeMap<String, BTreeMap<String, Vec<Sign>>> = BTreeMap::new();
    for (path, sign) in signs.clone() {
        let unit = unit_of(reader, &fluxes, &signs, &path);
        let group = groups.entry(folder_of(&unit).to_owned()).or_default();
        group.entry(unit).or_default().push(sign);
    }
    let is_wanted = |app: &str, units: &BTreeMap<String, Vec<Sign>>| {
        let inside = |path: &str| path == wanted || below(wanted, path).is_some();
        let around = |path: &str| below(path, wanted).is_some() && !path.is_empty();
        wanted.is_empty() || units.keys().any(|unit| inside(unit) || around(unit)) || inside(app)
    };
    groups.retain(|app, units| is_wanted(app, units));
    let has = |units: &BTreeMap<String, Vec<Sign>>, what: fn(&Sign) -> bool| {
        units.values().flatten().any(what)
    };
    groups.retain(|_, units| has(units, |sign| matches!(sign, Sign::Gateway(_))));
    let whole: Vec<&String> = groups
        .iter()
        .filter(|(_, units)| has(units, |sign| *sign == Sign::Envoy))
        .map(|(app, _)| app)
        .collect();
    let candidates: Vec<&String> = match whole.is_empty() {
        true => groups.keys().collect(),
        false => whole,
    };
    let app = match candidates.as_slice() {
        [] => return Err(Failure::NoGateway(wanted.to_owned())),
        [one] => (*one).clone(),
        several => {
            return Err(Failure::Several(
                several.iter().map(|app| shown(app, &groups)).collect(),
            ));
        }
    };
    let others = groups.keys().filter(|other| **other != app);
    let others = others.map(|other| shown(other, &groups)).collect();
    let units = groups.get(&app).cloned().unwrap_or_default();
    let (folder, config) = two_of(reader, &units, &fluxes);
    let config = config.or_else(|| borrowing(reader, &app, &folder, &fluxes));
    let place = FrontDoorFolders {
        app,
        folder,
        config,
        others,
    };
    Ok((place, fluxes))
}

/// The name of a front door: its folder, or the one that contains its folders.
fn shown(app: &str, groups: &BTreeMap<String, BTreeMap<String, Vec<Sign>>>) -> String {
    let units = groups.get(app).into_iter().flat_map(BTreeMap::keys);
    match units.collect::<Vec<_>>().as_slice() {
        [one] => (*one).clone(),
        _ => app.to_owned(),
    }
}

/// All Gateways, and all objects of Envoy Gateway, by file.
fn signs(reader: &mut Reader) -> Vec<(String, Sign, BTreeSet<String>)> {
    let paths = likely(reader);
    let mut found = Vec::new();
    for path in paths {
        for node in reader.read(&path).nodes {
            let name = || text(&node, &["metadata", "name"]).to_owned();
            let mut classes = BTreeSet::new();
            let sign = if is(&node, GATEWAY_API, "Gateway") {
                Sign::Gateway(text(&node, &["spec", "gatewayClassName"]).to_owned())
            } else if is(&node, GATEWAY_API, "GatewayClass") {
                classes.insert(name());
                match text(&node, &["spec", "controllerName"]) == DEFAULT_CONTROLLER {
                    true => Sign::Envoy,
                    // The name is needed to exclude its Gateways.
                    false => Sign::Gateway(String::new()),
                }
            } else if is(&node, ENVOY, "EnvoyProxy") || is_chart(&node) {
                Sign::Envoy
            } else {
                continue;
            };
            found.push((path.clone(), sign, classes));
        }
    }
    found
}

/// The files that may contain such objects, found by searching their text, because parsing a large repository takes
/// seconds.
fn likely(reader: &Reader) -> Vec<String> {
    let is_likely = |text: &str| {
        (text.contains(GATEWAY_API)
            && (text.contains("listeners") || text.contains("controllerName")))
            || text.contains("EnvoyProxy")
            || text.contains(CHART)
            || text.contains("envoyGateway")
    };
    let all = reader.files.texts.iter();
    let likely = all.filter(|(path, text)| is_manifest(path) && is_likely(text));
    likely.map(|(path, _)| path.clone()).collect()
}

/// Why there is no Gateway: either a file that may contain one can't be read, or there is none.
pub fn unread(reader: &mut Reader, folder: &str) -> Failure {
    let inside = |path: &str| folder.is_empty() || below(folder, path).is_some();
    let paths: Vec<String> = likely(reader)
        .into_iter()
        .filter(|path| inside(path))
        .collect();
    let problems: Vec<_> = paths
        .iter()
        .flat_map(|path| reader.read(path).problems)
        .collect();
    if !problems.is_empty() {
        return Failure::Broken(problems);
    }
    let mut unreadable = reader.files.unreadable.iter();
    match unreadable.find(|(path, _)| inside(path)) {
        Some((path, why)) => Failure::Unreadable(path.clone(), why.clone()),
        None => Failure::NoGateway(folder.to_owned()),
    }
}

/// Removes Gateways of other controllers.
fn of_envoy(signs: Vec<(String, Sign, BTreeSet<String>)>) -> Vec<(String, Sign)> {
    let of = |envoy: bool| -> BTreeSet<String> {
        let classes = signs
            .iter()
            .filter(|(_, sign, _)| (*sign == Sign::Envoy) == envoy);
        classes
            .flat_map(|(_, _, classes)| classes.clone())
            .collect()
    };
    let (ours, foreign) = (of(true), of(false));
    let is_ours = |sign: &Sign, classes: &BTreeSet<String>| match sign {
        Sign::Envoy => true,
        Sign::Gateway(class) => {
            classes.is_empty() && (ours.contains(class) || !foreign.contains(class))
        }
    };
    let kept = signs
        .iter()
        .filter(|(_, sign, classes)| is_ours(sign, classes));
    kept.map(|(path, sign, _)| (path.clone(), sign.clone()))
        .collect()
}

/// The Flux Kustomizations that may apply one of these files.
fn fluxes(reader: &mut Reader, signs: &[(String, Sign)]) -> Vec<Flux> {
    let mut names = BTreeSet::new();
    for (path, _) in signs {
        let folder = folder_of(path);
        for folder in [folder, folder_of(folder), folder_of(folder_of(folder))] {
            names.insert(name_of(folder).to_owned());
        }
    }
    names.remove("");
    let paths: Vec<String> = reader
        .files
        .texts
        .iter()
        .filter(|(path, text)| {
            is_manifest(path)
                && text.contains(FLUX)
                && names.iter().any(|name| text.contains(name.as_str()))
        })
        .map(|(path, _)| path.clone())
        .collect();
    let mut found = Vec::new();
    for path in paths {
        for (at, node) in reader.read(&path).nodes.into_iter().enumerate() {
            if !is(&node, FLUX, "Kustomization") {
                continue;
            }
            let folder = text(&node, &["spec", "path"]);
            if let Some(folder) = join_within("", folder) {
                found.push(Flux {
                    file: path.clone(),
                    at,
                    folder,
                    node,
                });
            }
        }
    }
    found
}

/// Whether the path of a Flux Kustomization is this folder. The two may be relative to different folders, one above
/// the other.
pub fn is_path_of(flux: &str, folder: &str) -> bool {
    flux == folder || below_end(flux, folder) || below_end(folder, flux)
}

fn below_end(longer: &str, shorter: &str) -> bool {
    !shorter.is_empty()
        && shorter.contains('/')
        && longer
            .strip_suffix(shorter)
            .is_some_and(|rest| rest.ends_with('/'))
}

/// The folder that contains a file and is applied as a unit: one that Flux applies, otherwise the topmost one whose
/// kustomization lists it and no folders without gateways or objects of Envoy Gateway.
fn unit_of(reader: &mut Reader, fluxes: &[Flux], signs: &[(String, Sign)], path: &str) -> String {
    let own = folder_of(path);
    let mut folder = own;
    while !folder.is_empty() {
        if fluxes.iter().any(|flux| is_path_of(&flux.folder, folder)) {
            return folder.to_owned();
        }
        folder = folder_of(folder);
    }
    let mut unit = own;
    while !unit.is_empty() {
        let above = folder_of(unit);
        let listed = listed(reader, above);
        let holds_signs = |entry: &String| {
            signs
                .iter()
                .any(|(path, _)| path == entry || below(entry, path).is_some())
        };
        let is_listed = listed.iter().any(|entry| entry == unit);
        let folders = listed.iter().filter(|entry| !is_manifest(entry));
        if !is_listed || !folders.clone().all(holds_signs) {
            break;
        }
        unit = above;
    }
    unit.to_owned()
}

/// The resources that a folder's kustomization lists, as paths from the root.
fn listed(reader: &mut Reader, folder: &str) -> Vec<String> {
    let Some((path, Some(node))) = reader.kustomization(folder) else {
        return Vec::new();
    };
    let entries = files::listed(reader.files, &path, &node).into_iter();
    let entries = entries.filter(|entry| entry.role == EntryRole::Resource);
    entries.filter_map(|entry| entry.path).collect()
}

/// A folder beside another one that Flux applies, too, and whose kustomization lists files from the other one.
fn borrowing(reader: &mut Reader, app: &str, folder: &str, fluxes: &[Flux]) -> Option<String> {
    let beside = fluxes.iter().map(|flux| flux.folder.as_str());
    let mut beside = beside.filter(|other| folder_of(other) == app && *other != folder);
    let found = beside.find(|other| {
        let listed = listed(reader, other);
        listed.iter().any(|entry| below(folder, entry).is_some())
    });
    found.map(str::to_owned)
}

/// Decides which of the folders is the first and which the second.
fn two_of(
    reader: &mut Reader,
    units: &BTreeMap<String, Vec<Sign>>,
    fluxes: &[Flux],
) -> (String, Option<String>) {
    let mut weighed: Vec<(usize, usize, &String)> = Vec::new();
    for (unit, signs) in units {
        let paths: Vec<String> = reader
            .files
            .texts
            .keys()
            .filter(|path| below(unit, path).is_some() && is_manifest(path))
            .cloned()
            .collect();
        let releases = paths.iter().flat_map(|path| reader.read(path).nodes);
        let releases =
            releases.filter(|node| text(node, &["kind"]) == "HelmRelease" && is_chart(node));
        let gateways = signs.iter().filter(|sign| matches!(sign, Sign::Gateway(_)));
        weighed.push((releases.count(), gateways.count(), unit));
    }
    let depends = |unit: &str| {
        let own = fluxes.iter().filter(|flux| is_path_of(&flux.folder, unit));
        own.filter(|flux| flux.node.path(&["spec", "dependsOn"]).is_some())
            .count()
    };
    let first = weighed.iter().max_by_key(|(releases, _, unit)| {
        (
            *releases,
            std::cmp::Reverse(depends(unit)),
            std::cmp::Reverse(*unit),
        )
    });
    let Some((_, _, first)) = first else {
        return (String::new(), None);
    };
    let others = weighed.iter().filter(|(_, _, unit)| unit != first);
    let second = others.max_by_key(|(_, gateways, unit)| (*gateways, std::cmp::Reverse(*unit)));
    ((*first).clone(), second.map(|(_, _, unit)| (*unit).clone()))
}

/// The version of the chart that the files nearest to a folder install, if they agree on one.
pub fn chart_version(reader: &mut Reader, folder: &str) -> Option<String> {
    let likely = reader.files.texts.iter();
    let likely = likely.filter(|(path, text)| is_manifest(path) && text.contains(CHART));
    let paths: Vec<String> = likely.map(|(path, _)| path.clone()).collect();
    let mut found = Vec::new();
    for path in paths {
        let nodes = reader.read(&path).nodes;
        let charts = nodes.iter().flat_map(charts_in);
        let versions = charts.filter(|(chart, _)| *chart == CHART);
        let versions = versions.filter_map(|(_, version)| version.map(str::to_owned));
        found.extend(versions.map(|version| (path.clone(), version)));
    }
    let here = files::join(folder, "kustomization.yaml");
    let nearest = nearest(&here, found.iter(), |(path, _)| path);
    let versions: BTreeSet<&String> = nearest.into_iter().map(|(_, version)| version).collect();
    versions
        .first()
        .filter(|_| versions.len() == 1)
        .map(|version| (*version).clone())
}

/// The number of levels that the root of the Flux Kustomizations' paths is above the folder whose path is `parts`; 0
/// if the paths don't show it.
pub fn levels_above(files: &Files, parts: &[String]) -> usize {
    let mut reader = Reader::new(files);
    let likely = files.texts.iter();
    let likely = likely.filter(|(path, text)| is_manifest(path) && text.contains(FLUX));
    let paths: Vec<String> = likely.map(|(path, _)| path.clone()).collect();
    let nodes = paths
        .iter()
        .flat_map(|path| reader.read(path).nodes)
        .collect::<Vec<_>>();
    let levels = nodes
        .iter()
        .filter(|node| is(node, FLUX, "Kustomization"))
        .map(|node| {
            let path = text(node, &["spec", "path"]);
            let path: Vec<&str> = path
                .split('/')
                .filter(|part| !matches!(*part, "" | "."))
                .collect();
            let ends = |count: &usize| {
                let own = parts.iter().rev().take(*count).rev().map(String::as_str);
                *count <= parts.len() && own.eq(path.iter().take(*count).copied())
            };
            (1..=path.len()).rev().find(ends).unwrap_or(0)
        });
    levels.max().unwrap_or(0)
}
