//! Imports several front doors that are those of several clusters into one description: what they have in common stays at
//! the top, and what differs goes into the table of each cluster. The result is proven: rendered for a cluster, it gives
//! what the import of its front door alone gives.

use std::collections::{BTreeMap, BTreeSet};

use super::config::Config;
use super::files::Files;
use super::outcome::left_out;
use super::toml::{self, Comment};
use super::{Import, import};
use crate::compile::{Compiled, World, compile_each};
use crate::config::description::{PLACEHOLDER, WITH_NAME, is_name};
use crate::config::load::table_of;
use crate::render::files::{Inputs, Output};
use crd_validate::schema::Catalogue;
use manifest::meaning;
use manifest::value::{Kind, Map, Node};

/// The key of the clusters' tables.
const CLUSTERS: &str = "clusters";

/// Several front doors in one description.
pub struct ImportedClusters {
    /// The clusters with their names. The configuration of each import is the whole description.
    pub all: Vec<(String, Import)>,
}

/// The files of a repository, for one cluster.
struct ForCluster<'a> {
    files: &'a Files,
    cluster: &'a str,
}

impl Inputs for ForCluster<'_> {
    fn read(&self, path: &str) -> Option<String> {
        self.files.read(path)
    }

    fn read_output(&self, path: &str) -> Output {
        self.files.read_output(path)
    }
}

impl World for ForCluster<'_> {
    fn list(&self, folder: &str) -> Vec<String> {
        self.files.list(folder)
    }

    fn prefix(&self) -> String {
        self.files.prefix.clone()
    }

    fn cluster(&self) -> Option<&str> {
        Some(self.cluster)
    }
}

/// Imports the front doors in these folders into one description.
///
/// # Errors
/// The reason why they can't be clusters of one description, as the end of a sentence.
pub fn import_all(
    files: &Files,
    folders: &[String],
    catalogue: &Catalogue,
) -> Result<ImportedClusters, String> {
    let names = names(folders).ok_or("their folders don't give the clusters different names")?;
    let mut imports = Vec::new();
    for folder in folders {
        match import(files, folder, catalogue) {
            Ok(import) => imports.push(import),
            Err((failure, _)) => return Err(failure.to_string()),
        }
    }
    if !share_a_gateway(&imports) {
        return Err(
            "no Gateway has the same name in all of them, so they may be in the same cluster"
                .to_owned(),
        );
    }
    let trees = imports.iter().zip(&names).map(|(import, name)| {
        let mut tree = table_of(&import.config).ok_or("one of them can't be read back")?;
        write_places(&mut tree, import);
        Ok((name.as_str(), tree))
    });
    let mut trees: Vec<(&str, Map)> = trees.collect::<Result<_, String>>()?;
    name_places(&mut trees);
    let fewest = trees.iter().map(|(_, tree)| leaves(tree)).min();
    let mut own: Vec<Map> = trees.into_iter().map(|(_, tree)| tree).collect();
    let common = take_common(&mut own);
    let (shared, fewest) = (leaves(&common), fewest.unwrap_or_default());
    if shared * 2 < fewest {
        return Err(format!(
            "they are too unlike, because only {shared} of {fewest} settings are the same"
        ));
    }
    let comments = comments(&imports, &names, &common);
    let config = document(common, own, &names, &comments);
    let mut all = Vec::new();
    for (name, import) in names.into_iter().zip(imports) {
        let world = ForCluster {
            files,
            cluster: &name,
        };
        let compiled = compile_each("cluster.toml", &config, &world, catalogue);
        if let Some(path) = first_difference(&compiled, &import.compiled) {
            return Err(format!(
                "one description would render {path} differently for {name}"
            ));
        }
        let mut import = Import {
            config: config.clone(),
            compiled,
            ..import
        };
        let others: Vec<String> = folders.iter().map(|it| left_out(it)).collect();
        import.notes.retain(|note| !others.contains(note));
        all.push((name, import));
    }
    Ok(ImportedClusters { all })
}

/// The names of the clusters: the first part in which their folders differ.
fn names(folders: &[String]) -> Option<Vec<String>> {
    let parts: Vec<Vec<&str>> = folders.iter().map(|it| it.split('/').collect()).collect();
    let first = parts.first()?;
    let differs = |at: &usize| parts.iter().any(|one| one.get(*at) != first.get(*at));
    let at = (0..first.len()).find(differs)?;
    let names: Option<Vec<String>> = parts
        .iter()
        .map(|one| one.get(at).map(|name| (*name).to_owned()))
        .collect();
    let names = names?;
    let different: BTreeSet<&String> = names.iter().collect();
    (different.len() == names.len() && names.iter().all(|name| is_name(name))).then_some(names)
}

/// Whether a Gateway has the same name and namespace in all front doors. Two objects of one cluster can't have that.
fn share_a_gateway(imports: &[Import]) -> bool {
    let gateways = imports.iter().map(|import| {
        let model = import.compiled.model.as_ref();
        let of = model.map(|model| {
            let names = model.gateways.iter();
            let names =
                names.map(|it| (model.namespace.value.clone(), it.values.name.value.clone()));
            names.collect::<BTreeSet<_>>()
        });
        of.unwrap_or_default()
    });
    let shared = gateways.reduce(|one, other| one.intersection(&other).cloned().collect());
    shared.is_some_and(|shared| !shared.is_empty())
}

/// Writes the places and names whose defaults differ between clusters.
fn write_places(tree: &mut Map, import: &Import) {
    let Some(model) = &import.compiled.model else {
        return;
    };
    let application = model
        .applications
        .iter()
        .find(|it| it.values.chart.is_some());
    let places = [
        (["layout", "path"], Some(model.layout.path.as_str())),
        (
            ["argocd", "name"],
            application.map(|it| it.values.name.value.as_str()),
        ),
    ];
    for ([table, key], text) in places {
        if let Some(text) = text {
            let text = if text.is_empty() { "." } else { text };
            put(tree, &[table, key], Node::string(text));
        }
    }
}

/// Writes the placeholder for the clusters' names into those settings that allow it, if they are the same then.
fn name_places(trees: &mut [(&str, Map)]) {
    for path in WITH_NAME {
        let named: Option<BTreeSet<String>> = trees
            .iter()
            .map(|(name, tree)| {
                let text = get(tree, path)?.as_str()?;
                Some(with_placeholder(text, name))
            })
            .collect();
        let named = named.filter(|named| named.len() == 1);
        let Some(text) = named.and_then(|named| named.into_iter().next()) else {
            continue;
        };
        for (_, tree) in trees.iter_mut() {
            put(tree, path, Node::string(text.as_str()));
        }
    }
}

/// A path or name in which the part that is the name of the cluster is replaced.
fn with_placeholder(text: &str, name: &str) -> String {
    let parts: Vec<&str> = text
        .split('/')
        .map(|part| if part == name { PLACEHOLDER } else { part })
        .collect();
    let path = parts.join("/");
    match path.strip_prefix(name) {
        Some(rest) if rest.starts_with('-') => format!("{PLACEHOLDER}{rest}"),
        _ => path,
    }
}

fn get<'m>(map: &'m Map, path: &[&str]) -> Option<&'m Node> {
    let (first, rest) = path.split_first()?;
    map.get(first)?.path(rest)
}

fn put(map: &mut Map, path: &[&str], value: Node) {
    match path {
        [] => {}
        [key] => {
            map.insert(*key, value);
        }
        [first, rest @ ..] => {
            if map.get(first).and_then(Node::as_map).is_none() {
                map.insert(*first, Node::map());
            }
            if let Some(below) = map.get_mut(first).and_then(Node::as_map_mut) {
                put(below, rest, value);
            }
        }
    }
}

/// The number of values in a table.
fn leaves(map: &Map) -> usize {
    map.iter()
        .map(|(_, value)| value.as_map().map_or(1, leaves))
        .sum()
}

/// Takes out what all tables have in common. Lists are the same as a whole, or not at all.
fn take_common(all: &mut [Map]) -> Map {
    let mut common = Map::default();
    let keys = all.first().into_iter().flat_map(Map::iter);
    let keys: Vec<String> = keys.map(|(key, _)| key.to_owned()).collect();
    for key in keys {
        let values: Option<Vec<&Node>> = all.iter().map(|map| map.get(&key)).collect();
        let Some(values) = values else { continue };
        let same = values
            .first()
            .filter(|first| values.iter().all(|value| value == *first));
        if let Some(same) = same {
            common.insert(&*key, (*same).clone());
            all.iter_mut().for_each(|map| {
                map.remove(&key);
            });
            continue;
        }
        let tables: Option<Vec<Map>> = values.iter().map(|value| value.as_map().cloned()).collect();
        let Some(mut tables) = tables else { continue };
        let inner = take_common(&mut tables);
        if inner.is_empty() {
            continue;
        }
        common.insert(&*key, Node::new(Kind::Map(inner), None));
        for (map, rest) in all.iter_mut().zip(tables) {
            match rest.is_empty() {
                true => {
                    map.remove(&key);
                }
                false => {
                    map.insert(&*key, Node::new(Kind::Map(rest), None));
                }
            }
        }
    }
    common
}

/// The text of the description.
fn document(common: Map, own: Vec<Map>, names: &[String], comments: &[Comment]) -> String {
    let mut root = Config::from(common).ordered();
    let tables = names.iter().zip(own).map(|(name, own)| {
        let own = Config::from(own).ordered();
        (name.as_str(), Node::new(Kind::Map(own), None))
    });
    root.insert(CLUSTERS, Node::new(Kind::Map(tables.collect()), None));
    toml::document(&root, comments)
}

/// The comments above keys, at the key in the description: what is above a shared key is told once.
fn comments(imports: &[Import], names: &[String], common: &Map) -> Vec<Comment> {
    let mut all: Vec<Comment> = Vec::new();
    for (import, name) in imports.iter().zip(names) {
        for (path, text) in toml::comments_above_keys(&import.config) {
            let keys: Vec<&str> = path.iter().map(String::as_str).collect();
            let path = match get(common, &keys) {
                Some(_) => path,
                None => [CLUSTERS.to_owned(), name.clone()]
                    .into_iter()
                    .chain(path)
                    .collect(),
            };
            if !all.contains(&(path.clone(), text.clone())) {
                all.push((path, text));
            }
        }
    }
    all
}

/// The first file that is rendered differently.
fn first_difference(one: &Compiled, other: &Compiled) -> Option<String> {
    let (one, other) = (contents(one), contents(other));
    let mut paths = one.keys().chain(other.keys());
    let found = paths.find(|path| one.get(*path) != other.get(*path));
    found.map(|path| (*path).to_owned())
}

/// Everything that is rendered: the objects of each file, in any order, or its text.
fn contents(compiled: &Compiled) -> BTreeMap<&str, Vec<String>> {
    let files = compiled.files.iter().map(|file| {
        let mut objects: Vec<String> = match file.kind.has_objects() {
            true => {
                let objects = file.objects.iter();
                let objects = objects.map(|node| meaning::plain(&file.path, node));
                objects.map(|node| node.to_json().to_string()).collect()
            }
            false => vec![file.text.clone()],
        };
        objects.sort();
        (file.path.as_str(), objects)
    });
    files.collect()
}
