//! Reads the objects of a front door, which is the folders with Envoy Gateway and its gateways.

use std::collections::BTreeSet;

use super::Failure;
use super::delivery::{self, FoundDelivery};
use super::files::{
    self, FLUX, GATEWAY_API, Reader, below, folder_of, is, is_manifest, name_of, text,
};
use super::find::{Flux, FrontDoorFolders, is_path_of};
use flux_repo::{Kustomization, is_kustomization_file, kustomization_files};
use manifest::diagnostic::SourceId;
use manifest::meaning;
use manifest::value::Node;

/// An object and where it was found.
#[derive(Clone, Debug)]
pub struct FoundObject {
    /// Its file.
    pub path: String,
    /// Its index in the file.
    pub at: usize,
    /// The file's text.
    pub source: SourceId,
    /// The object, without nulls.
    pub node: Node,
    /// Whether a kustomization lists it, so that Flux applies it.
    pub listed: bool,
    /// Whether its file can't be rendered, because it contains secrets.
    pub sealed: bool,
}

impl FoundObject {
    /// Its kind.
    pub fn kind(&self) -> &str {
        text(&self.node, &["kind"])
    }

    /// Its name.
    pub fn name(&self) -> &str {
        text(&self.node, &["metadata", "name"])
    }

    /// Whether it is a kustomization.
    pub fn is_kustomization(&self) -> bool {
        is_kustomization_file(&self.path) && self.at == 0
    }
}

/// Everything that was found of a front door.
#[derive(Clone, Debug)]
pub struct FrontDoor {
    /// Its folders.
    pub place: FrontDoorFolders,
    /// The namespace that its objects are in.
    pub namespace: String,
    /// Its objects, by file.
    pub objects: Vec<FoundObject>,
    /// The Flux Kustomizations of the first and the second folder, as indices of `objects`.
    pub fluxes: [Option<usize>; 2],
    /// What applies it.
    pub delivery: FoundDelivery,
    /// The Applications of the chart and of the folder, as indices of `objects`.
    pub applications: [Option<usize>; 2],
    /// Notes on what was found but is not supported.
    pub notes: Vec<String>,
}

impl FrontDoor {
    /// The folders, relative to the root.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        [
            Some(self.place.folder.as_str()),
            self.place.config.as_deref(),
        ]
        .into_iter()
        .flatten()
    }

    /// A path relative to the app's folder.
    pub fn from_app<'a>(&self, path: &'a str) -> Option<&'a str> {
        below(&self.place.app, path)
    }
}

/// Reads all objects of a front door.
///
/// # Errors
/// If one of its files can't be read, or is not YAML.
pub fn read(
    reader: &mut Reader,
    place: FrontDoorFolders,
    fluxes: &[Flux],
) -> Result<FrontDoor, Failure> {
    let folders: Vec<String> = [Some(place.folder.clone()), place.config.clone()]
        .into_iter()
        .flatten()
        .collect();
    let inside = |path: &str| folders.iter().any(|folder| below(folder, path).is_some());
    let own: Vec<Option<&Flux>> = folders
        .iter()
        .map(|folder| flux_of(fluxes, &place.app, folder))
        .collect();
    let delivery = delivery::find(reader, &place);
    let applications = [&delivery.chart, &delivery.folder];
    let of_applications = applications.iter().copied().flatten();
    let of_flux = own.iter().flatten().map(|flux| flux.file.as_str());
    let flux_files: BTreeSet<&str> = of_flux
        .chain(of_applications.map(|application| application.file.as_str()))
        .filter(|file| below(&place.app, file).is_some())
        .collect();
    let is_ours = |path: &str| inside(path) || flux_files.contains(path);
    if let Some((path, why)) = reader
        .files
        .unreadable
        .iter()
        .find(|(path, _)| is_ours(path))
    {
        return Err(Failure::Unreadable(path.clone(), why.clone()));
    }
    let mut others = folders
        .iter()
        .flat_map(|folder| kustomization_files(folder).skip(1));
    if let Some(path) = others.find(|path| reader.files.texts.contains_key(path)) {
        return Err(Failure::Name(path));
    }
    let paths: Vec<String> = reader
        .files
        .texts
        .keys()
        .filter(|path| is_manifest(path) && is_ours(path))
        .cloned()
        .collect();
    let mut notes = Vec::new();
    let listed = listed(reader, &folders, &mut notes);
    let mut objects = Vec::new();
    let mut broken = Vec::new();
    for path in paths {
        let parsed = reader.read(&path);
        broken.extend(parsed.problems);
        let sealed = parsed.nodes.iter().any(is_secret);
        for (at, node) in parsed.nodes.iter().enumerate() {
            if node.get("kind").is_none() && !is_kustomization_file(&path) {
                continue;
            }
            objects.push(FoundObject {
                at,
                source: parsed.source,
                node: meaning::plain(&path, node),
                listed: listed.contains(&path) || flux_files.contains(path.as_str()),
                sealed,
                path: path.clone(),
            });
        }
    }
    if !broken.is_empty() && delivery.is_in_chart {
        return Err(Failure::Chart(place.folder));
    }
    if !broken.is_empty() {
        return Err(Failure::Broken(broken));
    }
    let applications = applications.map(|application| {
        let application = application.as_ref()?;
        objects
            .iter()
            .position(|found| found.path == application.file && found.at == application.at)
    });
    let mut of_flux = [None, None];
    for (slot, flux) in of_flux.iter_mut().zip(&own) {
        *slot = flux.and_then(|flux| {
            objects
                .iter()
                .position(|found| found.path == flux.file && found.at == flux.at)
        });
    }
    Ok(FrontDoor {
        namespace: namespace(reader, &place, &own, &objects),
        place,
        objects,
        fluxes: of_flux,
        applications,
        delivery,
        notes,
    })
}

/// The Flux Kustomization of a folder. If there are several, the one in the app's folder is taken.
fn flux_of<'a>(fluxes: &'a [Flux], app: &str, folder: &str) -> Option<&'a Flux> {
    let of_folder = || {
        fluxes
            .iter()
            .filter(|flux| is_path_of(&flux.folder, folder))
    };
    let near = of_folder().find(|flux| below(app, &flux.file).is_some());
    near.or_else(|| of_folder().next())
}

/// Whether an object must not be copied: a Secret, or an object that SOPS has encrypted.
fn is_secret(node: &Node) -> bool {
    is(node, "", "Secret") || node.get("sops").is_some()
}

/// Fields of kustomizations that change or add objects, and what remains unknown because of them.
const NOT_FOLLOWED: [(&str, &str); 16] = [
    ("patches", "what they change"),
    ("patchesStrategicMerge", "what they change"),
    ("patchesJson6902", "what they change"),
    ("replacements", "what they replace"),
    ("vars", "what they replace"),
    ("namePrefix", "the names that it makes"),
    ("nameSuffix", "the names that it makes"),
    ("transformers", "what they change"),
    ("generators", "what they make"),
    ("helmCharts", "what they make"),
    ("images", "the images that they set"),
    ("replicas", "the numbers that they set"),
    ("commonLabels", "the labels that they add"),
    ("commonAnnotations", "the annotations that they add"),
    ("labels", "the labels that they add"),
    ("configurations", "what they change"),
];

/// The files that the kustomizations of the folders list, directly or indirectly; all files of a folder without one.
fn listed(reader: &mut Reader, folders: &[String], notes: &mut Vec<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<String> = folders.to_vec();
    let mut seen = BTreeSet::new();
    while let Some(folder) = open.pop() {
        if !seen.insert(folder.clone()) {
            continue;
        }
        let Some((path, node)) = reader.kustomization(&folder) else {
            // Flux generates a kustomization of all files.
            if folders.contains(&folder) {
                let all = reader
                    .files
                    .texts
                    .keys()
                    .filter(|path| below(&folder, path).is_some());
                found.extend(all.cloned());
            }
            continue;
        };
        found.insert(path.clone());
        let Some(node) = node else { continue };
        for (key, what) in NOT_FOLLOWED {
            let is_set = node
                .get(key)
                .is_some_and(|value| value.as_list().is_none_or(|items| !items.is_empty()));
            if is_set {
                notes.push(format!(
                    "{path}: `{key}` is kept, but its effect ({what}) is not taken into account"
                ));
            }
        }
        for entry in files::listed(reader.files, &path, &node) {
            match entry.path {
                None => notes.push(format!(
                    "{path}: {} is elsewhere, and not followed",
                    entry.text
                )),
                Some(path) if is_manifest(&path) => {
                    found.insert(path);
                }
                Some(path) => open.push(path),
            }
        }
    }
    found
}

/// The namespace of the front door: that of the Flux Kustomization, otherwise of the kustomization, otherwise of the
/// objects, otherwise the name of the folder.
fn namespace(
    reader: &mut Reader,
    place: &FrontDoorFolders,
    fluxes: &[Option<&Flux>],
    objects: &[FoundObject],
) -> String {
    let targets = fluxes.iter().flatten();
    let targets = targets.map(|flux| text(&flux.node, &["spec", "targetNamespace"]));
    if let Some(target) = targets.into_iter().find(|target| !target.is_empty()) {
        return target.to_owned();
    }
    let mut folder = place.folder.as_str();
    while !folder.is_empty() {
        if let Some((file, Some(node))) = reader.kustomization(folder) {
            let (file, node) = (file.as_str(), &node);
            if let Some(set) = (Kustomization { file, node }).settings().namespace {
                return set;
            }
        }
        folder = folder_of(folder);
    }
    let gateways = || {
        objects
            .iter()
            .filter(|found| is(&found.node, GATEWAY_API, "Gateway"))
    };
    let own = gateways().map(|found| text(&found.node, &["metadata", "namespace"]).to_owned());
    let classes = objects
        .iter()
        .filter(|found| is(&found.node, GATEWAY_API, "GatewayClass"));
    let of_class =
        classes.map(|found| text(&found.node, &["spec", "parametersRef", "namespace"]).to_owned());
    let ks = objects
        .iter()
        .filter(|found| is(&found.node, FLUX, "Kustomization"));
    let of_flux = ks.map(|found| text(&found.node, &["metadata", "namespace"]).to_owned());
    let mut given = own
        .chain(of_class)
        .chain(of_flux)
        .filter(|name| !name.is_empty());
    given.next().unwrap_or_else(|| {
        let name = name_of(folder_of(&place.app));
        if name.is_empty() {
            "network".to_owned()
        } else {
            name.to_owned()
        }
    })
}
