//! The types of a diff.

use envoy_gateway::exposure;
use manifest::diagnostic::Sources;
use manifest::value::{Node, Pointer};
use manifest::{self, Document, Identity, Object};

/// A file of one side.
#[derive(Clone, Debug)]
pub struct File {
    /// The path to show.
    pub path: String,
    /// The content of the file.
    pub content: Content,
}

/// The content of a file.
#[derive(Clone, Debug)]
pub enum Content {
    /// Kubernetes objects or other YAML documents.
    Objects(Vec<Object>),
    /// Anything else: a script, a text, or bytes.
    Opaque(Vec<u8>),
}

impl File {
    /// Creates a file from its bytes. It contains objects if its name and its text are those of YAML or JSON,
    /// and is opaque otherwise. (For invalid YAML, a line-by-line diff is the best that can be shown.)
    /// The source positions of the objects are not kept, because the comparison doesn't need them.
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

/// The difference between two sides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diff {
    /// The changes in what is reachable. They are shown first.
    pub exposure: Vec<exposure::Change>,
    /// The objects that differ, sorted by file.
    pub objects: Vec<ObjectDiff>,
    /// The opaque files that differ, sorted by path.
    pub files: Vec<FileDiff>,
}

/// An object that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectDiff {
    /// The identity of the object.
    pub identity: Identity,
    /// The `apiVersion` of the new object, or of the old one if the object was removed.
    pub api_version: String,
    /// The kind of change.
    pub change: Change,
    /// The fields that differ, if the object is on both sides.
    pub fields: Vec<FieldDiff>,
    /// The whole object, with secrets hidden, if it is only on one side.
    pub content: Option<Node>,
}

impl ObjectDiff {
    /// The current file of the object, or its last one if it was removed.
    pub fn file(&self) -> &str {
        match &self.change {
            Change::Added { file } | Change::Removed { file } | Change::Changed { file } => file,
            Change::Moved { to, .. } => to,
        }
    }

    /// The kind, namespace and name. `None` for a document that is no Kubernetes object, such as a helmfile.
    pub fn name(&self) -> Option<String> {
        let name = self.identity.to_string();
        (!name.is_empty()).then_some(name)
    }

    /// The name of the object, else of its file.
    pub fn title(&self) -> String {
        self.name().unwrap_or_else(|| self.file().to_owned())
    }
}

/// The kind of change of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The object is new.
    Added {
        /// The file with the object.
        file: String,
    },
    /// The object was removed.
    Removed {
        /// The file that contained the object.
        file: String,
    },
    /// Some fields differ.
    Changed {
        /// The file with the object.
        file: String,
    },
    /// The object is in another file. Its fields may differ, too.
    Moved {
        /// The previous file.
        from: String,
        /// The new file.
        to: String,
    },
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDiff {
    /// The JSON pointer (RFC 6901) in the new object, or in the old one if the field was removed.
    pub pointer: Pointer,
    /// The path for people: `spec.listeners[https].port`.
    pub path: String,
    /// The kind of change.
    pub change: FieldChange,
}

/// The kind of change of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldChange {
    /// The field is new, with everything below it.
    Added(Value),
    /// The field was removed, with everything below it.
    Removed(Value),
    /// The value of the field differs.
    Changed {
        /// The old value.
        old: Value,
        /// The new value.
        new: Value,
        /// The hunks of a unified diff, if one of the values is a string with several lines.
        lines: Option<String>,
    },
    /// A list has the same entries in a different order. (Other differences in them are reported separately.)
    Reordered {
        /// The entries that are on both sides, in the old order.
        old: Vec<String>,
        /// The same entries in the new order.
        new: Vec<String>,
    },
}

/// A value that may be a secret.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// The value, in which secrets are hidden.
    Shown(Node),
    /// The value is a secret.
    Hidden,
}

/// An opaque file that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct FileDiff {
    /// The path to show.
    pub path: String,
    /// The kind of change.
    pub change: FileChange,
    /// The hunks of a unified diff; `None` if a side is not text, or is hidden.
    pub lines: Option<String>,
    /// Whether the file is not shown because it may contain a Secret.
    pub hidden: bool,
}

/// The kind of change of an opaque file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// The file is new.
    Added,
    /// The file was removed.
    Removed,
    /// The content of the file differs.
    Changed,
}

/// The numbers of changes. Each object is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The number of new objects.
    pub added: usize,
    /// The number of removed objects.
    pub removed: usize,
    /// The number of objects with changed fields, in the same file.
    pub changed: usize,
    /// The number of objects that are in another file, whether or not fields differ.
    pub moved: usize,
    /// The number of changed fields in objects that are on both sides.
    pub fields: usize,
    /// The number of opaque files that differ.
    pub files: usize,
}

impl Diff {
    /// Whether there are no differences.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.files.is_empty()
    }

    /// The numbers of changes.
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
