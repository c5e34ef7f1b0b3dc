//! Reads a description: a `cluster.toml` with the files that it extends, for one of the clusters in it.
//!
//! Everything is merged as parsed TOML, before it is decoded into types. In this way, each value keeps the file and the
//! line that it was written on.

mod problems;

use super::Cluster;
use super::codes;
use super::delivery::DeliveryKind;
use super::flux::DEFAULT_NAMESPACE;
use super::layout::DEFAULT_APP;
use super::load::{decoded, tree_of};
use super::overrides::Overrides;
use super::types::{Text, Texts};
use manifest::diagnostic::{Diagnostic, SourceId, Sources};
use manifest::value::de::decode;
use manifest::value::{Entry, Kind, Map, Node, Pointer, merge, path};
use problems::{
    circle, no_name, no_table, not_a_key, not_relative, nothing_to_remove, too_many,
    too_many_clusters, unread,
};
use toml::de::{DeTable, DeValue};

/// The maximum number of files that extend each other in a row.
const DEEPEST: usize = 8;

/// The maximum number of files that are read for one description, each as often as it is named.
const MOST_FILES: usize = 64;

/// The maximum number of clusters in a description.
const MOST_CLUSTERS: usize = 256;

/// The maximum length of a cluster's name.
const LONGEST_NAME: usize = 63;

/// What stands for the cluster's name in the keys of [`WITH_NAME`].
pub(crate) const PLACEHOLDER: &str = "{cluster}";

/// The keys with paths that must differ between clusters.
pub(crate) const WITH_NAME: [&[&str]; 4] = [
    &PATH,
    &["chart", "bootstrap"],
    &["argocd", "name"],
    &["argocd", "destination", "name"],
];

/// The key with the folder of the namespace.
const PATH: [&str; 2] = ["layout", "path"];

/// The keys that say how a description is put together. They mean nothing to a cluster.
const EXTENDS: &str = "extends";
const REMOVE: &str = "remove";
const CLUSTERS: &str = "clusters";

/// Reads the text of a file that a description extends, by its path relative to the root. The error is the reason why it
/// can't be read, as the end of a sentence.
pub type ReadExtended<'a> = dyn Fn(&str) -> Result<String, String> + 'a;

/// What was read for one cluster.
#[derive(Debug, Default)]
pub struct Description {
    /// The settings of the cluster; `None` if nothing could be read.
    pub cluster: Option<Cluster>,
    /// The merged settings as they were written; `None` if nothing could be read.
    pub tree: Option<Node>,
    /// The names of all clusters that are described; empty if there is only one, without a name.
    pub names: Vec<Text>,
    /// Which values are over which others.
    pub overrides: Overrides,
    /// All mistakes of form.
    pub diagnostics: Vec<Diagnostic>,
}

impl Description {
    /// The folder of the cluster's manifests, as it is written or by default.
    pub fn path(&self) -> Option<&str> {
        path_of(self.tree.as_ref()?)
    }
}

/// Reads the description whose main file is `source`, for the cluster that is `chosen`. Without one, only what all
/// clusters have in common counts.
pub fn read(
    sources: &mut Sources,
    source: SourceId,
    chosen: Option<&str>,
    extended: &ReadExtended<'_>,
) -> Description {
    let name = sources.get(source).name().to_owned();
    let mut reader = Reader::new(sources, source, extended);
    let Some(mut tree) = reader.file(source) else {
        return Description {
            diagnostics: reader.problems,
            ..Description::default()
        };
    };
    let mut names = Vec::new();
    let mut found = None;
    let clusters = reader.take_clusters(&mut tree).into_iter();
    for (name, entry) in clusters.flat_map(Map::into_entries) {
        names.push(Text::new(name.clone(), entry.key_span));
        if chosen == Some(name.as_str()) {
            found = Some((name, entry));
        }
    }
    if let Some((name, entry)) = found {
        tree = reader.cluster(tree, &name, entry);
        place(&mut tree, &name);
    }
    let (cluster, wrong) = decoded::<Cluster>(&tree, reader.sources, &name);
    reader.problems.extend(wrong);
    Description {
        cluster,
        tree: Some(tree),
        names,
        overrides: reader.overrides,
        diagnostics: reader.problems,
    }
}

/// The names of the clusters in the description whose main file is `source`, each with the folder of its manifests as it is
/// written or by default. What is wrong with the description is not told.
pub fn clusters(
    sources: &mut Sources,
    source: SourceId,
    extended: &ReadExtended<'_>,
) -> Vec<(String, String)> {
    let mut reader = Reader::new(sources, source, extended);
    let Some(mut tree) = reader.file(source) else {
        return Vec::new();
    };
    let clusters = reader.take_clusters(&mut tree).into_iter();
    let files = reader.files;
    let places = clusters.flat_map(Map::into_entries).map(|(name, entry)| {
        reader.files = files;
        let mut tree = reader.cluster(tree.clone(), &name, entry);
        place(&mut tree, &name);
        let path = path_of(&tree).unwrap_or_default().to_owned();
        (name, path)
    });
    places.collect()
}

fn path_of(tree: &Node) -> Option<&str> {
    tree.path(&PATH)?.as_str()
}

struct Reader<'a> {
    sources: &'a mut Sources,
    extended: &'a ReadExtended<'a>,
    overrides: Overrides,
    problems: Vec<Diagnostic>,
    /// The files that were read, by name.
    known: Vec<(String, SourceId)>,
    /// The files that are being read: each extends the next one.
    above: Vec<String>,
    /// How many files were read for others.
    files: usize,
    /// Whether a file could not be read, so that it is not known which keys there are.
    has_failed: bool,
}

impl<'a> Reader<'a> {
    fn new(sources: &'a mut Sources, source: SourceId, extended: &'a ReadExtended<'a>) -> Self {
        let name = sources.get(source).name().to_owned();
        Reader {
            sources,
            extended,
            overrides: Overrides::default(),
            problems: Vec::new(),
            above: vec![path::normalise(&name)],
            known: vec![(name, source)],
            files: 0,
            has_failed: false,
        }
    }

    /// The tree of a file, over what it extends. `None` if it is not TOML.
    fn file(&mut self, source: SourceId) -> Option<Node> {
        match tree_of(self.sources, source) {
            Ok((tree, problems)) => {
                self.problems.extend(problems);
                let empty = Node::new(Kind::Map(Map::default()), tree.span);
                Some(self.over(empty, tree))
            }
            Err(problems) => {
                self.problems.extend(problems);
                self.has_failed = true;
                None
            }
        }
    }

    /// Merges a table, and before it the files that it extends, over `base`.
    fn over(&mut self, mut base: Node, mut table: Node) -> Node {
        let extends = take_texts(&mut table, EXTENDS);
        let remove = take_texts(&mut table, REMOVE);
        for text in extends.iter().flat_map(|texts| texts.iter()) {
            match self.named_file(text) {
                Some(tree) => self.overrides.merge(&mut base, tree),
                None => self.has_failed = true,
            }
        }
        for text in remove.iter().flat_map(|texts| texts.iter()) {
            self.take_away(&mut base, text);
        }
        self.overrides.merge(&mut base, table);
        base
    }

    /// The tree of a file that `extends` names.
    fn named_file(&mut self, text: &Text) -> Option<Node> {
        let folder = text.span.map(|span| self.sources.get(span.source).name());
        let folder = folder.map_or("", path::folder).to_owned();
        let name = match is_relative(text) {
            true => path::join(&folder, text),
            false => {
                self.problems.push(not_relative(text));
                return None;
            }
        };
        if self.above.contains(&name) {
            let way = self.above.iter().skip_while(|there| **there != name);
            let mut way: Vec<&str> = way.map(String::as_str).collect();
            way.push(&name);
            self.problems.push(circle(text, &way));
            return None;
        }
        self.files += 1;
        if self.above.len() > DEEPEST || self.files > MOST_FILES {
            self.problems.push(too_many(text));
            return None;
        }
        let known = self.known.iter().find(|(there, _)| *there == name);
        let source = match known.map(|(_, source)| *source) {
            Some(source) => source,
            None => match (self.extended)(&name) {
                Ok(read) => {
                    let source = self.sources.add(&*name, read);
                    self.known.push((name.clone(), source));
                    source
                }
                Err(reason) => {
                    self.problems.push(unread(text, &name, &reason));
                    return None;
                }
            },
        };
        self.above.push(name);
        let tree = self.file(source);
        self.above.pop();
        tree
    }

    /// Removes what a dotted key names.
    fn take_away(&mut self, base: &mut Node, key: &Text) {
        let Some(steps) = steps(key) else {
            self.problems.push(not_a_key(key));
            return;
        };
        let pointer = steps
            .iter()
            .fold(Pointer::root(), |at, step| at.key(step.as_str()));
        if !merge::remove(base, &pointer) && !self.has_failed {
            self.problems.push(nothing_to_remove(key, &steps, base));
        }
    }

    /// Takes the table of all clusters out of a tree; `None` if there are none.
    fn take_clusters(&mut self, tree: &mut Node) -> Option<Map> {
        let map = tree.as_map_mut()?;
        // A wrong type is reported when the tree is decoded.
        map.get(CLUSTERS)?.as_map()?;
        let entry = map.remove(CLUSTERS)?;
        let span = entry.key_span;
        let Kind::Map(clusters) = entry.value.kind else {
            return None;
        };
        if clusters.len() > MOST_CLUSTERS {
            self.problems.push(too_many_clusters(clusters.len(), span));
            return None;
        }
        for (name, entry) in clusters.entries() {
            if !is_name(name) {
                self.problems.push(no_name(name, entry.key_span));
            }
            if entry.value.as_map().is_none() {
                self.problems.push(no_table(name, &entry.value));
            }
        }
        Some(clusters)
    }

    /// Merges what differs for a cluster over what all have in common.
    fn cluster(&mut self, base: Node, name: &str, entry: Entry) -> Node {
        if entry.value.as_map().is_none() {
            return base;
        }
        let mut tree = self.over(base, entry.value);
        let within = tree.as_map_mut().and_then(|map| map.remove(CLUSTERS));
        if let Some(within) = within {
            self.problems.push(
                Diagnostic::new(
                    codes::CONFIG_UNKNOWN_KEY,
                    format!("[clusters.{name}] has no key `{CLUSTERS}`"),
                )
                .at(within.key_span)
                .why("a cluster can't consist of clusters")
                .help("write the table at the top, as `[clusters.NAME]`"),
            );
        }
        tree
    }
}

/// Takes one string or a list of strings out of a table. Anything else stays, and is reported when it is decoded.
fn take_texts(table: &mut Node, key: &str) -> Option<Texts> {
    let map = table.as_map_mut()?;
    let (texts, wrong) = decode::<Texts>(map.get(key)?);
    let texts = texts.filter(|_| wrong.is_empty())?;
    map.remove(key);
    Some(texts)
}

/// Writes the cluster's name where it is asked for, and the default path and name, which differ for each cluster.
fn place(tree: &mut Node, name: &str) {
    let text = |path: &[&str]| tree.path(path).and_then(Node::as_str);
    let namespace = text(&["namespace", "name"]).unwrap_or(DEFAULT_NAMESPACE);
    let folder = format!("kubernetes/{name}/apps/{namespace}");
    let is_argocd = text(&["delivery", "kind"]) == Some(DeliveryKind::ArgoCd.as_str());
    let app = text(&["layout", "app"]).unwrap_or(DEFAULT_APP);
    let application = is_argocd.then(|| format!("{name}-{app}"));
    set_missing(tree, PATH, folder);
    if let Some(application) = application {
        set_missing(tree, ["argocd", "name"], application);
    }
    for path in WITH_NAME {
        let mut at = Some(&mut *tree);
        for key in path {
            let table = at.and_then(Node::as_map_mut);
            at = table.and_then(|table| table.get_mut(key));
        }
        if let Some(node) = at
            && let Kind::String(text) = &mut node.kind
        {
            *text = text.replace(PLACEHOLDER, name);
        }
    }
}

/// Sets a key of a table, unless it is written.
fn set_missing(tree: &mut Node, [table, key]: [&str; 2], text: String) {
    let Some(map) = tree.as_map_mut() else { return };
    if !map.contains_key(table) {
        map.insert(table, Node::new(Kind::Map(Map::default()), None));
    }
    let table = map.get_mut(table).and_then(Node::as_map_mut);
    if let Some(table) = table.filter(|table| !table.contains_key(key)) {
        table.insert(key, Node::string(text));
    }
}

/// The parts of a dotted key, as TOML reads it; `None` if it is none.
fn steps(key: &str) -> Option<Vec<String>> {
    let is_short = key.len() <= 1024 && key.matches('.').count() <= 32;
    if !is_short || key.contains(['\n', '\r', '=', '#']) {
        return None;
    }
    let text = format!("{key} = 0");
    let table = DeTable::parse(&text).ok()?;
    let (mut steps, mut table) = (Vec::new(), table.get_ref());
    loop {
        let (key, value) = table.iter().next()?;
        steps.push(key.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(below) => table = below,
            _ => return Some(steps),
        }
    }
}

fn is_relative(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 1024
        && !text.starts_with(['/', '~'])
        && !text.contains(['\\', ':'])
        && !text.chars().any(char::is_control)
}

/// Whether a name can be that of a folder on every system, and part of a lock's name.
pub(crate) fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    let begins = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= LONGEST_NAME && name.starts_with(begins) && name.chars().all(fits)
}
