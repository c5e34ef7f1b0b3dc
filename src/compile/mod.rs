//! Compiles `cluster.toml` to checked files, as one pure function of a [`World`].

use std::collections::{BTreeMap, BTreeSet, HashMap};

mod beside;
pub mod chart_values;
mod schemas;
mod selection;
mod variables;

pub use beside::Beside;
pub use schemas::{check_all, check_in_files};
pub use selection::{in_force, in_force_for};

use crate::config::description::{self, Description};
use crate::config::overrides::Overrides;
use crate::config::{Cluster, codes};
use crate::lint;
use crate::model::{self, Model};
use crate::render::files::{Inputs, Kind};
use crate::render::{File, Templates, render};
use crd_validate::schema::{Catalogue, Selection};
use manifest::diagnostic::{Diagnostic, SourceId, Sources};
use manifest::value::Pointer;
use manifest::{Object, read};

/// The files that compiling reads, by their paths relative to the root, as text.
pub trait World: Inputs {
    /// The names of the files in a folder, in order; empty if the folder doesn't exist.
    fn list(&self, folder: &str) -> Vec<String>;

    /// The path from the root of the Git repository to the folder that the tree is rendered in, with `/`. It
    /// is empty if they are the same folder, or if there is no repository.
    fn prefix(&self) -> String {
        String::new()
    }

    /// The cluster to compile, if `cluster.toml` describes several.
    fn cluster(&self) -> Option<&str> {
        None
    }

    /// The text of a file that `cluster.toml` extends.
    ///
    /// # Errors
    /// The reason why it can't be read, as the end of a sentence.
    fn extended(&self, path: &str) -> Result<String, String> {
        self.read(path)
            .ok_or_else(|| "there is no such file".to_owned())
    }
}

/// The result of compiling.
pub struct Compiled {
    /// All texts that diagnostics refer to.
    pub sources: Sources,
    /// The source of `cluster.toml`.
    pub config: SourceId,
    /// The versions to check against.
    pub selection: Selection,
    /// The model; `None` if `cluster.toml` could not be read.
    pub model: Option<Model>,
    /// The rendered files, sorted by path.
    pub files: Vec<File>,
    /// The objects in the files, with their positions in the files and in `cluster.toml`.
    pub objects: Vec<Object>,
    /// The sources of scripts, by the paths of the rendered files.
    pub scripts: BTreeMap<String, SourceId>,
    /// Which values of the configuration are over which others.
    pub overrides: Overrides,
    /// The configuration; `None` if `cluster.toml` could not be read.
    pub cluster: Option<Cluster>,
    /// All mistakes that were found.
    pub diagnostics: Vec<Diagnostic>,
}

impl Compiled {
    /// Whether there are errors, so that the files must not be written.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// The names of the files.
    pub fn file_names(&self) -> BTreeSet<String> {
        self.files.iter().map(|file| file.path.clone()).collect()
    }
}

/// Compiles a `cluster.toml` with the given text, which is shown as `name`, and checks everything that it
/// renders.
pub fn compile(name: &str, text: &str, world: &dyn World, catalogue: &Catalogue) -> Compiled {
    let mut compiled = compile_each(name, text, world, catalogue);
    compiled.look_across(Beside::default());
    compiled
}

/// Like [`compile`], but checks each object only by itself. Call [`Compiled::look_across`] for the other
/// checks.
pub fn compile_each(name: &str, text: &str, world: &dyn World, catalogue: &Catalogue) -> Compiled {
    let mut compiled = rendered(name, text, world, catalogue);
    let found = check_all(&compiled.objects, catalogue, &compiled.selection);
    let found = not_reported_yet(found, &compiled.diagnostics);
    compiled.diagnostics.extend(found);
    compiled
}

/// Like [`compile`], but stops after rendering: the objects are not checked against schemas.
pub fn rendered(name: &str, text: &str, world: &dyn World, catalogue: &Catalogue) -> Compiled {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    let Description {
        cluster,
        overrides,
        mut diagnostics,
        ..
    } = described(&mut sources, id, world);
    let mut compiled = Compiled {
        sources,
        config: id,
        selection: Selection::newest(catalogue),
        model: None,
        files: Vec::new(),
        objects: Vec::new(),
        scripts: BTreeMap::new(),
        overrides,
        cluster: None,
        diagnostics: Vec::new(),
    };
    if let Some(cluster) = cluster {
        let sources = &mut compiled.sources;
        let versions = selection::select(
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
        diagnostics.extend(variables::check(&model, &files));
        compiled.objects = objects(&files, sources, &mut diagnostics);
        duplicates(&compiled.objects, &mut diagnostics);
        let (problems, texts) = scripts(&files, &model, sources);
        diagnostics.extend(problems);
        compiled.scripts = texts;
        compiled.files = files;
        compiled.model = Some(model);
        compiled.cluster = Some(cluster);
    }
    compiled.diagnostics = diagnostics;
    compiled
}

/// Reads the description whose main file is `source`, for the cluster of a world.
pub fn described(sources: &mut Sources, source: SourceId, world: &dyn World) -> Description {
    description::read(sources, source, world.cluster(), &|path| {
        world.extended(path)
    })
}

/// Removes reports of missing keys for keys that are present but could not be read.
fn not_only_misread(found: Vec<Diagnostic>, reported: &[Diagnostic]) -> Vec<Diagnostic> {
    let missing = |one: &Diagnostic| one.code == codes::CONFIG_MISSING_KEY && one.pointer.is_some();
    let is_reported = |one: &Diagnostic| {
        reported
            .iter()
            .any(|reported| reported.pointer == one.pointer)
    };
    found
        .into_iter()
        .filter(|one| !(missing(one) && is_reported(one)))
        .collect()
}

/// The built-in templates, with those replaced that are in the folder `layout.templates`.
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
                codes::CONFIG_UNKNOWN_REFERENCE,
                format!("there is no template in {:?}", folder.value),
            )
            .at(folder.span)
            .why("the built-in templates would be used, and nobody would notice")
            .help("put a template there that has the name of a built-in template, such as `gateway.yaml.j2`"),
        );
    }
    for name in names {
        let path = format!("{}/{name}", folder.trim_end_matches('/'));
        match world.read(&path) {
            Some(text) => problems.extend(templates.replace(&name, &path, text)),
            None => problems.push(
                Diagnostic::new(
                    codes::CONFIG_TEMPLATE,
                    format!("the template {path} can't be read"),
                )
                .at(folder.span)
                .why("its output can't be written, so no file is written")
                .help("it must be UTF-8 text of at most 1 MiB"),
            ),
        }
    }
    templates
}

/// Parses the rendered files again, and checks that the text has the intended meaning, whatever the template
/// was.
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
                    Diagnostic::new(
                        codes::CONFIG_TEMPLATE,
                        "the rendered text has another meaning than intended",
                    )
                    .at(document.node.span)
                    .why("other programs would read a value differently")
                    .help(
                        "this is a bug in gatewayctl; please report it with the value at the mark",
                    ),
                );
            }
            objects.push(Object {
                node: document.node.into(),
                origins,
                file: file.path.clone(),
                is_made: false,
            });
        }
    }
    objects
}

/// Reports scripts that can't be loaded, and returns the texts of all scripts by the paths of the rendered
/// files. Errors in a script of the user refer to the user's file.
fn scripts(
    files: &[File],
    model: &Model,
    sources: &mut Sources,
) -> (Vec<Diagnostic>, BTreeMap<String, SourceId>) {
    let (mut found, mut texts) = (Vec::new(), BTreeMap::new());
    let is_run = !files.iter().any(|file| file.text.contains("luaValidation"));
    for file in files.iter().filter(|file| file.kind == Kind::Script) {
        let own = model.lua.as_ref().and_then(|lua| match &lua.script {
            model::lua::Script::File(path) => Some(path.value.clone()),
            model::lua::Script::Block(_) => None,
        });
        let source = sources.add(own.unwrap_or_else(|| file.path.clone()), file.text.as_str());
        let broken = lint::config::lua::check(sources, source);
        let is_sound = broken.is_none();
        found.extend(broken);
        if is_sound {
            found.extend(lint::reference::lua_script::check_rendered(
                sources, source, is_run,
            ));
        }
        texts.insert(file.path.clone(), source);
    }
    (found, texts)
}

/// Reports two objects with the same identity: kustomize refuses them, or one would replace the other.
fn duplicates(objects: &[Object], problems: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<_, &Object> = HashMap::new();
    let root = manifest::value::Pointer::root().key("metadata").key("name");
    for object in objects {
        // A folder for another namespace may contain objects with the same names.
        let folder = manifest::value::path::folder(&object.file);
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
            manifest::finding(
                codes::CONFIG_DUPLICATE,
                object,
                &root,
                format!("{} is rendered twice", object.identity()),
            )
            .related(first.origin(&root).or(first.span(&root)), "the first")
            .why("kustomize refuses two objects with the same name")
            .help("give one of them another name"),
        );
    }
}

impl Compiled {
    /// Gives a position in `cluster.toml` to findings on what a template has written.
    fn place_findings(&mut self) {
        for finding in &mut self.diagnostics {
            let (None, Some(object)) = (finding.origin, &finding.object) else {
                continue;
            };
            let pointer = finding.pointer.as_deref().and_then(Pointer::parse);
            let mut objects = self.objects.iter();
            // The rules see the namespace that kustomize sets, which the files don't have.
            let rendered = objects.find(|it| {
                (finding.file.as_deref(), &*object.kind, &*object.name)
                    == (Some(&*it.file), it.kind(), it.name())
            });
            if let (Some(rendered), Some(pointer)) = (rendered, pointer) {
                finding.origin = rendered.nearest_origin(&pointer);
            }
        }
    }
}

/// Removes findings that are only consequences of mistakes that are already reported: those whose origin is a
/// line that is known to be wrong and, as long as there are other errors, those without an origin.
fn not_reported_yet(found: Vec<Diagnostic>, reported: &[Diagnostic]) -> Vec<Diagnostic> {
    let spans: Vec<_> = reported
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
