//! Finds what kustomize refuses after parsing: merges of values that are not maps, values that don't match
//! their tag, and keys in objects that are not strings.

use std::collections::HashMap;

use super::events::{Event, EventKind, Properties};
use super::resolve::{Type, type_of};
use super::token::{Fault, Style, fault, fault_in_object};

/// The prefix of YAML's own tags.
const OWN_TAGS: &str = "tag:yaml.org,2002:";

/// An open map or list.
struct Level {
    is_map: bool,
    /// Whether the next node is a key.
    takes_key: bool,
    /// Whether the next value, or each item, is merged into a map.
    is_merged: bool,
    has_merge: bool,
}

/// What a node is as a key, and in a merge.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Anchored {
    Map,
    List,
    Text,
    /// A plain scalar without a text, which kustomize reads as an empty string if it is a key.
    Nothing,
    Null,
    /// A number, a boolean or a timestamp.
    Other,
}

/// Checks the events of a text.
#[derive(Default)]
pub(super) struct Refused<'a> {
    levels: Vec<Level>,
    /// The anchors, each with what it is on. If a name is there twice, the last one counts.
    anchors: HashMap<&'a str, Anchored>,
    /// The first key that is not a string.
    key: Option<Fault>,
}

impl<'a> Refused<'a> {
    /// Checks the next event.
    pub(super) fn check(&mut self, event: &Event<'a>) -> Result<(), Fault> {
        let at = event.start;
        match &event.kind {
            EventKind::MapEnd | EventKind::ListEnd => {
                self.levels.pop();
                return Ok(());
            }
            EventKind::DocumentStart | EventKind::DocumentEnd | EventKind::End => return Ok(()),
            EventKind::Scalar(properties, text, style) => {
                self.check_tag(properties, text, *style, at)?
            }
            EventKind::Alias(_) | EventKind::ListStart(_) | EventKind::MapStart(_) => {}
        }
        let node = self.node(&event.kind);
        let is_map = node == Anchored::Map;
        if let EventKind::Scalar(properties, ..)
        | EventKind::ListStart(properties)
        | EventKind::MapStart(properties) = &event.kind
        {
            self.anchors
                .extend(properties.anchor.map(|name| (name, node)));
        }
        let depth = self.levels.len();
        let mut merges_items = false;
        if let Some(level) = self.levels.last_mut() {
            let is_key = level.is_map && level.takes_key;
            if !is_key && level.is_merged {
                let is_list = level.is_map && matches!(event.kind, EventKind::ListStart(_));
                if !is_map && !is_list {
                    return fault(
                        "a merge (`<<`) of a value that is not a map, which kustomize refuses",
                        at,
                    );
                }
                merges_items = is_list;
            }
            if level.is_map {
                level.takes_key = !level.takes_key;
                level.is_merged = is_key && is_merge(&event.kind);
            }
            if is_key && !level.is_merged && is_tagged_merge(&event.kind) {
                return fault("a merge (`<<`) with a tag, which kustomize ignores", at);
            }
            if is_key && level.is_merged && std::mem::replace(&mut level.has_merge, true) {
                return fault(
                    "a second merge (`<<`) in one map, which kustomize refuses",
                    at,
                );
            }
            if is_key {
                self.check_key(node, at, depth)?;
            }
        }
        if let EventKind::MapStart(_) | EventKind::ListStart(_) = event.kind {
            let is_map = matches!(event.kind, EventKind::MapStart(_));
            self.levels.push(Level {
                is_map,
                takes_key: is_map,
                is_merged: merges_items,
                has_merge: false,
            });
        }
        Ok(())
    }

    /// What the node of an event is. An unknown alias, which is an error of its own, counts as a text.
    fn node(&self, event: &EventKind<'a>) -> Anchored {
        match event {
            EventKind::MapStart(_) => Anchored::Map,
            EventKind::ListStart(_) => Anchored::List,
            EventKind::Alias(name) => self.anchors.get(name).copied().unwrap_or(Anchored::Text),
            EventKind::Scalar(Properties { tag: Some(tag), .. }, ..) => {
                match tag.strip_prefix(OWN_TAGS) {
                    Some("str" | "merge") => Anchored::Text,
                    Some("null") => Anchored::Null,
                    _ => Anchored::Other,
                }
            }
            EventKind::Scalar(_, text, Style::Plain) if text.is_empty() => Anchored::Nothing,
            EventKind::Scalar(_, text, Style::Plain) => match type_of(text) {
                Type::Text | Type::Merge => Anchored::Text,
                Type::Null => Anchored::Null,
                _ => Anchored::Other,
            },
            _ => Anchored::Text,
        }
    }

    /// Checks that a key is a string. In objects, kustomize refuses numbers and booleans as well, which is
    /// remembered.
    fn check_key(&mut self, key: Anchored, at: usize, depth: usize) -> Result<(), Fault> {
        match key {
            Anchored::Text => Ok(()),
            Anchored::Map => fault("a key that is a map, which kustomize refuses", at),
            Anchored::List => fault("a key that is a list, which kustomize refuses", at),
            Anchored::Null => fault("a key that is null, which kustomize refuses", at),
            Anchored::Nothing => fault(
                "an empty key, which kustomize reads as an empty string, but other programs read as null",
                at,
            ),
            Anchored::Other => {
                // kustomize converts the top-level keys of an object to strings.
                if depth > 1 && self.key.is_none() {
                    let message = "a key that is not a string, which kustomize refuses in objects";
                    self.key = fault_in_object::<()>(message, at).err();
                }
                Ok(())
            }
        }
    }

    /// Checks that a value has the type that its tag names.
    fn check_tag(
        &self,
        properties: &Properties,
        text: &str,
        style: Style,
        at: usize,
    ) -> Result<(), Fault> {
        let Some(tag) = properties.tag.as_deref() else {
            return Ok(());
        };
        let found = type_of(text);
        let is_right = match tag.strip_prefix(OWN_TAGS) {
            Some("null") => found == Type::Null,
            Some("bool") => found == Type::Boolean,
            Some("int") => found == Type::Integer,
            Some("float") => matches!(found, Type::Integer | Type::Float),
            Some("timestamp") => found == Type::Timestamp,
            _ => {
                !(text.is_empty()
                    && style == Style::Plain
                    && (self.levels.is_empty() || tag == "!"))
            }
        };
        if is_right {
            Ok(())
        } else {
            fault("a value that doesn't have the type of its tag", at)
        }
    }

    /// Returns the error that counts only after the whole text was read.
    pub(super) fn finish(self) -> Result<(), Fault> {
        self.key.map_or(Ok(()), Err)
    }
}

/// Whether a key is `<<` with another tag than that of merges.
fn is_tagged_merge(key: &EventKind) -> bool {
    matches!(key, EventKind::Scalar(Properties { tag: Some(tag), .. }, text, Style::Plain) if text == "<<" && tag.strip_prefix(OWN_TAGS) != Some("merge"))
}

/// Whether a key is a merge key.
fn is_merge(key: &EventKind) -> bool {
    match key {
        EventKind::Scalar(Properties { tag: Some(tag), .. }, ..) => {
            tag.strip_prefix(OWN_TAGS) == Some("merge")
        }
        EventKind::Scalar(_, text, style) => *style == Style::Plain && text == "<<",
        _ => false,
    }
}
