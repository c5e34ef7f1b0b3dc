//! What applies a front door: Flux, Argo CD, or somebody with kustomize.

use super::files::{self, FLUX, Reader, below, is, is_manifest, text};
use super::find::{FrontDoorFolders, is_path_of};
use crate::config::delivery::DeliveryKind;
use envoy_gateway::controller::CHART;
use envoy_gateway::controller::helm_charts::charts_in;
use flux_repo::{ARGO_CD, Kustomization, kustomization_files};
use manifest::value::path::{folders_above, join, join_within};
use manifest::value::{Node, variable};

/// The file that makes a folder a chart.
const CHART_FILE: &str = "Chart.yaml";

/// An Application of Argo CD.
#[derive(Clone, Debug)]
pub struct FoundApplication {
    /// Its file.
    pub file: String,
    /// Its index in the file.
    pub at: usize,
}

/// What applies a front door.
#[derive(Clone, Debug, Default)]
pub struct FoundDelivery {
    /// The kind. It is that of Flux if nothing else is certain.
    pub kind: DeliveryKind,
    /// The Application of the chart, if there is one.
    pub chart: Option<FoundApplication>,
    /// The Application of the folder, if there is one.
    pub folder: Option<FoundApplication>,
    /// Whether the folder is in a chart, whose files Helm takes without a kustomization.
    pub is_in_chart: bool,
}

/// Finds out what applies a front door.
pub fn find(reader: &mut Reader, place: &FrontDoorFolders) -> FoundDelivery {
    let folder = place.folder.as_str();
    let mut found = FoundDelivery {
        is_in_chart: is_in_chart(reader, folder),
        ..FoundDelivery::default()
    };
    let is_of_flux = reader.files.texts.values().any(|text| is_flux(text));
    // Only Flux has a folder for the chart, and replaces variables.
    if is_of_flux || place.config.is_some() || has_variables(reader, folder) {
        return found;
    }
    let likely = reader.files.texts.iter().filter(|(path, text)| {
        is_manifest(path) && text.contains(ARGO_CD) && text.contains("kind: Application")
    });
    let paths: Vec<String> = likely.map(|(path, _)| path.clone()).collect();
    if paths.is_empty() {
        if sets_namespace(reader, folder) && !found.is_in_chart {
            found.kind = DeliveryKind::Kustomize;
        }
        return found;
    }
    found.kind = DeliveryKind::ArgoCd;
    for path in paths {
        for (at, node) in reader.read(&path).nodes.iter().enumerate() {
            if !is(node, ARGO_CD, "Application") {
                continue;
            }
            let application = FoundApplication {
                file: path.clone(),
                at,
            };
            if found.chart.is_none() && charts_in(node).iter().any(|(chart, _)| *chart == CHART) {
                found.chart = Some(application);
            } else if found.folder.is_none() && applies(node, folder) {
                found.folder = Some(application);
            }
        }
    }
    found
}

/// Whether a text has an object of Flux.
fn is_flux(text: &str) -> bool {
    let suffix = FLUX.split_once('.').map_or(FLUX, |(_, suffix)| suffix);
    text.contains(suffix)
}

fn is_in_chart(reader: &Reader, folder: &str) -> bool {
    let mut folders = std::iter::once(folder).chain(folders_above(folder));
    folders.any(|folder| reader.files.texts.contains_key(&join(folder, CHART_FILE)))
}

fn has_variables(reader: &Reader, folder: &str) -> bool {
    let mut files = reader.files.texts.iter();
    files.any(|(path, text)| below(folder, path).is_some() && variable::in_text(text))
}

fn sets_namespace(reader: &mut Reader, folder: &str) -> bool {
    let has_file = kustomization_files(folder).any(|file| reader.files.texts.contains_key(&file));
    has_file
        && reader.kustomization(folder).is_some_and(|(file, node)| {
            let settings = node.map(|node| {
                Kustomization {
                    file: &file,
                    node: &node,
                }
                .settings()
            });
            settings.is_some_and(|settings| settings.namespace.is_some())
        })
}

/// Whether the only source of an Application is this folder.
fn applies(application: &Node, folder: &str) -> bool {
    let source = application.path(&["spec", "source"]);
    let path = source.map(|source| files::text(source, &["path"]));
    let path = path.and_then(|path| join_within("", path));
    path.is_some_and(|path| is_path_of(&path, folder))
        && !text(application, &["metadata", "name"]).is_empty()
}
