//! Matches the objects of both sides.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::fields::{self, ListKeys};
use super::model::{Change, Content, Diff, File, FileChange, FileDiff, ObjectDiff};
use super::{secret, text};
use manifest::{Identity, Object};

/// Compares two sides.
/// `keys` returns the keys that identify the entries of a list, if a schema defines them. Other lists are
/// matched as [`lists`](super::lists) describes. The caller adds the changes in exposure, because that needs
/// the other objects of the cluster.
pub fn diff(before: &[File], after: &[File], keys: Option<&ListKeys>) -> Diff {
    Diff {
        exposure: Vec::new(),
        objects: objects(before, after, keys),
        files: files(before, after),
    }
}

/// An object and the path of its file.
type Placed<'a> = (&'a str, &'a Object);

/// The key for matching objects: their identity and, if they have no name, the file.
type Group<'a> = (Identity, Option<&'a str>);

fn objects(before: &[File], after: &[File], keys: Option<&ListKeys>) -> Vec<ObjectDiff> {
    let mut groups: BTreeMap<Group, (Vec<Placed>, Vec<Placed>)> = BTreeMap::new();
    for (group, placed) in placed(before) {
        groups.entry(group).or_default().0.push(placed);
    }
    for (group, placed) in placed(after) {
        groups.entry(group).or_default().1.push(placed);
    }
    let mut objects: Vec<ObjectDiff> = groups
        .into_iter()
        .flat_map(|((identity, _), (old, new))| {
            let pairs = pairs(old, new).into_iter();
            pairs
                .filter_map(move |(old, new)| compare(&identity, old, new, keys))
                .collect::<Vec<_>>()
        })
        .collect();
    // The sort is stable, so that equal objects keep the order of their file.
    objects.sort_by(|a, b| (a.file(), &a.identity).cmp(&(b.file(), &b.identity)));
    objects
}

fn placed(files: &[File]) -> impl Iterator<Item = (Group<'_>, Placed<'_>)> {
    files.iter().flat_map(|file| {
        let objects = match &file.content {
            Content::Objects(objects) => objects.as_slice(),
            Content::Opaque(_) => &[],
        };
        let path = file.path.as_str();
        objects.iter().map(move |object| {
            let identity = object.identity();
            let file = identity.name.is_empty().then_some(path);
            ((identity, file), (path, object))
        })
    })
}

type Pair<'a> = (Option<Placed<'a>>, Option<Placed<'a>>);

/// Matches objects with the same identity. There is more than one only by mistake, or if they have no name.
/// Objects in the same file are matched first, then the rest in their order.
fn pairs<'a>(old: Vec<Placed<'a>>, new: Vec<Placed<'a>>) -> Vec<Pair<'a>> {
    let mut by_file: BTreeMap<&str, (VecDeque<Placed>, VecDeque<Placed>)> = BTreeMap::new();
    for placed in old {
        by_file.entry(placed.0).or_default().0.push_back(placed);
    }
    for placed in new {
        by_file.entry(placed.0).or_default().1.push_back(placed);
    }
    let (mut pairs, mut old, mut new) = (Vec::new(), VecDeque::new(), VecDeque::new());
    for (mut here, mut there) in by_file.into_values() {
        let paired = here.len().min(there.len());
        pairs.extend(
            here.drain(..paired)
                .zip(there.drain(..paired))
                .map(|(old, new)| (Some(old), Some(new))),
        );
        old.extend(here);
        new.extend(there);
    }
    for _ in 0..old.len().max(new.len()) {
        pairs.push((old.pop_front(), new.pop_front()));
    }
    pairs
}

fn compare(
    identity: &Identity,
    old: Option<Placed>,
    new: Option<Placed>,
    keys: Option<&ListKeys>,
) -> Option<ObjectDiff> {
    let mut fields = Vec::new();
    let change = match (old, new) {
        (Some((from, old)), Some((to, new))) => {
            fields = fields::compare(old, new, keys);
            match (from == to, fields.is_empty()) {
                (true, true) => return None,
                (true, false) => Change::Changed {
                    file: to.to_owned(),
                },
                (false, _) => Change::Moved {
                    from: from.to_owned(),
                    to: to.to_owned(),
                },
            }
        }
        (Some((file, _)), None) => Change::Removed {
            file: file.to_owned(),
        },
        (None, Some((file, _))) => Change::Added {
            file: file.to_owned(),
        },
        (None, None) => return None,
    };
    let (_, object) = new.or(old)?;
    let alone = old.is_none() || new.is_none();
    Some(ObjectDiff {
        identity: identity.clone(),
        api_version: object.api_version().to_owned(),
        change,
        fields,
        content: alone.then(|| secret::redact(&object.node)),
    })
}

fn files(before: &[File], after: &[File]) -> Vec<FileDiff> {
    let (old, new): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (opaque(before).collect(), opaque(after).collect());
    let paths: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let differ = paths
        .into_iter()
        .filter(|path| old.get(path) != new.get(path));
    differ
        .map(|path| file(path, old.get(path).copied(), new.get(path).copied()))
        .collect()
}

fn file(path: &str, old: Option<&[u8]>, new: Option<&[u8]>) -> FileDiff {
    let change = match (old, new) {
        (None, _) => FileChange::Added,
        (_, None) => FileChange::Removed,
        _ => FileChange::Changed,
    };
    let texts = std::str::from_utf8(old.unwrap_or_default())
        .ok()
        .zip(std::str::from_utf8(new.unwrap_or_default()).ok());
    let hidden = texts.is_some_and(|(old, new)| secret::may_hold(old) || secret::may_hold(new));
    let lines = texts
        .filter(|_| !hidden)
        .and_then(|(old, new)| text::unified(old, new));
    FileDiff {
        path: path.to_owned(),
        change,
        lines,
        hidden,
    }
}

fn opaque(files: &[File]) -> impl Iterator<Item = (&str, &[u8])> {
    files.iter().filter_map(|file| match &file.content {
        Content::Opaque(bytes) => Some((file.path.as_str(), bytes.as_slice())),
        Content::Objects(_) => None,
    })
}
