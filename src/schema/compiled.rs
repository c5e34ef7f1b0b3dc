//! A compiled file: one kind with all its versions, and the table of nodes that they share.
//!
//! The file is JSON with a node a line, so that reading it takes the first line and the places of the
//! others; a node is parsed when a walk first comes to it. EnvoyProxy has 375, an object reaches a few dozen.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, OnceLock};

use serde::{Deserialize, Serialize};

use super::node::{NodeId, Schema, Type};

/// Whether objects of a kind live in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// In a namespace.
    Namespaced,
    /// In the cluster.
    Cluster,
}

/// One version of a kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KindVersion {
    /// `v1`, `v1beta1`.
    pub name: String,
    /// Whether the API server answers for it.
    pub served: bool,
    /// Whether objects are stored in it.
    pub storage: bool,
    /// Whether the API server warns of it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deprecated: bool,
    /// Whether it has a status of its own (the `status` subresource).
    #[serde(default, skip_serializing_if = "is_false")]
    pub status: bool,
    /// Its schema.
    pub root: NodeId,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde passes a reference
fn is_false(value: &bool) -> bool {
    !*value
}

/// What a compiled file says of its kind as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Header {
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The plural, as in paths of the API.
    pub plural: String,
    /// Where its objects live.
    pub scope: Scope,
    /// Its versions, in the order of the CRD.
    pub versions: Vec<KindVersion>,
}

/// Why a text is no compiled file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is not laid out as the importer writes it.
    #[error("not a compiled schema: {0}")]
    Layout(&'static str),
    /// The first line can't be read.
    #[error("the first line of the compiled schema can't be read: {0}")]
    Header(serde_json::Error),
    /// A node can't be read.
    #[error("node {0} of the compiled schema can't be read: {1}")]
    Node(usize, serde_json::Error),
    /// A node refers to one that does not come before it.
    #[error("node {0} of the compiled schema refers to node {1}, which does not come before it")]
    Reference(usize, u32),
}

/// A kind's schemas, parsed as far as anybody asked.
#[derive(Debug)]
pub struct Compiled {
    header: Header,
    text: String,
    lines: Vec<(u32, u32)>,
    nodes: Vec<OnceLock<Schema>>,
    /// How many objects were looked at, up to [`OFTEN`].
    asked: AtomicUsize,
    /// Which nodes have no rules on or inside them, once that is worth knowing.
    silent: OnceLock<Vec<bool>>,
}

/// How many objects of a kind are looked at, before it pays to look at all of its schema.
const OFTEN: usize = 50;

const OPEN: &str = ",\"nodes\":[";

impl Compiled {
    /// Reads the first line and finds the others.
    ///
    /// # Errors
    /// If the text is not as [`write`] makes it. Nodes are not looked at: see [`check`](Self::check).
    pub fn read(text: String) -> Result<Self, Error> {
        let header = header(&text)?;
        let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
        if !rest.ends_with("\n]}\n") && rest != "]}\n" {
            return Err(Error::Layout("its last line does not close the nodes"));
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

    /// What the file says of its kind as a whole.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// A node. [`check`](Self::check) finds those that can't be read beforehand, in the tests for what is embedded and
    /// at load for a user's own. None can be missing here, then; one that were allows no field.
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

    /// Says that an object will be looked at: of a kind that many objects are of, it is worth knowing
    /// [which nodes are silent](Self::is_silent) all the way down.
    pub fn asked(&self) {
        if self.silent.get().is_none() && self.asked.fetch_add(1, Ordering::Relaxed) >= OFTEN {
            self.silent.get_or_init(|| self.silence());
        }
    }

    /// Of each node, whether no rule stands on it, nor on any inside it.
    fn silence(&self) -> Vec<bool> {
        let mut silent: Vec<bool> = Vec::with_capacity(self.len());
        for id in (0_u32..).take(self.len()) {
            let schema = self.node(NodeId(id));
            // Children come before their parents.
            let is_silent = |child: NodeId| silent.get(child.0 as usize) == Some(&true);
            let all = schema.rules.is_empty() && schema.inside().all(is_silent);
            silent.push(all);
        }
        silent
    }

    /// Whether it is known that no rule stands on a node, nor on any inside it.
    pub fn is_silent(&self, id: NodeId) -> bool {
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

    /// Reads every node.
    ///
    /// # Errors
    /// If one can't be read, or refers to one that does not come before it.
    pub fn check(&self) -> Result<(), Error> {
        for index in 0..self.len() {
            let node = self
                .parse(index)
                .map_err(|error| Error::Node(index, error))?;
            if let Some(child) = node.children().find(|child| child.0 as usize >= index) {
                return Err(Error::Reference(index, child.0));
            }
        }
        let mut roots = self.header.versions.iter().map(|version| version.root.0);
        match roots.find(|root| *root as usize >= self.len()) {
            Some(root) => Err(Error::Reference(self.len(), root)),
            None => Ok(()),
        }
    }
}

/// What the first line of a compiled file says.
///
/// # Errors
/// If the text is not as [`write`] makes it.
pub fn header(text: &str) -> Result<Header, Error> {
    let (first, _) = text
        .split_once('\n')
        .ok_or(Error::Layout("it has a single line"))?;
    let header = first
        .strip_suffix(OPEN)
        .ok_or(Error::Layout("its first line does not open the nodes"))?;
    serde_json::from_str(&format!("{header}}}")).map_err(Error::Header)
}

fn offset(at: usize) -> Result<u32, Error> {
    u32::try_from(at).map_err(|_| Error::Layout("it is larger than 4 GiB"))
}

/// The text of a compiled file: the header, then a node a line, given as JSON.
///
/// # Errors
/// If the header can't be JSON, which none that this crate makes can't.
pub(super) fn write(header: &Header, nodes: &[String]) -> Result<String, serde_json::Error> {
    let header = serde_json::to_string(header)?;
    let header = header.strip_suffix('}').unwrap_or(&header);
    let end = if nodes.is_empty() { "]}\n" } else { "\n]}\n" };
    Ok(format!("{header}{OPEN}\n{}{end}", nodes.join(",\n")))
}
