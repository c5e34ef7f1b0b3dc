//! Folders and file names.

use super::names;
use crate::config::{Cluster, Text};
use crate::diagnostic::suggest::nearest;
use crate::diagnostic::{Code, Diagnostic, Spanned};

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
    /// BackendTrafficPolicies and ClientTrafficPolicies.
    Traffic,
    /// The redirect.
    Redirect,
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

/// Each group: its key in `layout.files`, its file, and whether it stays in the first folder of two.
const GROUPS: [(Group, &str, &str, bool); 15] = [
    (Group::Proxy, "proxy", "envoy.yaml", false),
    (Group::Class, "class", "envoy.yaml", false),
    (Group::Gateways, "gateways", "envoy.yaml", false),
    (Group::Lua, "lua", "envoy.yaml", false),
    (Group::Policies, "policies", "envoy.yaml", false),
    (Group::Traffic, "traffic", "envoy.yaml", false),
    (Group::Redirect, "redirect", "envoy.yaml", false),
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
    files: Vec<(Group, String)>,
}

/// A file in one of the app's folders.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The folder, in the app's.
    pub folder: String,
    /// The file's name.
    pub file: String,
}

const SCHEMA_HOST: &str = "https://raw.githubusercontent.com/datreeio/CRDs-catalog/main";

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
                    Code::ConfigInvalidName,
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
            Diagnostic::new(Code::ConfigDuplicate, "both folders are one")
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
        files: Vec::new(),
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
            let Some((group, ..)) = GROUPS.iter().find(|(_, name, ..)| *name == key.value) else {
                let known = GROUPS.map(|(_, name, ..)| name);
                let help = nearest(key, known).map_or_else(
                    || format!("there are {}", known.join(", ")),
                    |near| format!("write `{near}`"),
                );
                problems.push(
                    Diagnostic::new(
                        Code::ConfigUnknownKey,
                        format!("no file holds {:?}", key.value),
                    )
                    .at(key.span)
                    .why("a key that is not known would silently do nothing")
                    .help(help),
                );
                continue;
            };
            let name = match value.split_once('/') {
                Some((folder, name)) if self.folders().any(|known| known == folder) => name,
                _ => value.as_str(),
            };
            names::check_file(
                "a file's name",
                &value.with(name.to_owned()),
                &[".yaml", ".yml"],
                problems,
            );
            if TAKEN.contains(&name) {
                problems.push(
                    Diagnostic::new(Code::ConfigDuplicate, format!("{name} is the folder's own"))
                        .at(value.span)
                        .why("kustomize reads it as the list of the folder's files")
                        .help("choose another name"),
                );
            }
            self.files.push((*group, value.value.clone()));
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
        let fixed = GROUPS.iter().find(|(there, ..)| *there == group);
        let (default, first) =
            fixed.map_or(("envoy.yaml", true), |(_, _, file, first)| (*file, *first));
        let second = self.config_folder.as_deref().unwrap_or(&self.folder);
        let folder = if first { &self.folder } else { second };
        let text = own.map_or(default, |(_, file)| file.as_str());
        let (folder, file) = match text.split_once('/') {
            Some((folder, file)) => (folder, file),
            None => (folder, text),
        };
        let gateway = gateway.unwrap_or_default();
        let file = file
            .replace("{gateway}", gateway)
            .replace("{short}", names::short(gateway));
        Place {
            folder: folder.to_owned(),
            file,
        }
    }

    /// The app's folder, from the root.
    pub fn app_path(&self) -> String {
        format!("{}/{}", self.path, self.app)
    }
}
