//! What a difference is.

use envoy_gateway::exposure;
use manifest::diagnostic::Sources;
use manifest::value::{Node, Pointer};
use manifest::{self, Document, Identity, Object};

/// One file of a side.
#[derive(Clone, Debug)]
pub struct File {
    /// The path as shown.
    pub path: String,
    /// What it holds.
    pub content: Content,
}

/// What a file holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// Documents.
    Objects(Vec<Object>),
    /// Anything else: a script, a text, bytes.
    Opaque(Vec<u8>),
}

impl File {
    /// A file by its bytes: objects where its name and its text are YAML's or JSON's, else opaque. (Of
    /// broken YAML a difference of lines says more than none.)
    ///
    /// The objects' places are of no use: nothing here asks for them.
    pub fn read(path: impl Into<String>, bytes: Vec<u8>) -> Self {
        let path = path.into();
        let content = objects(&path, &bytes).map_or(Content::Opaque(bytes), Content::Objects);
        File { path, content }
    }
}

fn objects(path: &str, bytes: &[u8]) -> Option<Vec<Object>> {
    let (_, extension) = path.rsplit_once('.')?;
    if !["yaml", "yml", "json"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
    {
        return None;
    }
    let mut sources = Sources::default();
    let id = sources.add(path, std::str::from_utf8(bytes).ok()?);
    let (documents, problems) = manifest::read(&sources, id);
    let object = |document: Document| Object::new(document.node, path);
    problems
        .is_empty()
        .then(|| documents.into_iter().map(object).collect())
}

/// The difference of two sides, by file and then by object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff {
    /// What the difference exposes, or no longer does; told before all else.
    pub exposure: Vec<exposure::Change>,
    /// The objects that differ.
    pub objects: Vec<ObjectDiff>,
    /// The opaque files that differ.
    pub files: Vec<FileDiff>,
}

/// An object that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectDiff {
    /// What it is the same as.
    pub identity: Identity,
    /// `apiVersion`, after the change where it is still there.
    pub api_version: String,
    /// What became of it.
    pub change: Change,
    /// The fields that differ, of one that is on both sides.
    pub fields: Vec<FieldDiff>,
    /// The whole object, of one that is on one side only; secrets are hidden.
    pub content: Option<Node>,
}

impl ObjectDiff {
    /// The file that it is in, or was in.
    pub fn file(&self) -> &str {
        match &self.change {
            Change::Added { file } | Change::Removed { file } | Change::Changed { file } => file,
            Change::Moved { to, .. } => to,
        }
    }
}

/// What became of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added {
        /// The file that it is in.
        file: String,
    },
    /// It is gone.
    Removed {
        /// The file that it was in.
        file: String,
    },
    /// Fields differ.
    Changed {
        /// The file that it is in.
        file: String,
    },
    /// It is in another file; fields may differ, too.
    Moved {
        /// The file that it was in.
        from: String,
        /// The file that it is in.
        to: String,
    },
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDiff {
    /// The path as RFC 6901 has it: in the object after the change; in the one before, of what is removed.
    pub pointer: Pointer,
    /// The path as people read it: `spec.listeners[https].port`.
    pub path: String,
    /// What became of it.
    pub change: FieldChange,
}

/// What became of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldChange {
    /// It is new, with all that is below it.
    Added(Value),
    /// It is gone, with all that is below it.
    Removed(Value),
    /// It has another value.
    Changed {
        /// Before.
        old: Value,
        /// After.
        new: Value,
        /// The hunks of a unified diff, where either is a text of several lines.
        lines: Option<String>,
    },
    /// A list has the same entries in another order. (What else is different about them is said apart.)
    Reordered {
        /// The entries that are on both sides, in the order before.
        old: Vec<String>,
        /// The same in the order after.
        new: Vec<String>,
    },
}

/// A value that may be a secret.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The value; secrets within it are hidden.
    Shown(Node),
    /// A secret.
    Hidden,
}

/// An opaque file that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct FileDiff {
    /// The path as shown.
    pub path: String,
    /// What became of it.
    pub change: FileChange,
    /// The hunks of a unified diff; `None` where a side is no text, or hidden.
    pub lines: Option<String>,
    /// Whether it is not shown since it may hold a Secret.
    pub hidden: bool,
}

/// What became of an opaque file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It holds something else.
    Changed,
}

/// A difference in numbers. Each object counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Objects that are new.
    pub added: usize,
    /// Objects that are gone.
    pub removed: usize,
    /// Objects of which fields differ, in the same file.
    pub changed: usize,
    /// Objects that are in another file, whether fields differ or not.
    pub moved: usize,
    /// Fields that differ, of objects that are on both sides.
    pub fields: usize,
    /// Opaque files that differ.
    pub files: usize,
}

impl Diff {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.files.is_empty()
    }

    /// The difference in numbers.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary {
            files: self.files.len(),
            ..Summary::default()
        };
        for object in &self.objects {
            summary.fields += object.fields.len();
            match object.change {
                Change::Added { .. } => summary.added += 1,
                Change::Removed { .. } => summary.removed += 1,
                Change::Changed { .. } => summary.changed += 1,
                Change::Moved { .. } => summary.moved += 1,
            }
        }
        summary
    }
}
