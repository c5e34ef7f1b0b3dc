//! Folders and file names.

use super::names;
use crate::codes;
use crate::config::{Cluster, Text};
use manifest::diagnostic::suggest::nearest;
use manifest::diagnostic::{Diagnostic, Spanned};

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// EnvoyProxies.
    Proxy,
    /// The GatewayClass.
    Class,
    /// Gateways.
    Gateways,
    /// The policies that run Lua.
    Lua,
    /// Further policies.
    Policies,
    /// BackendTrafficPolicies.
    BackendTraffic,
    /// ClientTrafficPolicies.
    ClientTraffic,
    /// The redirect.
    Redirect,
    /// TCP and UDP routes.
    Routes,
    /// Certificates.
    Certificates,
    /// Address pools and announcements.
    Addresses,
    /// The HelmRelease.
    Release,
    /// The OCIRepository.
    Source,
    /// The proxies' PodMonitor.
    PodMonitor,
    /// The controller's ServiceMonitor.
    ServiceMonitor,
    /// Dashboards.
    Dashboards,
    /// ScaledObjects.
    Autoscaling,
}

/// The groups: the key of each in `layout.files`, its file, and whether it stays in the first folder of two.
pub const GROUPS: [(Group, &str, &str, bool); 17] = [
    (Group::Proxy, "proxy", "envoy.yaml", false),
    (Group::Class, "class", "envoy.yaml", false),
    (Group::Gateways, "gateways", "envoy.yaml", false),
    (Group::Lua, "lua", "envoy.yaml", false),
    (Group::Policies, "policies", "envoy.yaml", false),
    (
        Group::BackendTraffic,
        "backend_traffic",
        "envoy.yaml",
        false,
    ),
    (Group::ClientTraffic, "client_traffic", "envoy.yaml", false),
    (Group::Redirect, "redirect", "envoy.yaml", false),
    (Group::Routes, "routes", "routes.yaml", false),
    (
        Group::Certificates,
        "certificates",
        "certificate.yaml",
        false,
    ),
    (Group::Addresses, "addresses", "addresses.yaml", false),
    (Group::Release, "release", "helmrelease.yaml", true),
    (Group::Source, "source", "ocirepository.yaml", true),
    (
        Group::PodMonitor,
        "pod_monitor",
        "observability.yaml",
        false,
    ),
    (
        Group::ServiceMonitor,
        "service_monitor",
        "observability.yaml",
        true,
    ),
    (
        Group::Dashboards,
        "dashboards",
        "grafanadashboard.yaml",
        true,
    ),
    (
        Group::Autoscaling,
        "autoscaling",
        "scaledobject.yaml",
        false,
    ),
];

/// The key in `layout.files` that stands for two groups.
const TRAFFIC: (&str, [Group; 2]) = ("traffic", [Group::BackendTraffic, Group::ClientTraffic]);

/// The key in `layout.files` of the file with the Flux Kustomizations, and its name.
const FLUX: (&str, &str) = ("flux", "ks.yaml");

/// File names that mean something of their own in a folder.
const TAKEN: [&str; 2] = ["kustomization.yaml", "kustomization.yml"];

/// Where files go.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The namespace's folder, from the root.
    pub path: String,
    /// The app's folder in it.
    pub app: String,
    /// The folder of the chart, in the app's.
    pub folder: String,
    /// The second folder, where there is one.
    pub config_folder: Option<String>,
    /// The host of schema comments.
    pub schema_host: Option<String>,
    /// Whether files start with a line that says what made them.
    pub header: bool,
    /// Whether resources are listed with `./` in front.
    pub dot_slash: bool,
    /// A folder with templates that replace the built-in ones.
    pub templates: Option<Text>,
    /// The file with the Flux Kustomizations, in the app's folder.
    pub flux: String,
    files: Vec<(Group, String)>,
    /// The files of single objects, by kind and name.
    objects: Vec<(String, String)>,
}

/// A file in one of the app's folders.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The folder, in the app's.
    pub folder: String,
    /// The file's name.
    pub file: String,
}

/// The host of schema comments where nothing is said.
pub const SCHEMA_HOST: &str = "https://raw.githubusercontent.com/datreeio/CRDs-catalog/main";

/// Reads `[layout]`.
pub fn build(cluster: &Cluster, namespace: &str, problems: &mut Vec<Diagnostic>) -> Layout {
    let table = &cluster.layout;
    let unwritten = |text: String| Spanned::unwritten(text);
    let path = table.path.clone();
    let path = path.unwrap_or_else(|| unwritten(format!("kubernetes/apps/{namespace}")));
    names::check_path("the namespace's folder", &path, problems);
    let mut folder_of = |what: &str, text: &Option<Text>, default: &str| {
        let folder = text
            .clone()
            .unwrap_or_else(|| unwritten(default.to_owned()));
        let before = problems.len();
        names::check_path(what, &folder, problems);
        if problems.len() == before && folder.trim_end_matches('/').contains('/') {
            problems.push(
                Diagnostic::new(
                    codes::CONFIG_INVALID_NAME,
                    format!("{what} can't be {:?}", folder.value),
                )
                .at(folder.span)
                .why("it is one folder, in the one above it")
                .help("write a name without `/`; `layout.path` takes a whole path"),
            );
        }
        folder.value.trim_end_matches('/').to_owned()
    };
    let app = folder_of("the app's folder", &table.app, "envoy-gateway");
    let folder = folder_of("the chart's folder", &table.folder, "app");
    let config_folder = table
        .config_folder
        .as_ref()
        .map(|_| folder_of("the second folder", &table.config_folder, ""));
    if config_folder.as_ref() == Some(&folder) {
        problems.push(
            Diagnostic::new(codes::CONFIG_DUPLICATE, "both folders are one")
                .at(table.config_folder.as_ref().and_then(|folder| folder.span))
                .why("two Kustomizations would each apply, and prune, the same files")
                .help("name the second one otherwise, or leave it out"),
        );
    }
    let schema_host = match &table.schemas {
        None => Some(SCHEMA_HOST.to_owned()),
        Some(toggle) => toggle.settings().map(|comment| {
            comment
                .host
                .map_or_else(|| SCHEMA_HOST.to_owned(), |host| host.value)
        }),
    };
    let flag = |flag: &Option<Spanned<bool>>| flag.as_ref().is_none_or(|flag| flag.value);
    let mut layout = Layout {
        path: path
            .value
            .trim_end_matches('/')
            .trim_start_matches("./")
            .to_owned(),
        app,
        folder,
        config_folder,
        schema_host: schema_host.map(|host| one_line(host.trim_end_matches('/'))),
        header: flag(&table.header),
        dot_slash: flag(&table.dot_slash),
        templates: table.templates.clone(),
        flux: FLUX.1.to_owned(),
        files: Vec::new(),
        objects: Vec::new(),
    };
    layout.read_files(cluster, problems);
    layout
}

/// A comment is one line.
fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

impl Layout {
    fn read_files(&mut self, cluster: &Cluster, problems: &mut Vec<Diagnostic>) {
        for (key, value) in &cluster.layout.files.0 {
            let groups: Vec<Group> = match GROUPS.iter().find(|(_, name, ..)| *name == key.value) {
                Some((group, ..)) => vec![*group],
                None if key.value == TRAFFIC.0 => TRAFFIC.1.to_vec(),
                None => Vec::new(),
            };
            let is_object = key.split_once('/').is_some_and(|(kind, name)| {
                !name.is_empty() && kind.chars().all(|c| c.is_ascii_alphanumeric())
            });
            if groups.is_empty() && !is_object && key.value != FLUX.0 {
                problems.push(unknown_file(key));
                continue;
            }
            let rest = match value.split_once('/') {
                Some((folder, rest)) if self.folders().any(|known| known == folder) => rest,
                _ => value.as_str(),
            };
            // Folders in front are folders: nothing that leads elsewhere.
            let is_path = !rest.contains('\\')
                && rest.split('/').all(|part| !matches!(part, "" | "." | ".."));
            let name = match rest.rsplit_once('/') {
                Some((_, name)) if is_path => name,
                _ => rest,
            };
            let file = value.with(name.to_owned());
            names::check_file("a file's name", &file, &[".yaml", ".yml"], problems);
            if TAKEN.contains(&name) {
                problems.push(
                    Diagnostic::new(
                        codes::CONFIG_DUPLICATE,
                        format!("{name} is the folder's own"),
                    )
                    .at(value.span)
                    .why("kustomize reads it as the list of the folder's files")
                    .help("choose another name"),
                );
            }
            if key.value == FLUX.0 {
                self.flux.clone_from(value);
            } else if is_object {
                self.objects.push((key.value.clone(), value.value.clone()));
            }
            let files = groups.into_iter().map(|group| (group, value.value.clone()));
            self.files.extend(files);
        }
    }

    /// The app's folders.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        [Some(self.folder.as_str()), self.config_folder.as_deref()]
            .into_iter()
            .flatten()
    }

    /// The file that holds a group; of one gateway, where it has a file of its own.
    pub fn place(&self, group: Group, gateway: Option<&str>) -> Place {
        let own = self.files.iter().rev().find(|(there, _)| *there == group);
        let own = own.map(|(_, file)| file.as_str());
        // What no gateway has can't be called after one.
        let own = own.filter(|file| gateway.is_some() || !is_pattern(file));
        let (default, folder) = self.default_of(group);
        let gateway = gateway.unwrap_or_default();
        let file = own.unwrap_or(default).replace("{gateway}", gateway);
        self.placed(&folder, &file.replace("{short}", names::short(gateway)))
    }

    /// The file that a group is in where nothing is said: its name, and its folder in the app's.
    pub fn default_of(&self, group: Group) -> (&'static str, String) {
        let fixed = GROUPS.iter().find(|(there, ..)| *there == group);
        let (file, first) =
            fixed.map_or(("envoy.yaml", true), |(_, _, file, first)| (*file, *first));
        let second = self.config_folder.as_deref().unwrap_or(&self.folder);
        let folder = if first { &self.folder } else { second };
        (file, folder.to_owned())
    }

    /// The file of a single object, where it has one of its own; `folder` is that of its group.
    pub fn place_of(&self, kind: &str, name: &str, folder: &str) -> Option<Place> {
        Some(self.placed(folder, self.file_of(kind, name)?))
    }

    /// What `layout.files` says of a single object.
    pub fn file_of(&self, kind: &str, name: &str) -> Option<&str> {
        let key = format!("{kind}/{name}");
        let mut own = self.objects.iter().rev();
        let (_, file) = own.find(|(there, _)| *there == key)?;
        Some(file)
    }

    /// A file by the text that names it: in the folder that it names, else in `folder`.
    pub fn placed(&self, folder: &str, file: &str) -> Place {
        let named = file.split_once('/');
        let named = named.filter(|(named, _)| self.folders().any(|known| known == *named));
        let (folder, file) = named.unwrap_or((folder, file));
        Place {
            folder: folder.to_owned(),
            file: file.to_owned(),
        }
    }

    /// The app's folder, from the root.
    pub fn app_path(&self) -> String {
        join([self.path.as_str(), &self.app])
    }
}

/// Folders and a file name as one path; `.` is the folder that one is in.
pub fn join<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let parts = parts.into_iter().flat_map(|part| part.split('/'));
    let parts: Vec<&str> = parts.filter(|part| !matches!(*part, "" | ".")).collect();
    parts.join("/")
}

fn is_pattern(file: &str) -> bool {
    file.contains("{gateway}") || file.contains("{short}")
}

fn unknown_file(key: &Text) -> Diagnostic {
    let known = GROUPS.iter().map(|(_, name, ..)| *name);
    let known: Vec<&str> = known.chain([TRAFFIC.0, FLUX.0]).collect();
    let help = nearest(key, known.iter().copied()).map_or_else(
        || {
            format!(
                "there are {}; a single object is named by its kind and name, such as \"SecurityPolicy/oidc\"",
                known.join(", ")
            )
        },
        |near| format!("write `{near}`"),
    );
    Diagnostic::new(
        codes::CONFIG_UNKNOWN_KEY,
        format!("no file holds {:?}", key.value),
    )
    .at(key.span)
    .why("a key that is not known would silently do nothing")
    .help(help)
}
