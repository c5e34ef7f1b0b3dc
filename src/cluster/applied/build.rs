//! Reads the files of a tree that are needed, and computes what Flux applies from them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Tree, set};
use flux_repo::{
    Delivery, EntryRole, Generator, Kustomization, applied_by, is_kustomize_kind,
    kustomization_files, kustomizations_by_folder,
};
use manifest::diagnostic::Sources;
use manifest::value::path::{below, is_outside};
use manifest::value::{Kind, Map, Node};
use manifest::{self, Object};

/// The rendered files, and the files on the disk that kustomizations refer to.
pub(super) struct KustomizeInputs<'a> {
    tree: &'a Tree<'a>,
    /// The rendered objects first.
    pub(super) objects: Vec<Object>,
    files: BTreeSet<String>,
    /// The texts that were read from the disk.
    texts: BTreeMap<String, String>,
    /// The index of each folder's kustomization among the rendered objects.
    rendered: HashMap<&'a str, usize>,
    /// The folders whose kustomizations were already read.
    seen: BTreeSet<String>,
}

impl<'a> KustomizeInputs<'a> {
    /// Starts with the rendered files.
    pub(super) fn of(tree: &'a Tree<'a>) -> Self {
        let rendered = tree.objects.iter().map(|object| object.file.clone());
        let texts = tree.texts.keys().map(|path| (*path).to_owned());
        KustomizeInputs {
            tree,
            objects: tree.objects.to_vec(),
            files: rendered.chain(texts).collect(),
            texts: BTreeMap::new(),
            rendered: kustomizations_by_folder(tree.objects),
            seen: BTreeSet::new(),
        }
    }

    /// What kustomize and Flux do with these files.
    pub(super) fn delivery(&self) -> Delivery {
        Delivery::of(&self.objects, &self.files)
    }

    /// Reads the files that the kustomization of a folder refers to, and does the same for each folder that it lists.
    pub(super) fn read_folder(&mut self, folder: &str) {
        let mut open = vec![folder.to_owned()];
        while let Some(folder) = open.pop() {
            if !self.seen.insert(folder.clone()) {
                continue;
            }
            let Some(kustomization) = self.kustomization(&folder) else {
                continue;
            };
            for entry in Kustomization::of(&kustomization).entries() {
                let is_known = self.files.contains(&entry.path);
                if is_known || entry.may_be_elsewhere || is_outside(&entry.path) {
                    continue;
                }
                match (self.tree.read)(&entry.path) {
                    Some(text) => self.add(entry.path, text, entry.role),
                    None => open.extend(entry.role.may_be_folder().then_some(entry.path)),
                }
            }
        }
    }

    /// The kustomization of a folder. It is read from the disk if it is not rendered.
    fn kustomization(&mut self, folder: &str) -> Option<Object> {
        if let Some(rendered) = self.rendered.get(folder) {
            return self.tree.objects.get(*rendered).cloned();
        }
        let mut read =
            kustomization_files(folder).filter_map(|path| Some(((self.tree.read)(&path)?, path)));
        let (text, path) = read.next()?;
        let own = objects_of(&path, &text).into_iter().next()?;
        self.files.insert(path);
        self.objects.push(own.clone());
        Some(own)
    }

    /// The file of a folder's kustomization, if it exists.
    fn kustomization_file(&self, folder: &str) -> Option<String> {
        kustomization_files(folder).find(|own| self.files.contains(own))
    }

    fn add(&mut self, path: String, text: String, role: EntryRole) {
        if role.is_applied() {
            self.objects.extend(objects_of(&path, &text));
        }
        self.texts.insert(path.clone(), text);
        self.files.insert(path);
    }

    fn text(&self, path: &str) -> Option<String> {
        let rendered = self.tree.texts.get(path).map(|text| (*text).to_owned());
        rendered.or_else(|| self.texts.get(path).cloned())
    }

    /// The objects that a Flux Kustomization applies, and what could not be followed, each with its reason.
    pub(super) fn applied(&self, delivery: &Delivery, flux: usize) -> (Vec<Object>, Vec<String>) {
        let mut objects = Vec::new();
        for (at, object) in self.objects.iter().enumerate() {
            let mut ways = delivery.ways(at).iter();
            if let Some(way) = ways.find(|way| way.flux == Some(flux))
                && !is_kustomize_kind(object)
            {
                objects.push(applied_by(object, way));
            }
        }
        let mut unread = self.unread_entries(delivery, flux);
        for generated in delivery.generated() {
            let mut ways = generated.ways.iter();
            let way = ways.find(|way| way.flux == Some(flux));
            let (Some(way), Some(maker)) = (way, self.objects.get(generated.by)) else {
                continue;
            };
            match self.config_map(&generated.generator, &maker.file) {
                Ok(map) => objects.push(applied_by(&map, way)),
                Err(why) => unread.push(why),
            }
        }
        for maker in self.kustomizations(delivery, flux) {
            let keys = Kustomization::of(maker).not_followed();
            unread
                .extend(keys.map(|key| format!("`{key}` of {} is not supported here", maker.file)));
        }
        (objects, unread)
    }

    fn kustomizations<'d>(
        &'d self,
        delivery: &'d Delivery,
        flux: usize,
    ) -> impl Iterator<Item = &'d Object> {
        let places = delivery.kustomizations(flux);
        places.filter_map(|at| self.objects.get(at))
    }

    /// The entries of kustomizations below a Flux Kustomization that could not be followed.
    fn unread_entries(&self, delivery: &Delivery, flux: usize) -> Vec<String> {
        let mut unread = Vec::new();
        let mut folders: BTreeSet<String> = delivery
            .folder(flux)
            .into_iter()
            .map(str::to_owned)
            .collect();
        let own = delivery
            .folder(flux)
            .and_then(|folder| self.kustomization_file(folder));
        if let (Some(own), None) = (own, self.kustomizations(delivery, flux).next()) {
            unread.push(format!("{own} can't be read"));
        }
        for maker in self.kustomizations(delivery, flux) {
            let file = &maker.file;
            let entries = Kustomization::of(maker).entries().into_iter();
            for entry in entries.filter(|entry| entry.role.is_applied()) {
                let path = entry.path;
                if self.files.contains(&path) {
                    continue;
                }
                if entry.may_be_elsewhere || is_outside(&path) {
                    unread.push(format!(
                        "{}, which {file} lists, is not in the tree",
                        entry.text
                    ));
                } else if self.kustomization_file(&path).is_none() {
                    unread.push(format!("{path}, which {file} lists, can't be read"));
                } else if below(&path, file).is_some()
                    || entry.role == EntryRole::Resource && !folders.insert(path.clone())
                {
                    unread.push(format!("{path} is listed in a circle"));
                }
            }
        }
        unread
    }

    /// The ConfigMap that a generator generates from files and literals, or why it is not known.
    fn config_map(&self, generator: &Generator, file: &str) -> Result<Object, String> {
        let name = &generator.name;
        if generator.kind != "ConfigMap" {
            return Err(format!("`secretGenerator` of {file} is not supported here"));
        }
        if generator.has_hash {
            return Err(format!(
                "the name of ConfigMap {name}, which {file} generates, ends with a hash"
            ));
        }
        let data = generator.data(|path| self.text(path)).map_err(|path| {
            format!("{path}, of which {file} makes ConfigMap {name}, can't be read")
        })?;
        let mut node = Node::map();
        set(&mut node, &["apiVersion"], "v1");
        set(&mut node, &["kind"], "ConfigMap");
        set(&mut node, &["metadata", "name"], name);
        if let Some(namespace) = &generator.namespace {
            set(&mut node, &["metadata", "namespace"], namespace);
        }
        for (kind, pairs) in [
            ("labels", &generator.labels),
            ("annotations", &generator.annotations),
        ] {
            for (key, value) in pairs {
                set(&mut node, &["metadata", kind, key], value);
            }
        }
        let mut map = Map::default();
        for (key, text) in data {
            map.insert(key, Node::string(text));
        }
        if let Some(node) = node.as_map_mut() {
            node.insert("data", Node::new(Kind::Map(map), None));
        }
        Ok(Object::new(node, file))
    }
}

pub(super) fn objects_of(path: &str, text: &str) -> Vec<Object> {
    let mut sources = Sources::default();
    let id = sources.add(path, text);
    let (documents, _) = manifest::read(&sources, id);
    let nodes = documents
        .iter()
        .flat_map(|document| manifest::items(&document.node));
    nodes.map(|node| Object::new(node.clone(), path)).collect()
}
