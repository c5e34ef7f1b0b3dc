//! All available schemas: those in the binary, and the user's own.

use std::borrow::Cow;
use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::compiled::{self, Compiled};
use super::embedded::{self, Packed};
use super::files::{self, Input};
use super::import::Keep;
use super::lock::{Lock, Locked, sha256};
use super::set::Set;
use super::values::ValuesSchema;
use super::version::Version;
use manifest::diagnostic::Diagnostic;
use manifest::value::{Pointer, pointer::Step};

/// The schemas of one kind in one set.
#[derive(Debug)]
pub struct Entry {
    /// The set that it belongs to.
    pub set: Set,
    /// The API group; empty for the core group.
    pub group: Cow<'static, str>,
    /// The kind.
    pub kind: Cow<'static, str>,
    /// The versions in which the kind is served.
    pub served: Vec<Cow<'static, str>>,
    source: Source,
    compiled: OnceLock<Option<Compiled>>,
}

/// Where a compiled file comes from.
#[derive(Debug)]
enum Source {
    Embedded(&'static Packed),
    Own {
        path: String,
        sha256: String,
        text: String,
    },
}

impl Entry {
    fn embedded(packed: &'static Packed) -> Self {
        Entry {
            set: Set::new(packed.project, packed.version, packed.channel),
            group: Cow::Borrowed(packed.group),
            kind: Cow::Borrowed(packed.kind),
            served: packed.served.iter().copied().map(Cow::Borrowed).collect(),
            source: Source::Embedded(packed),
            compiled: OnceLock::new(),
        }
    }

    /// The schemas, unpacked at the first call; `None` if the file doesn't match its hash.
    pub fn compiled(&self) -> Option<&Compiled> {
        let read = || match &self.source {
            Source::Embedded(packed) => Compiled::read(packed.unpack()?).ok(),
            Source::Own {
                sha256: listed,
                text,
                ..
            } => {
                let is_listed = sha256(text.as_bytes()) == *listed;
                Compiled::read(is_listed.then(|| text.clone())?).ok()
            }
        };
        self.compiled.get_or_init(read).as_ref()
    }

    /// Whether the kind has a field in one of its versions, or else in the newest one that is served. Lists in `pointer` have no
    /// indices.
    pub fn has_field(&self, version: &str, pointer: &Pointer) -> bool {
        self.compiled().is_some_and(|compiled| {
            let versions = &compiled.header().versions;
            let same = versions.iter().find(|it| it.name == version);
            let Some(version) = same.or(versions.iter().rfind(|it| it.served)) else {
                return false;
            };
            let found = pointer
                .steps()
                .iter()
                .try_fold(version.root, |id, step| match step {
                    Step::Key(key) => compiled.node(compiled.item_of(id)).child(key),
                    Step::Index(_) => Some(compiled.item_of(id)),
                });
            found.is_some()
        })
    }

    /// The user's file that it was read from, relative to their `schemas` folder; `None` if it is in the binary.
    pub(crate) fn own_path(&self) -> Option<&str> {
        match &self.source {
            Source::Embedded(_) => None,
            Source::Own { path, .. } => Some(path),
        }
    }

    /// Whether it is for `kind` of `group`.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }
}

/// All available schemas.
#[derive(Debug)]
pub struct Catalogue {
    entries: Vec<Entry>,
    /// The indices of the entries of each kind, in any group, once they are needed.
    by_kind: OnceLock<FxHashMap<String, Vec<usize>>>,
    /// The schemas of Helm charts' values.
    values: Vec<ValuesSchema>,
}

impl Catalogue {
    /// The catalogue of the binary.
    pub fn embedded() -> Self {
        let entries = embedded::files().iter().map(Entry::embedded).collect();
        Catalogue {
            entries,
            by_kind: OnceLock::new(),
            values: Vec::new(),
        }
    }

    /// A catalogue without schemas.
    pub fn empty() -> Self {
        Catalogue {
            entries: Vec::new(),
            by_kind: OnceLock::new(),
            values: Vec::new(),
        }
    }

    /// Adds a kind of the user's own, with the text of a compiled file and its entry in the list. It takes precedence
    /// over other schemas of the kind. The hash of the text is checked when it is used first.
    ///
    /// # Errors
    /// If the text is not a compiled file, or a part of it can't be parsed.
    pub fn add(&mut self, listed: &Locked, text: String) -> Result<(), compiled::Error> {
        let read = Compiled::read(text.clone())?;
        read.check()?;
        let header = read.header().clone();
        let served = header.versions.into_iter().filter(|version| version.served);
        let entry = Entry {
            set: listed.set(),
            group: Cow::Owned(header.group),
            kind: Cow::Owned(header.kind),
            served: served.map(|version| Cow::Owned(version.name)).collect(),
            source: Source::Own {
                path: listed.path.clone(),
                sha256: listed.sha256.clone(),
                text,
            },
            compiled: OnceLock::new(),
        };
        self.entries.insert(0, entry);
        self.by_kind = OnceLock::new();
        Ok(())
    }

    /// Adds the CustomResourceDefinitions in a text, with their own messages. They take precedence over other schemas of their
    /// kinds, whatever versions are declared. Returns what could not be read; everything else is added.
    pub fn add_crds(&mut self, text: &str) -> Vec<Diagnostic> {
        let input = Input {
            path: "definitions.yaml".to_owned(),
            text: text.to_owned(),
            set: Some(Set::own()),
        };
        let Ok(imported) = files::import(&[input], Lock::default(), Keep::Messages) else {
            return Vec::new();
        };
        let mut files = imported.files;
        let list = files
            .pop()
            .and_then(|(_, list)| String::from_utf8(list).ok());
        let list = list
            .and_then(|list| Lock::parse(&list).ok())
            .unwrap_or_default();
        for (path, text) in files {
            if let (Some(listed), Ok(text)) = (list.get(&path), String::from_utf8(text)) {
                // It was just compiled, so it can be parsed.
                let _ = self.add(listed, text);
            }
        }
        imported.problems
    }

    /// Adds the schema of the values of a Helm chart.
    pub fn add_values(&mut self, schema: ValuesSchema) {
        self.values.push(schema);
    }

    /// The schema of the values of a Helm chart: that of the version, else that of the nearest version.
    pub fn values_of(&self, chart: &str, version: Option<&str>) -> Option<&ValuesSchema> {
        let version = Version::new(version.unwrap_or_default());
        let of_chart = self.values.iter().filter(|it| it.chart == chart);
        of_chart.min_by_key(|it| it.version.distance(&version))
    }

    /// All kinds of all sets.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries of a kind in all sets, in the order of [`entries`](Self::entries).
    pub(crate) fn of_kind(&self, group: &str, kind: &str) -> impl Iterator<Item = &Entry> {
        let by_kind = self.by_kind.get_or_init(|| {
            let mut by_kind: FxHashMap<String, Vec<usize>> = FxHashMap::default();
            for (at, entry) in self.entries.iter().enumerate() {
                let places = by_kind.entry(entry.kind.to_string()).or_default();
                places.push(at);
            }
            by_kind
        });
        let places = by_kind.get(kind).map_or(&[][..], Vec::as_slice);
        let entries = places.iter().filter_map(|at| self.entries.get(*at));
        entries.filter(move |entry| entry.group == group)
    }

    /// The projects, in alphabetical order.
    pub fn projects(&self) -> Vec<&str> {
        let mut projects: Vec<&str> = self.sets().map(|set| set.project.as_str()).collect();
        projects.sort_unstable();
        projects.dedup();
        projects
    }

    /// The versions of a project, oldest first.
    pub fn versions(&self, project: &str) -> Vec<&Version> {
        let of_project = self.sets().filter(|set| set.project == project);
        let mut versions: Vec<&Version> = of_project.map(|set| &set.version).collect();
        versions.sort_unstable();
        versions.dedup();
        versions
    }

    /// The channels of a project's version, in alphabetical order; empty if it has no channels.
    pub(crate) fn channels(&self, project: &str, version: &Version) -> Vec<&str> {
        let of_version = self
            .sets()
            .filter(|set| set.project == project && set.version == *version);
        let mut channels: Vec<&str> = of_version
            .filter_map(|set| set.channel.as_deref())
            .collect();
        channels.sort_unstable();
        channels.dedup();
        channels
    }

    fn sets(&self) -> impl Iterator<Item = &Set> {
        self.entries.iter().map(|entry| &entry.set)
    }
}
