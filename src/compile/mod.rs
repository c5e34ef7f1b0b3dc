//! The whole way from `cluster.toml` to checked files, as one pure function of a [`World`].

use std::collections::{BTreeMap, HashMap};

mod beside;

use rayon::prelude::*;

pub use beside::Beside;

use crate::check;
use crate::config::{self, Cluster};
use crate::diagnostic::{Code, Diagnostic, SourceId, Sources, Spanned};
use crate::manifest::{Object, read};
use crate::model::{self, Model, Version, Versions};
use crate::render::files::{Inputs, Kind};
use crate::render::{File, Templates, render};
use crate::schema::{Catalogue, Selection, Unknown};

/// What compiling reads: files by their paths from the root, as text.
pub trait World: Inputs {
    /// The names of the files in a folder, in order; none where there is no such folder.
    fn list(&self, folder: &str) -> Vec<String>;

    /// The path from the root of the Git repository to the folder that is rendered in, with `/`; empty where they are
    /// one, or where there is no repository.
    fn prefix(&self) -> String {
        String::new()
    }
}

/// What comes out.
pub struct Compiled {
    /// All texts that findings point into.
    pub sources: Sources,
    /// `cluster.toml`'s own.
    pub config: SourceId,
    /// The versions in force.
    pub selection: Selection,
    /// What was meant; `None` where the file could not be read.
    pub model: Option<Model>,
    /// The files, by path.
    pub files: Vec<File>,
    /// Their objects, with places in the files and in `cluster.toml`.
    pub objects: Vec<Object>,
    /// The texts of scripts among the sources, by the rendered files' paths.
    pub scripts: BTreeMap<String, SourceId>,
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
}

impl Compiled {
    /// Whether anything is wrong that keeps the files from being written.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Compiles the `cluster.toml` whose text is `text` and which is shown as `name`, and checks all that it renders.
pub fn compile(name: &str, text: &str, world: &dyn World, catalogue: &Catalogue) -> Compiled {
    let mut compiled = compile_each(name, text, world, catalogue);
    compiled.look_across(Beside::default());
    compiled
}

/// The same, but each object is only checked by itself: [`Compiled::look_across`] is left to do.
pub fn compile_each(name: &str, text: &str, world: &dyn World, catalogue: &Catalogue) -> Compiled {
    let mut compiled = rendered(name, text, world, catalogue);
    let found = check_all(&compiled.objects, catalogue, &compiled.selection);
    let found = not_said_yet(found, &compiled.diagnostics);
    compiled.diagnostics.extend(found);
    compiled
}

/// The way of [`compile`] up to the rendered files: the schemas are not asked about the objects.
pub fn rendered(name: &str, text: &str, world: &dyn World, catalogue: &Catalogue) -> Compiled {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    let (cluster, mut diagnostics) = config::load(&sources, id);
    let mut compiled = Compiled {
        sources,
        config: id,
        selection: Selection::newest(catalogue),
        model: None,
        files: Vec::new(),
        objects: Vec::new(),
        scripts: BTreeMap::new(),
        diagnostics: Vec::new(),
    };
    if let Some(cluster) = cluster {
        let sources = &mut compiled.sources;
        let versions = select(
            &cluster,
            catalogue,
            &mut compiled.selection,
            &mut diagnostics,
        );
        let (model, problems) = model::build(&cluster, versions, &world.prefix());
        diagnostics.extend(not_only_misread(problems, &diagnostics));
        let templates = templates(&model, world, &mut diagnostics);
        let (files, problems) = render(&model, &templates, world, sources);
        diagnostics.extend(problems);
        compiled.objects = objects(&files, sources, &mut diagnostics);
        duplicates(&compiled.objects, &mut diagnostics);
        let (problems, texts) = scripts(&files, &model, sources);
        diagnostics.extend(problems);
        compiled.scripts = texts;
        compiled.files = files;
        compiled.model = Some(model);
    }
    compiled.diagnostics = diagnostics;
    compiled
}

/// The versions that a `cluster.toml` puts in force, whatever else is wrong with it.
pub fn in_force(name: &str, text: &str, catalogue: &Catalogue) -> Selection {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    let mut selection = Selection::newest(catalogue);
    if let (Some(cluster), _) = config::load(&sources, id) {
        select(&cluster, catalogue, &mut selection, &mut Vec::new());
    }
    selection
}

/// A key that could not be read is no missing key.
fn not_only_misread(found: Vec<Diagnostic>, said: &[Diagnostic]) -> Vec<Diagnostic> {
    let missing = |one: &Diagnostic| one.code == Code::ConfigMissingKey && one.pointer.is_some();
    let is_said = |one: &Diagnostic| said.iter().any(|said| said.pointer == one.pointer);
    found
        .into_iter()
        .filter(|one| !(missing(one) && is_said(one)))
        .collect()
}

/// The name by which findings cite `cluster.toml` as the one that declares a version.
const DECLARED_BY: &str = "cluster.toml";

/// Declares the versions that are given. Where the catalogue doesn't have one, the nearest that it has
/// takes its place for the rest of the checks.
fn select(
    cluster: &Cluster,
    catalogue: &Catalogue,
    selection: &mut Selection,
    problems: &mut Vec<Diagnostic>,
) -> Versions {
    let chart = cluster.chart.version.as_ref();
    let channel = cluster.versions.gateway_api_channel.as_ref();
    let envoy_gateway = cluster.versions.envoy_gateway.as_ref().or(chart);
    let declared = envoy_gateway.map(|version| ("envoy-gateway", version));
    for (project, version) in declared.into_iter().chain(cluster.versions.declared()) {
        let channel = channel.filter(|_| project == "gateway-api");
        let asked = channel.map(|channel| channel.as_str());
        let Err(unknown) = selection.declare(catalogue, project, version, asked, DECLARED_BY)
        else {
            continue;
        };
        if let Unknown::Version { known, .. } = &unknown
            && let Some(nearest) = known.first()
        {
            let nearest = nearest.as_str().to_owned();
            // It was just listed as known.
            let _ = selection.declare(catalogue, project, &nearest, asked, DECLARED_BY);
        }
        let at_channel = matches!(unknown, Unknown::Channel { .. });
        let span = if at_channel {
            channel.and_then(|channel| channel.span)
        } else {
            version.span
        };
        let help = match project {
            "envoy-gateway" if !at_channel && cluster.versions.envoy_gateway.is_none() => format!(
                "{}; `versions.envoy_gateway` says which of them to check against",
                unknown.help()
            ),
            _ => unknown.help(),
        };
        problems.push(
            Diagnostic::new(Code::VersionUnknown, unknown.to_string())
                .at(span)
                .why("nothing can be checked against a version that is not known")
                .help(help),
        );
    }
    if let (Some(channel), None) = (channel, &cluster.versions.gateway_api)
        && let Some(version) = selection
            .of("gateway-api")
            .map(|chosen| chosen.set.version.as_str().to_owned())
        && let Err(unknown) = selection.declare(
            catalogue,
            "gateway-api",
            &version,
            Some(channel),
            DECLARED_BY,
        )
    {
        problems.push(
            Diagnostic::new(Code::VersionUnknown, unknown.to_string())
                .at(channel.span)
                .why("nothing can be checked against a channel that is not known")
                .help(unknown.help()),
        );
    }
    if chart.is_none() {
        problems.push(
            Diagnostic::new(Code::ConfigMissingKey, "the chart has no version")
                .why("it decides which schemas hold, and Flux would install whatever is newest")
                .help("add `version = \"1.9.0\"` to [chart], the version that runs in your cluster")
                .with_pointer("/chart/version"),
        );
    }
    let of = |project: &str| {
        let chosen = selection.of(project)?;
        Version::parse(chosen.set.version.as_str())
    };
    let newest = Version::new(u64::MAX, 0, 0);
    let written = |text: Option<&config::Text>| text.and_then(|text| Version::parse(text));
    let envoy_gateway = written(envoy_gateway)
        .or(of("envoy-gateway"))
        .unwrap_or(newest);
    Versions {
        envoy_gateway: Spanned::new(envoy_gateway, chart.and_then(|version| version.span)),
        gateway_api: of("gateway-api").unwrap_or(newest),
        cilium: written(cluster.versions.cilium.as_ref())
            .or(of("cilium"))
            .unwrap_or(newest),
    }
}

/// The built-in templates, and those in the folder that `layout.templates` names.
fn templates(model: &Model, world: &dyn World, problems: &mut Vec<Diagnostic>) -> Templates {
    let mut templates = Templates::default();
    let Some(folder) = &model.layout.templates else {
        return templates;
    };
    model::names::check_path("the templates' folder", folder, problems);
    let names: Vec<String> = world
        .list(folder)
        .into_iter()
        .filter(|name| name.ends_with(".j2"))
        .collect();
    if names.is_empty() {
        problems.push(
            Diagnostic::new(
                Code::ConfigUnknownReference,
                format!("there is no template in {:?}", folder.value),
            )
            .at(folder.span)
            .why("the built-in templates would be used, without a word")
            .help("put a template of a built-in one's name there, such as `gateway.yaml.j2`"),
        );
    }
    for name in names {
        let path = format!("{}/{name}", folder.trim_end_matches('/'));
        match world.read(&path) {
            Some(text) => problems.extend(templates.replace(&name, &path, text)),
            None => problems.push(
                Diagnostic::new(
                    Code::ConfigTemplate,
                    format!("the template {path} can't be read"),
                )
                .at(folder.span)
                .why("what it makes can't be written; nothing is")
                .help("it must be UTF-8 text of at most 1 MiB"),
            ),
        }
    }
    templates
}

/// Reads the files back: what was written must be what was meant, whatever the template was.
fn objects(files: &[File], sources: &mut Sources, problems: &mut Vec<Diagnostic>) -> Vec<Object> {
    let mut objects = Vec::new();
    for file in files.iter().filter(|file| file.kind.has_objects()) {
        let source = sources.add(file.path.clone(), file.text.as_str());
        let (documents, wrong) = read::read(sources, source);
        problems.extend(wrong);
        for (at, document) in documents.into_iter().enumerate() {
            let origins = file.objects.get(at).cloned();
            if origins
                .as_ref()
                .is_some_and(|meant| *meant != document.node)
            {
                problems.push(
                    Diagnostic::new(Code::ConfigTemplate, "what was written does not read back as what was meant")
                        .at(document.node.span)
                        .why("another reader would take a value for something else")
                        .help("this is a mistake of gatewayctl; please report it with the value at the mark"),
                );
            }
            objects.push(Object {
                node: document.node.into(),
                origins,
                file: file.path.clone(),
            });
        }
    }
    objects
}

/// What keeps scripts from being loaded, in a script of the user's own at its own place; and their texts, by the
/// names of the rendered files.
fn scripts(
    files: &[File],
    model: &Model,
    sources: &mut Sources,
) -> (Vec<Diagnostic>, BTreeMap<String, SourceId>) {
    let (mut found, mut texts) = (Vec::new(), BTreeMap::new());
    for file in files.iter().filter(|file| file.kind == Kind::Script) {
        let own = model.lua.as_ref().and_then(|lua| match &lua.script {
            model::lua::Script::File(path) => Some(path.value.clone()),
            model::lua::Script::Block(_) => None,
        });
        let source = sources.add(own.unwrap_or_else(|| file.path.clone()), file.text.as_str());
        found.extend(check::lua::check(sources, source));
        texts.insert(file.path.clone(), source);
    }
    (found, texts)
}

/// Two objects of one identity: kustomize refuses them, or one silently wins.
fn duplicates(objects: &[Object], problems: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<_, &Object> = HashMap::new();
    let root = crate::value::Pointer::root().key("metadata").key("name");
    for object in objects {
        // A folder of another namespace holds other objects, even of one name.
        let folder = crate::value::path::folder(&object.file);
        let folder = folder
            .rsplit_once("/routes-")
            .map_or("", |(_, namespace)| namespace);
        let Some(first) = seen.insert((folder, object.identity()), object) else {
            continue;
        };
        if object.kind() == "Kustomization" && object.group() == "kustomize.config.k8s.io" {
            continue;
        }
        problems.push(
            check::finding(
                Code::ConfigDuplicate,
                object,
                &root,
                format!("{} is rendered twice", object.identity()),
            )
            .related(first.origin(&root).or(first.span(&root)), "the first")
            .why("kustomize refuses two objects of one name")
            .help("give one of them another name"),
        );
    }
}

/// Runs the passes over objects.
pub fn check_all(
    objects: &[Object],
    catalogue: &Catalogue,
    selection: &Selection,
) -> Vec<Diagnostic> {
    let passes = check::Passes::new(catalogue);
    let check = |object: &Object| {
        if object.api_version().is_empty() || object.kind().is_empty() {
            return vec![not_an_object(object)];
        }
        let lookup = catalogue.look_up(selection, object.group(), object.version(), object.kind());
        let mut found: Vec<Diagnostic> = check::kind::check(object, &lookup).into_iter().collect();
        if let crate::schema::Lookup::Known(schema) = lookup {
            found.extend(passes.check(object, &schema));
        }
        found
    };
    objects.par_iter().flat_map_iter(check).collect()
}

fn not_an_object(object: &Object) -> Diagnostic {
    let missing = if object.kind().is_empty() {
        "kind"
    } else {
        "apiVersion"
    };
    let message = match object.node.as_map() {
        Some(_) => format!("the document has no `{missing}`"),
        None => format!(
            "the document is a {}, no Kubernetes object",
            object.node.type_name()
        ),
    };
    let root = crate::value::Pointer::root();
    check::finding(Code::YamlNotAnObject, object, &root, message)
        .why("kustomize and the API server refuse it")
        .help("every object has `apiVersion`, `kind` and `metadata.name`; leave other YAML out of the path")
}

/// Findings on what a rendered object got from a line that is already known to be wrong say nothing new; nor
/// do findings that no line is to blame for, as long as others are wrong: they mostly follow from those.
fn not_said_yet(found: Vec<Diagnostic>, said: &[Diagnostic]) -> Vec<Diagnostic> {
    let spans: Vec<_> = said
        .iter()
        .filter(|one| one.is_error())
        .filter_map(|one| one.span)
        .collect();
    found
        .into_iter()
        .filter(|one| {
            let Some(origin) = one.origin else {
                return spans.is_empty();
            };
            !spans.iter().any(|span| {
                span.source == origin.source
                    && span.start < origin.end.max(origin.start + 1)
                    && origin.start < span.end
            })
        })
        .collect()
}
