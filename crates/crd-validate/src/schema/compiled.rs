//! A compiled file: all versions of one kind, with a table of nodes that they share.
//!
//! The file is JSON with one node a line, so that loading it only parses the first line and finds the positions of
//! the others. A node is parsed when it is used first: EnvoyProxy has 375 nodes, and an object uses a few dozen.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, OnceLock};

use serde::{Deserialize, Serialize};

use super::node::{NodeId, Schema, Type};

/// Whether objects of a kind are namespaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// Its objects are in namespaces.
    Namespaced,
    /// Its objects are cluster-scoped.
    Cluster,
}

/// One version of a kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KindVersion {
    /// `v1`, `v1beta1`.
    pub name: String,
    /// Whether the API server serves it.
    pub served: bool,
    /// Whether objects are stored in it.
    pub storage: bool,
    /// Whether the API server warns about its use.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deprecated: bool,
    /// Whether it has the `status` subresource.
    #[serde(default, skip_serializing_if = "is_false")]
    pub status: bool,
    /// Its schema.
    pub root: NodeId,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes a reference
fn is_false(value: &bool) -> bool {
    !*value
}

/// The facts about a kind as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Header {
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The plural, as in paths of the API.
    pub plural: String,
    /// Whether its objects are namespaced.
    pub scope: Scope,
    /// Its versions, in the order of the CRD.
    pub versions: Vec<KindVersion>,
}

/// Why a text is not a compiled file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text doesn't have the layout that the importer writes.
    #[error("not a compiled schema: {0}")]
    Layout(&'static str),
    /// The first line can't be parsed.
    #[error("the first line of the compiled schema can't be parsed: {0}")]
    Header(serde_json::Error),
    /// A node can't be parsed.
    #[error("node {0} of the compiled schema can't be parsed: {1}")]
    Node(usize, serde_json::Error),
    /// A node refers to one that doesn't come before it.
    #[error("node {0} of the compiled schema refers to node {1}, which does not come before it")]
    Reference(usize, u32),
}

/// The schemas of a kind, parsed as far as they are needed.
#[derive(Debug)]
pub struct Compiled {
    header: Header,
    text: String,
    lines: Vec<(u32, u32)>,
    nodes: Vec<OnceLock<Schema>>,
    /// The number of objects so far, up to [`OFTEN`].
    asked: AtomicUsize,
    /// The nodes without rules on or inside them, once there are enough objects to compute them.
    silent: OnceLock<Vec<bool>>,
}

/// The number of objects of a kind after which it pays to examine its whole schema.
const OFTEN: usize = 50;

const OPEN: &str = ",\"nodes\":[";

impl Compiled {
    /// Parses the first line and finds the others.
    ///
    /// # Errors
    /// If the text is not in the form that `write` gives it. Nodes are not parsed: see `check`.
    pub fn read(text: String) -> Result<Self, Error> {
        let header = header(&text)?;
        let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
        if !rest.ends_with("\n]}\n") && rest != "]}\n" {
            return Err(Error::Layout("its last line doesn't close the nodes"));
        }
        let mut lines = Vec::with_capacity(rest.len() / 100);
        let mut start = first.len() + 1;
        for line in rest.split_inclusive('\n') {
            let end = start + line.trim_end_matches('\n').trim_end_matches(',').len();
            lines.push((offset(start)?, offset(end)?));
            start += line.len();
        }
        lines.pop();
        let nodes = lines.iter().map(|_| OnceLock::new()).collect();
        Ok(Compiled {
            header,
            text,
            lines,
            nodes,
            asked: AtomicUsize::new(0),
            silent: OnceLock::new(),
        })
    }

    /// The facts about the kind as a whole.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The number of nodes.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// The node of the items of a list, also of a list of lists; the node itself if it is not a list.
    pub fn item_of(&self, id: NodeId) -> NodeId {
        let mut id = id;
        while let Some(items) = self.node(id).items {
            id = items;
        }
        id
    }

    /// A node. `check` finds nodes that can't be parsed, in tests for the embedded files and at load
    /// time for the user's own. So none can be missing here; a missing node would allow no fields.
    pub fn node(&self, id: NodeId) -> &Schema {
        static NOTHING: LazyLock<Schema> = LazyLock::new(|| Schema {
            type_: Some(Type::Object),
            ..Schema::default()
        });
        match self.nodes.get(id.0 as usize) {
            Some(cell) => cell.get_or_init(|| {
                self.parse(id.0 as usize)
                    .unwrap_or_else(|_| NOTHING.clone())
            }),
            None => &NOTHING,
        }
    }

    /// Records that an object will be checked. If a kind has many objects, the [silent nodes](Self::is_silent) are
    /// computed.
    pub(crate) fn asked(&self) {
        if self.silent.get().is_none() && self.asked.fetch_add(1, Ordering::Relaxed) >= OFTEN {
            self.silent.get_or_init(|| self.silence());
        }
    }

    /// For each node, whether it has no rules, neither on itself nor inside.
    fn silence(&self) -> Vec<bool> {
        let mut silent: Vec<bool> = Vec::with_capacity(self.node_count());
        for id in (0_u32..).take(self.node_count()) {
            let schema = self.node(NodeId(id));
            // Children come before their parents.
            let is_silent = |child: NodeId| silent.get(child.0 as usize) == Some(&true);
            let all = schema.rules.is_empty() && schema.inside().all(is_silent);
            silent.push(all);
        }
        silent
    }

    /// Whether a node is known to have no rules, neither on itself nor inside.
    pub(crate) fn is_silent(&self, id: NodeId) -> bool {
        if let Some(silent) = self.silent.get() {
            return silent.get(id.0 as usize) == Some(&true);
        }
        let schema = self.node(id);
        schema.rules.is_empty() && schema.inside().next().is_none()
    }

    fn parse(&self, index: usize) -> Result<Schema, serde_json::Error> {
        let line = self.lines.get(index).and_then(|(start, end)| {
            let (start, end) = (usize::try_from(*start).ok()?, usize::try_from(*end).ok()?);
            self.text.get(start..end)
        });
        serde_json::from_str(line.unwrap_or_default())
    }

    /// Parses every node.
    ///
    /// # Errors
    /// If one can't be parsed, or refers to one that doesn't come before it.
    pub(crate) fn check(&self) -> Result<(), Error> {
        for index in 0..self.node_count() {
            let node = self
                .parse(index)
                .map_err(|error| Error::Node(index, error))?;
            if let Some(child) = node.children().find(|child| child.0 as usize >= index) {
                return Err(Error::Reference(index, child.0));
            }
        }
        let mut roots = self.header.versions.iter().map(|version| version.root.0);
        match roots.find(|root| *root as usize >= self.node_count()) {
            Some(root) => Err(Error::Reference(self.node_count(), root)),
            None => Ok(()),
        }
    }
}

/// Parses the first line of a compiled file.
///
/// # Errors
/// If the text is not in the form that `write` gives it.
pub(crate) fn header(text: &str) -> Result<Header, Error> {
    let (first, _) = text
        .split_once('\n')
        .ok_or(Error::Layout("it has a single line"))?;
    let header = first
        .strip_suffix(OPEN)
        .ok_or(Error::Layout("its first line doesn't open the nodes"))?;
    serde_json::from_str(&format!("{header}}}")).map_err(Error::Header)
}

fn offset(at: usize) -> Result<u32, Error> {
    u32::try_from(at).map_err(|_| Error::Layout("it is larger than 4 GiB"))
}

/// The text of a compiled file: the header, then one node a line, given as JSON.
///
/// # Errors
/// If the header can't be written as JSON, which can't happen for headers of this crate.
pub(super) fn write(header: &Header, nodes: &[String]) -> Result<String, serde_json::Error> {
    let header = serde_json::to_string(header)?;
    let header = header.strip_suffix('}').unwrap_or(&header);
    let end = if nodes.is_empty() { "]}\n" } else { "\n]}\n" };
    Ok(format!("{header}{OPEN}\n{}{end}", nodes.join(",\n")))
}
