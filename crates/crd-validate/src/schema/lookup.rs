//! Finds the schema for an `apiVersion` and a `kind`, or what exists instead.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::catalogue::{Catalogue, Entry};
use super::compiled::{Compiled, KindVersion};
use super::node::{NodeId, Schema, Type};
use super::selection::{Chosen, Reason, Selection};
use super::set::{Set, is_followed};
use manifest::diagnostic::suggest;
use manifest::value::{Pointer, pointer::Step};

/// The projects of which the catalogue has every kind. A kind that is missing in one of their groups doesn't exist. Of
/// the other projects, it has the kinds that are common in repositories of this sort.
const WHOLE_PROJECTS: [&str; 7] = [
    "core",
    "envoy-gateway",
    "external-dns",
    "gateway-api",
    "helm-controller",
    "kustomize-controller",
    "source-controller",
];

/// The schema of a kind in one version.
#[derive(Clone, Copy, Debug)]
pub struct KindSchema<'a> {
    /// The kind with its set.
    pub entry: &'a Entry,
    /// The chosen set.
    pub chosen: &'a Chosen,
    /// All versions of the kind.
    pub compiled: &'a Compiled,
    /// The version.
    pub version: &'a KindVersion,
}

impl<'a> KindSchema<'a> {
    /// A node.
    pub fn node(&self, id: NodeId) -> &'a Schema {
        self.compiled.node(id)
    }

    /// The type of a value, in a word or two.
    pub fn type_in_words(&self, id: NodeId) -> String {
        let node = self.node(id);
        if node.int_or_string {
            return "integer or string".to_owned();
        }
        match (node.type_, node.items) {
            (_, Some(items)) => format!("list of {}", self.type_in_words(items)),
            (Some(Type::Array), None) => "list".to_owned(),
            (Some(Type::Boolean), _) => "boolean".to_owned(),
            (Some(Type::Integer), _) => "integer".to_owned(),
            (Some(Type::Number), _) => "number".to_owned(),
            (Some(Type::Object), _) => "object".to_owned(),
            (Some(Type::String), _) => "string".to_owned(),
            (None, None) => "anything".to_owned(),
        }
    }

    /// Whether there is a field at `pointer`.
    pub fn has(&self, pointer: &Pointer) -> bool {
        find(self.compiled, self.version.root, pointer).is_some()
    }
}

impl KindSchema<'_> {
    /// The keys that identify the items of the list at `pointer` (`x-kubernetes-list-map-keys`); `None` if the schema
    /// has none.
    pub fn list_keys(&self, pointer: &Pointer) -> Option<Vec<String>> {
        let node = self.node(find(self.compiled, self.version.root, pointer)?);
        (!node.list_map_keys.is_empty()).then(|| node.list_map_keys.clone())
    }
}

impl Lookup<'_> {
    /// The version that was looked into, if it is only a guess: none is declared, and the catalogue has only the newest
    /// release of the project, which may differ from the one that the cluster has.
    pub fn guess(&self) -> Option<&Chosen> {
        let (entry, chosen) = match self {
            Lookup::Known(schema) => (Some(schema.entry), schema.chosen),
            Lookup::NotServed { entry, chosen, .. } => (Some(*entry), *chosen),
            Lookup::OtherVersion { chosen, .. } => (None, *chosen),
            Lookup::KindUnknown { .. } | Lookup::Damaged(_) => return None,
        };
        let is_own = entry.is_some_and(|entry| entry.own_path().is_some());
        let is_guess = chosen.reason == Reason::Assumed && !is_followed(&chosen.set.project);
        (is_guess && !is_own).then_some(chosen)
    }
}

/// The result of a look-up.
#[derive(Clone, Debug)]
pub enum Lookup<'a> {
    /// The schema.
    Known(KindSchema<'a>),
    /// The version in force of the project has the kind, but doesn't serve this version of it.
    NotServed {
        /// The kind.
        entry: &'a Entry,
        /// The chosen set.
        chosen: &'a Chosen,
        /// Another version of the project that serves it: the next one, or the last one before.
        elsewhere: Option<&'a Set>,
    },
    /// The version in force of the project doesn't have the kind.
    OtherVersion {
        /// The version in force.
        chosen: &'a Chosen,
        /// The version of the project that has it: the next one, or the last one before.
        elsewhere: &'a Set,
    },
    /// No project has the kind.
    KindUnknown {
        /// The groups that have a kind with this name.
        groups: Vec<&'a str>,
        /// The kinds of the group.
        kinds: Vec<&'a str>,
        /// A known group that differs from this unknown one only by a typing mistake.
        similar_group: Option<&'a str>,
        /// Whether the catalogue has all kinds of the group, so that no cluster has this one.
        is_whole_group: bool,
    },
    /// The file of the catalogue is damaged.
    Damaged(&'a Entry),
}

impl Catalogue {
    /// The schema of `kind` in `version` of `group` for a selection, or what exists instead.
    pub fn look_up<'a>(
        &'a self,
        selection: &'a Selection,
        group: &str,
        version: &str,
        kind: &str,
    ) -> Lookup<'a> {
        let mut not_served = None;
        let mut elsewhere = None;
        for entry in self.of_kind(group, kind) {
            let Some(chosen) = selection.of(&entry.set.project) else {
                continue;
            };
            if chosen.set != entry.set {
                elsewhere = Some(chosen);
            } else if entry.served.iter().any(|served| served == version) {
                return known(entry, chosen, version);
            } else {
                not_served = Some((entry, chosen));
                // What the user imported is what the cluster has, so it takes precedence.
                if entry.set.is_own() {
                    break;
                }
            }
        }
        if let Some((entry, chosen)) = not_served {
            let serves = |it: &&Entry| it.served.iter().any(|served| served == version);
            let elsewhere = self.nearest_set(&chosen.set, group, kind, serves);
            return Lookup::NotServed {
                entry,
                chosen,
                elsewhere,
            };
        }
        let found = elsewhere.and_then(|chosen| {
            let elsewhere = self.nearest_set(&chosen.set, group, kind, |_| true)?;
            Some(Lookup::OtherVersion { chosen, elsewhere })
        });
        found.unwrap_or_else(|| self.unknown(group, version, kind))
    }

    fn unknown(&self, group: &str, version: &str, kind: &str) -> Lookup<'_> {
        let all = || self.entries().iter();
        let mut groups: Vec<&str> = all()
            .filter(|entry| entry.kind == kind)
            .map(|entry| &*entry.group)
            .collect();
        let mut kinds: Vec<&str> = all()
            .filter(|entry| entry.group == group)
            .map(|entry| &*entry.kind)
            .collect();
        for list in [&mut groups, &mut kinds] {
            list.sort_unstable();
            list.dedup();
        }
        let known = || {
            let groups: BTreeSet<&str> = all().map(|entry| &*entry.group).collect();
            groups.into_iter()
        };
        let similar = match kinds.is_empty() {
            true => suggest::misspelt(group, known()),
            false => None,
        };
        // Kubernetes itself has only `v1` without a group, but other tools name the versions of their files like that.
        let is_of_another_tool = group.is_empty() && version != "v1" && groups.is_empty();
        let is_whole_group = !is_of_another_tool
            && all()
                .filter(|entry| entry.group == group)
                .any(|entry| WHOLE_PROJECTS.contains(&entry.set.project.as_str()));
        Lookup::KindUnknown {
            groups,
            kinds,
            similar_group: similar,
            is_whole_group,
        }
    }

    /// The nearest set of the same project with a kind that fits: another channel of the same version, else the next
    /// version, else the last one before.
    fn nearest_set<'a>(
        &'a self,
        from: &Set,
        group: &str,
        kind: &str,
        fits: impl Fn(&&'a Entry) -> bool,
    ) -> Option<&'a Set> {
        let mut others: Vec<&Entry> = self
            .of_kind(group, kind)
            .filter(|it| it.set.project == from.project && it.set != *from)
            .collect();
        others.sort_by(|one, other| order(&one.set, &other.set, from));
        others.into_iter().find(fits).map(|entry| &entry.set)
    }

    /// The nearest version of the project that has the field at `pointer` in this kind: the next one, else another
    /// channel of the same version, else the last one before.
    pub(crate) fn field_elsewhere(
        &self,
        schema: &KindSchema<'_>,
        pointer: &Pointer,
    ) -> Option<&Set> {
        self.node_elsewhere(schema, pointer, |_| true)
    }

    /// The nearest version of the project that allows `value` for the field at `pointer`, which this one doesn't. The
    /// order is that of [`field_elsewhere`](Self::field_elsewhere).
    pub(crate) fn value_elsewhere(
        &self,
        schema: &KindSchema<'_>,
        pointer: &Pointer,
        value: &serde_json::Value,
    ) -> Option<&Set> {
        self.node_elsewhere(schema, pointer, |node| node.enumeration.contains(value))
    }

    fn node_elsewhere(
        &self,
        schema: &KindSchema<'_>,
        pointer: &Pointer,
        fits: impl Fn(&Schema) -> bool,
    ) -> Option<&Set> {
        let entry = schema.entry;
        self.nearest_set(&entry.set, &entry.group, &entry.kind, |other| {
            other.compiled().is_some_and(|compiled| {
                let versions = &compiled.header().versions;
                let same = versions.iter().find(|it| it.name == schema.version.name);
                let version = same.or(versions.iter().rfind(|it| it.served));
                let node = version.and_then(|it| find(compiled, it.root, pointer));
                node.is_some_and(|id| fits(compiled.node(id)))
            })
        })
    }
}

fn known<'a>(entry: &'a Entry, chosen: &'a Chosen, version: &str) -> Lookup<'a> {
    let schema = entry.compiled().and_then(|compiled| {
        let mut versions = compiled.header().versions.iter();
        Some(KindSchema {
            entry,
            chosen,
            compiled,
            version: versions.find(|it| it.name == version)?,
        })
    });
    schema.map_or(Lookup::Damaged(entry), Lookup::Known)
}

/// The order of two sets among the alternatives to `from`, the better one first: later versions in the same channel, the
/// earliest first; another channel of the same version; later versions in another channel; earlier versions, the latest first.
fn order(one: &Set, other: &Set, from: &Set) -> Ordering {
    let rank = |set: &Set| match set.version.cmp(&from.version) {
        Ordering::Greater if set.channel == from.channel => 0,
        Ordering::Equal => 1,
        Ordering::Greater => 2,
        Ordering::Less => 3,
    };
    let by_version = one.version.cmp(&other.version);
    let by_version = match one.version < from.version {
        true => by_version.reverse(),
        false => by_version,
    };
    let is_other_channel = |set: &Set| set.channel != from.channel;
    rank(one)
        .cmp(&rank(other))
        .then(by_version)
        .then(is_other_channel(one).cmp(&is_other_channel(other)))
}

/// The node of the field at `pointer`, if the schema has it.
fn find(compiled: &Compiled, root: NodeId, pointer: &Pointer) -> Option<NodeId> {
    pointer.steps().iter().try_fold(root, |id, step| {
        let node = compiled.node(id);
        match step {
            Step::Key(key) => node.child(key),
            Step::Index(_) => node.items,
        }
    })
}
