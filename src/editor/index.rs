//! The objects of a repository by file, and who refers to whom.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::links::{Part, Reference, SECTIONS, is_meant, reference_at};
use super::outline::Outline;
use super::toml;
use manifest::diagnostic::Sources;
use manifest::value::pointer::Step;
use manifest::value::{Kind, Node, Pointer};
use manifest::{Object, items, read};

/// A file with the objects that were read from it.
#[derive(Debug, Default)]
pub struct IndexedFile {
    /// The text.
    pub text: Arc<str>,
    /// The objects, whose positions are those in the text.
    pub objects: Vec<Object>,
    /// Whether `cluster.toml` renders it, so that nobody edits it.
    pub is_rendered: bool,
}

/// Bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name of the file.
    pub file: String,
    /// The bytes.
    pub range: Range<usize>,
}

/// The objects of a repository, by file.
#[derive(Clone, Debug, Default)]
pub struct Index {
    files: BTreeMap<String, Arc<IndexedFile>>,
    /// The name of the `cluster.toml`, if there is one, and its text.
    configuration: Option<(String, Arc<str>)>,
    /// The namespace of the gateways that it describes.
    namespace: String,
}

impl Index {
    /// Adds a file, or replaces it.
    pub fn insert(&mut self, name: impl Into<String>, file: IndexedFile) {
        self.files.insert(name.into(), Arc::new(file));
    }

    /// Takes over the files that only an earlier index has. While `cluster.toml` can't be parsed, it is not known what it renders
    /// and which folders belong to it.
    pub fn keep_missing(&mut self, earlier: &Index) {
        for (name, file) in &earlier.files {
            if !self.files.contains_key(name) {
                self.files.insert(name.clone(), Arc::clone(file));
            }
        }
        self.namespace.clone_from(&earlier.namespace);
    }

    /// Sets the name and the text of `cluster.toml`, and the namespace of its gateways.
    pub fn configure(&mut self, name: &str, text: &str, namespace: Option<&str>) {
        self.configuration = Some((name.to_owned(), text.into()));
        if let Some(namespace) = namespace {
            namespace.clone_into(&mut self.namespace);
        }
    }

    /// Takes over the text that somebody types. While it can't be parsed, the objects before that count.
    pub fn set_text(&mut self, name: &str, text: &Arc<str>) {
        if let Some((configuration, old)) = &mut self.configuration
            && configuration == name
        {
            *old = Arc::clone(text);
            return;
        }
        let before = self.files.get(name);
        // What is rendered changes with `cluster.toml` only.
        if before.is_some_and(|before| before.is_rendered || before.text == *text) {
            return;
        }
        let mut sources = Sources::default();
        let source = sources.add(name, Arc::clone(text));
        let (documents, problems) = read::read(&sources, source);
        if !problems.is_empty() && before.is_some() {
            return;
        }
        let objects = documents.iter().flat_map(|document| items(&document.node));
        let file = IndexedFile {
            text: Arc::clone(text),
            objects: objects
                .map(|node| Object::new(node.clone(), name))
                .collect(),
            is_rendered: false,
        };
        self.insert(name, file);
    }

    /// Takes over a file of an earlier index: one that can't be parsed any more.
    pub fn keep(&mut self, name: &str, earlier: &Index) {
        if let Some(file) = earlier.files.get(name) {
            self.files.insert(name.to_owned(), Arc::clone(file));
        }
    }

    /// A file.
    pub fn file(&self, name: &str) -> Option<&IndexedFile> {
        self.files.get(name).map(AsRef::as_ref)
    }

    /// The name and the text of `cluster.toml`.
    pub fn configuration(&self) -> Option<(&str, &Arc<str>)> {
        let configuration = self.configuration.as_ref();
        configuration.map(|(name, text)| (name.as_str(), text))
    }

    /// The text of a file.
    pub fn text(&self, name: &str) -> Option<&Arc<str>> {
        let configuration = self.configuration.as_ref();
        let configuration = configuration
            .filter(|(it, _)| it == name)
            .map(|(_, text)| text);
        configuration.or_else(|| self.files.get(name).map(|file| &file.text))
    }

    /// The reference for a gateway of `cluster.toml`.
    pub fn gateway(&self, name: &str) -> Reference {
        Reference {
            kind: "Gateway".to_owned(),
            namespace: Some(self.namespace.clone()).filter(|it| !it.is_empty()),
            name: name.to_owned(),
            part: Part::Name,
            is_definition: true,
        }
    }

    /// Where something is defined. What is rendered is defined in `cluster.toml`.
    pub fn definitions(&self, wanted: &Reference) -> Vec<Place> {
        let configured = self.configured(wanted);
        let mut found = configured.clone();
        self.visit(&wanted.text(), &mut |name, file, node, reference| {
            if !reference.is_definition || !reference.is_same(wanted) {
                return;
            }
            if file.is_rendered && !configured.is_empty() {
                return;
            }
            found.extend(place(name, node));
        });
        found
    }

    /// Where something is named, with its own definition, in files that people write.
    pub fn references(&self, wanted: &Reference) -> Vec<Place> {
        let mut found = self.configured(wanted);
        self.visit(&wanted.text(), &mut |name, file, node, reference| {
            if reference.is_same(wanted) && !(file.is_rendered && self.configuration.is_some()) {
                found.extend(place(name, node));
            }
        });
        in_order(found)
    }

    /// The names of all objects of a kind, each with its namespaces. What only has a definition elsewhere, such as a namespace, is
    /// found by who refers to it.
    pub fn names(&self, kind: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let objects = self.files.values().flat_map(|file| &file.objects);
        for object in objects {
            let (name, namespace) = match kind {
                "Namespace" if object.kind() != "Namespace" => (object.namespace(), ""),
                _ if object.kind() == kind && is_meant(kind, object.group()) => {
                    (object.name(), object.namespace())
                }
                _ => continue,
            };
            if !name.is_empty() {
                let known = names.entry(name.to_owned()).or_default();
                known.extend((!namespace.is_empty()).then(|| namespace.to_owned()));
            }
        }
        // They are known before anything is rendered.
        let configured = match (&self.configuration, kind) {
            (Some((_, text)), "Gateway") => toml::outline(text),
            _ => Outline::default(),
        };
        for name in configured.keys_of(&Pointer::root().key("gateways")) {
            let known = names.entry(name.to_owned()).or_default();
            known.extend((!self.namespace.is_empty()).then(|| self.namespace.clone()));
        }
        names
    }

    /// The sections of the objects that a reference names.
    pub fn sections(&self, of: &Reference) -> BTreeSet<String> {
        let Some((_, path)) = SECTIONS.iter().find(|(kind, _)| *kind == of.kind) else {
            return BTreeSet::new();
        };
        let objects = self.files.values().flat_map(|file| &file.objects);
        let objects = objects.filter(|object| object.kind() == of.kind && object.name() == of.name);
        let lists = objects.filter_map(|object| object.node.path(path)?.as_list());
        let names = lists
            .flatten()
            .filter_map(|item| item.get("name")?.as_str());
        names.map(str::to_owned).collect()
    }

    /// The objects of a kind that a file contains, each with the bytes of its name.
    pub fn objects_in(&self, name: &str) -> Vec<(&Object, Range<usize>)> {
        let file = self.files.get(name);
        let objects = file.into_iter().flat_map(|file| &file.objects);
        let named = objects.filter_map(|object| {
            let span = object.node.path(&["metadata", "name"])?.span?;
            Some((object, span.range()))
        });
        named.collect()
    }

    /// Where `cluster.toml` defines a gateway or a listener of one.
    fn configured(&self, wanted: &Reference) -> Vec<Place> {
        let Some((file, text)) = &self.configuration else {
            return Vec::new();
        };
        let own = self.gateway(&wanted.name);
        if wanted.kind != "Gateway"
            || !(Reference {
                part: Part::Name,
                ..wanted.clone()
            })
            .is_same(&own)
        {
            return Vec::new();
        }
        let outline = toml::outline(text);
        let gateway = Pointer::root().key("gateways").key(&wanted.name);
        let key = |outline: &Outline, pointer: &Pointer| {
            let mut entries = outline.entries.iter();
            entries.find(|it| it.pointer == *pointer)?.key.clone()
        };
        let section = match &wanted.part {
            Part::Section(section) => key(&outline, &gateway.key("listeners").key(section)),
            _ => None,
        };
        let range = section.or_else(|| key(&outline, &gateway));
        let places = range.into_iter().map(|range| Place {
            file: file.clone(),
            range,
        });
        places.collect()
    }

    /// Calls `visit` with every scalar of the given text that is a reference.
    fn visit(&self, text: &str, visit: &mut dyn FnMut(&str, &IndexedFile, &Node, Reference)) {
        for (name, file) in &self.files {
            for object in &file.objects {
                let value = |pointer: &Pointer| {
                    let node = object.node.at(pointer)?;
                    node.as_str().map(str::to_owned)
                };
                each_scalar(&object.node, &mut Pointer::root(), &mut |pointer, node| {
                    if node.as_str() != Some(text) {
                        return;
                    }
                    if let Some(reference) = reference_at(pointer, &value) {
                        visit(name, file, node, reference);
                    }
                });
            }
        }
    }
}

impl Reference {
    /// The text of the value that names it.
    fn text(&self) -> String {
        match &self.part {
            Part::Name => self.name.clone(),
            Part::Namespace => self.namespace.clone().unwrap_or_default(),
            Part::Section(section) => section.clone(),
        }
    }
}

/// Places in the order of the files and their texts, each once.
pub(super) fn in_order(mut places: Vec<Place>) -> Vec<Place> {
    places.sort_by(|one, other| {
        let key = |place: &Place| (place.range.start, place.range.end);
        (&one.file, key(one)).cmp(&(&other.file, key(other)))
    });
    places.dedup();
    places
}

fn place(file: &str, node: &Node) -> Option<Place> {
    Some(Place {
        file: file.to_owned(),
        range: node.span?.range(),
    })
}

fn each_scalar(node: &Node, at: &mut Pointer, visit: &mut dyn FnMut(&Pointer, &Node)) {
    match &node.kind {
        Kind::Map(map) => {
            for (key, value) in map.iter() {
                at.push(Step::Key(key.to_owned()));
                each_scalar(value, at, visit);
                at.pop();
            }
        }
        Kind::List(items) => {
            for (index, item) in items.iter().enumerate() {
                at.push(Step::Index(index));
                each_scalar(item, at, visit);
                at.pop();
            }
        }
        _ => visit(at, node),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTE: &str = "kind: HTTPRoute\nmetadata: {name: a, namespace: apps}\nspec:\n  parentRefs:\n    - {name: envoy-external, namespace: network, sectionName: https}\n";

    fn index() -> Index {
        let mut index = Index::default();
        index.configure(
            "cluster.toml",
            "[gateways.envoy-external]\naddress = \"10.10.30.26\"\n",
            Some("network"),
        );
        index.set_text("route.yaml", &ROUTE.into());
        index
    }

    #[test]
    fn a_gateway_of_cluster_toml_is_defined_there_and_named_in_routes() {
        let index = index();
        let gateway = index.gateway("envoy-external");
        let files = |places: Vec<Place>| {
            places
                .into_iter()
                .map(|it| (it.file, it.range))
                .collect::<Vec<_>>()
        };
        let defined = ("cluster.toml".to_owned(), 10..24);
        assert_eq!(
            files(index.definitions(&gateway)),
            std::slice::from_ref(&defined)
        );
        let start = ROUTE.find("envoy-external").expect("its name");
        let named = ("route.yaml".to_owned(), start..start + 14);
        assert_eq!(files(index.references(&gateway)), [defined.clone(), named]);
        let other = Reference {
            namespace: Some("other".to_owned()),
            ..gateway.clone()
        };
        assert_eq!(files(index.references(&other)), []);
        let section = Reference {
            part: Part::Section("https".to_owned()),
            ..gateway
        };
        assert_eq!(
            files(index.definitions(&section)),
            [defined],
            "the default listener is the gateway's"
        );
    }

    #[test]
    fn the_objects_of_a_text_that_is_being_typed_stay_as_they_were() {
        let mut index = index();
        index.set_text("route.yaml", &format!("{ROUTE}  x: [\n").into());
        assert_eq!(
            index.names("HTTPRoute").into_keys().collect::<Vec<_>>(),
            ["a"]
        );
        index.set_text("route.yaml", &ROUTE.replace("name: a,", "name: b,").into());
        assert_eq!(
            index.names("HTTPRoute").into_keys().collect::<Vec<_>>(),
            ["b"]
        );
        assert_eq!(
            index.names("Namespace").into_keys().collect::<Vec<_>>(),
            ["apps"]
        );
    }
}
