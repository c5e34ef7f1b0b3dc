//! The folders and file names of the rendered tree.

mod groups;

use groups::{DELIVERY_FILES, TAKEN, TRAFFIC};
pub use groups::{GROUPS, Group};

use super::delivery;
use super::names;
use crate::config::codes;
use crate::config::delivery::DeliveryKind;
use crate::config::layout::DEFAULT_APP;
use crate::config::{Cluster, Text};
use manifest::diagnostic::suggest::nearest;
use manifest::diagnostic::{Diagnostic, Spanned};

/// The folders, file names and comments of the rendered tree.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The namespace's folder, relative to the root.
    pub path: String,
    /// The name of the app's folder, inside `path`.
    pub app: String,
    /// The chart's folder, inside the app's folder.
    pub folder: String,
    /// The second folder, if there is one.
    pub config_folder: Option<String>,
    /// The host of schema comments; `None` if there are no such comments.
    pub schema_host: Option<String>,
    /// Whether files start with a line that says which tool wrote them.
    pub header: bool,
    /// Whether each folder gets a kustomization.
    pub kustomization: bool,
    /// Whether resources are listed with `./` in front.
    pub dot_slash: bool,
    /// A folder with templates that replace the built-in ones.
    pub templates: Option<Text>,
    /// The file in the app's folder with the Flux Kustomizations, the Applications or the chart's values.
    pub delivery_file: String,
    files: Vec<(Group, String)>,
    /// The files of single objects, by kind and name.
    objects: Vec<(String, String)>,
}

/// The position of a file inside the app's folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileLocation {
    /// The folder, inside the app's folder.
    pub folder: String,
    /// The name of the file, which may contain further folders.
    pub file: String,
}

/// The default host of schema comments.
pub const SCHEMA_HOST: &str = "https://raw.githubusercontent.com/datreeio/CRDs-catalog/main";

/// Builds the layout from `[layout]`.
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
                .why("it names a single folder, not a path")
                .help("write a name without `/`; only `layout.path` takes a path"),
            );
        }
        folder.value.trim_end_matches('/').to_owned()
    };
    let app = folder_of("the app's folder", &table.app, DEFAULT_APP);
    let kind = delivery::kind(cluster);
    let has_chart = kind == DeliveryKind::Flux;
    let default = if has_chart { "app" } else { "config" };
    let folder = folder_of("the chart's folder", &table.folder, default);
    let config_folder = table.config_folder.as_ref().filter(|_| has_chart);
    let config_folder =
        config_folder.map(|_| folder_of("the second folder", &table.config_folder, ""));
    if config_folder.as_ref() == Some(&folder) {
        problems.push(
            Diagnostic::new(codes::CONFIG_DUPLICATE, "both folders are the same")
                .at(table.config_folder.as_ref().and_then(|folder| folder.span))
                .why("two Kustomizations would each apply, and prune, the same files")
                .help("give `config_folder` another name, or remove it"),
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
        kustomization: flag(&table.kustomization),
        dot_slash: flag(&table.dot_slash),
        templates: table.templates.clone(),
        delivery_file: delivery_file(kind).to_owned(),
        files: Vec::new(),
        objects: Vec::new(),
    };
    layout.read_files(cluster, problems);
    if let Some(off) = table.kustomization.as_ref().filter(|flag| !flag.value) {
        check_needed(cluster, off, problems);
    }
    layout
}

/// Reports settings that need the kustomizations which are disabled.
fn check_needed(cluster: &Cluster, off: &Spanned<bool>, problems: &mut Vec<Diagnostic>) {
    let extra = &cluster.extra;
    let kind = cluster.delivery.kind.as_ref();
    let kind = kind.filter(|kind| kind.value == DeliveryKind::Kustomize);
    let lua = cluster.lua.as_ref();
    let script = lua.and_then(|lua| lua.script.as_ref().map(|script| script.span));
    let needs = [
        (
            "`delivery.kind = \"kustomize\"`",
            kind.map(|kind| kind.span),
        ),
        ("[lua]", lua.map(|_| script.flatten())),
        (
            "`extra.resources`",
            extra.resources.is_given().then_some(extra.resources.span),
        ),
        (
            "`extra.kustomization`",
            extra.kustomization.as_ref().map(|node| node.span),
        ),
    ];
    for (what, span) in needs {
        let Some(span) = span else { continue };
        problems.push(
            Diagnostic::new(
                codes::CONFIG_CONTRADICTION,
                format!("the folders have no kustomization, but {what} needs one"),
            )
            .at(off.span)
            .related(span, "needed here")
            .why("without a kustomization, nothing would apply it")
            .help("remove `layout.kustomization = false`"),
        );
    }
}

/// Removes control characters, because a comment must stay on one line.
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
            let of_delivery = DELIVERY_FILES
                .iter()
                .find(|(_, name, _)| *name == key.value);
            if groups.is_empty() && !is_object && of_delivery.is_none() {
                problems.push(unknown_file(key));
                continue;
            }
            let rest = match value.split_once('/') {
                Some((folder, rest)) if self.folders().any(|known| known == folder) => rest,
                _ => value.as_str(),
            };
            // The part before the file name must consist of plain folder names, so that it can't lead
            // outside.
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
                        format!("{name} is reserved for kustomize"),
                    )
                    .at(value.span)
                    .why("kustomize reads this file as the list of the folder's resources")
                    .help("choose another file name"),
                );
            }
            if let Some((of, ..)) = of_delivery {
                if *of == delivery::kind(cluster) {
                    self.delivery_file.clone_from(value);
                }
            } else if is_object {
                self.objects.push((key.value.clone(), value.value.clone()));
            }
            let files = groups.into_iter().map(|group| (group, value.value.clone()));
            self.files.extend(files);
        }
    }

    /// The app's folders: one or two.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        [Some(self.folder.as_str()), self.config_folder.as_deref()]
            .into_iter()
            .flatten()
    }

    /// The file of a group; for a gateway, the gateway's own file if the file name contains its name.
    pub fn location(&self, group: Group, gateway: Option<&str>) -> FileLocation {
        let own = self.files.iter().rev().find(|(there, _)| *there == group);
        let own = own.map(|(_, file)| file.as_str());
        // A file name with `{gateway}` can't be used for an object that belongs to no gateway.
        let own = own.filter(|file| gateway.is_some() || !is_pattern(file));
        let (default, folder) = self.default_of(group);
        let gateway = gateway.unwrap_or_default();
        let file = own.unwrap_or(default).replace("{gateway}", gateway);
        self.placed(&folder, &file.replace("{short}", names::short(gateway)))
    }

    /// The default file of a group: its name, and its folder inside the app's folder.
    pub fn default_of(&self, group: Group) -> (&'static str, String) {
        let fixed = GROUPS.iter().find(|(there, ..)| *there == group);
        let (file, first) =
            fixed.map_or(("envoy.yaml", true), |(_, _, file, first)| (*file, *first));
        let second = self.config_folder.as_deref().unwrap_or(&self.folder);
        let folder = if first { &self.folder } else { second };
        (file, folder.to_owned())
    }

    /// The file of a single object, if `layout.files` names one; `folder` is the folder of its group.
    pub fn location_of(&self, kind: &str, name: &str, folder: &str) -> Option<FileLocation> {
        Some(self.placed(folder, self.file_of(kind, name)?))
    }

    /// The entry for a single object in `layout.files`.
    pub fn file_of(&self, kind: &str, name: &str) -> Option<&str> {
        let key = format!("{kind}/{name}");
        let mut own = self.objects.iter().rev();
        let (_, file) = own.find(|(there, _)| *there == key)?;
        Some(file)
    }

    /// Finds the file for a text from `layout.files`: in the folder that the text names, or else in `folder`.
    pub fn placed(&self, folder: &str, file: &str) -> FileLocation {
        let named = file.split_once('/');
        let named = named.filter(|(named, _)| self.folders().any(|known| known == *named));
        let (folder, file) = named.unwrap_or((folder, file));
        FileLocation {
            folder: folder.to_owned(),
            file: file.to_owned(),
        }
    }

    /// The path of the app's folder, relative to the root.
    pub fn app_path(&self) -> String {
        join([self.path.as_str(), &self.app])
    }
}

/// Joins folders and a file name to one path; parts that are `.` or empty are left out.
pub fn join<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let parts = parts.into_iter().flat_map(|part| part.split('/'));
    let parts: Vec<&str> = parts.filter(|part| !matches!(*part, "" | ".")).collect();
    parts.join("/")
}

/// The default name of the file in the app's folder that a kind of delivery needs.
fn delivery_file(kind: DeliveryKind) -> &'static str {
    let mut files = DELIVERY_FILES.iter();
    let own = files.find(|(of, ..)| *of == kind);
    own.map_or("", |(_, _, file)| file)
}

fn is_pattern(file: &str) -> bool {
    file.contains("{gateway}") || file.contains("{short}")
}

fn unknown_file(key: &Text) -> Diagnostic {
    let known = GROUPS.iter().map(|(_, name, ..)| *name);
    let of_delivery = DELIVERY_FILES.iter().map(|(_, name, _)| *name);
    let known: Vec<&str> = known.chain([TRAFFIC.0]).chain(of_delivery).collect();
    let help = nearest(key, known.iter().copied()).map_or_else(
        || {
            format!(
                "the keys are {}; for a single object write its kind and name, such as \"SecurityPolicy/oidc\"",
                known.join(", ")
            )
        },
        |near| format!("write `{near}`"),
    );
    Diagnostic::new(
        codes::CONFIG_UNKNOWN_KEY,
        format!("`layout.files` has no key {:?}", key.value),
    )
    .at(key.span)
    .why("an unknown key would have no effect, and nobody would notice")
    .help(help)
}
