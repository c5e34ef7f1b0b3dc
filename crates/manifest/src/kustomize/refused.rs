//! What kustomize refuses of a text that it has read: merges of what is no map, values that are not of their tag, and,
//! in an object, keys that are no texts.

use super::events::{Event, Properties, What};
use super::resolve::{Type, type_of};
use super::token::{Fault, Style, fault, fault_in_object};

/// What goes before the names of YAML's own tags.
const OWN_TAGS: &str = "tag:yaml.org,2002:";

/// A map or list that is open.
struct Level {
    is_map: bool,
    /// Whether a key comes next.
    takes_key: bool,
    /// Whether the next value, or each item, is merged into a map.
    is_merged: bool,
    has_merge: bool,
}

/// Goes through the events of a text.
#[derive(Default)]
pub(super) struct Refused<'a> {
    levels: Vec<Level>,
    /// The anchors, and whether each is a map's.
    anchors: Vec<(&'a str, bool)>,
    /// The first key that is no text.
    key: Option<Fault>,
}

impl<'a> Refused<'a> {
    /// Checks the next event.
    pub(super) fn check(&mut self, event: &Event<'a>) -> Result<(), Fault> {
        let at = event.start;
        match &event.what {
            What::MapEnd | What::ListEnd => {
                self.levels.pop();
                return Ok(());
            }
            What::DocumentStart | What::DocumentEnd | What::End => return Ok(()),
            What::Scalar(properties, text, style) => {
                self.check_tag(properties, text, *style, at)?
            }
            What::Alias(_) | What::ListStart(_) | What::MapStart(_) => {}
        }
        let is_map = match &event.what {
            What::MapStart(_) => true,
            What::Alias(name) => self
                .anchors
                .iter()
                .rev()
                .any(|(anchor, is_map)| anchor == name && *is_map),
            _ => false,
        };
        if let What::Scalar(properties, ..)
        | What::ListStart(properties)
        | What::MapStart(properties) = &event.what
        {
            self.anchors
                .extend(properties.anchor.map(|name| (name, is_map)));
        }
        let depth = self.levels.len();
        let mut merges_items = false;
        if let Some(level) = self.levels.last_mut() {
            let is_key = level.is_map && level.takes_key;
            if !is_key && level.is_merged {
                let is_list = level.is_map && matches!(event.what, What::ListStart(_));
                if !is_map && !is_list {
                    return fault(
                        "a merge (`<<`) of what is no map, which kustomize refuses",
                        at,
                    );
                }
                merges_items = is_list;
            }
            if level.is_map {
                level.takes_key = !level.takes_key;
                level.is_merged = is_key && is_merge(&event.what);
            }
            if is_key && !level.is_merged && is_tagged_merge(&event.what) {
                return fault("a merge (`<<`) with a tag, which kustomize leaves out", at);
            }
            if is_key && level.is_merged && std::mem::replace(&mut level.has_merge, true) {
                return fault(
                    "a second merge (`<<`) in one map, which kustomize refuses",
                    at,
                );
            }
            if is_key {
                self.check_key(event, depth);
            }
        }
        if let What::MapStart(_) | What::ListStart(_) = event.what {
            let is_map = matches!(event.what, What::MapStart(_));
            self.levels.push(Level {
                is_map,
                takes_key: is_map,
                is_merged: merges_items,
                has_merge: false,
            });
        }
        Ok(())
    }

    /// Notes a key that is no text.
    fn check_key(&mut self, event: &Event<'a>, depth: usize) {
        let is_text = match &event.what {
            What::Scalar(Properties { tag: Some(tag), .. }, ..) => {
                matches!(tag.strip_prefix(OWN_TAGS), Some("str" | "merge"))
            }
            What::Scalar(_, text, Style::Plain) => {
                matches!(type_of(text), Type::Text | Type::Merge)
            }
            What::Scalar(..) | What::Alias(_) => true,
            _ => false,
        };
        // kustomize makes texts of the keys of the object itself.
        if !is_text && depth > 1 && self.key.is_none() {
            let message = "a key that is no text: kustomize refuses an object with it";
            self.key = fault_in_object::<()>(message, event.start).err();
        }
    }

    /// Checks that a value is of the type that its tag names.
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
            fault("a value that is not of the type that its tag names", at)
        }
    }

    /// What only counts once all was seen.
    pub(super) fn finish(self) -> Result<(), Fault> {
        self.key.map_or(Ok(()), Err)
    }
}

/// Whether a key is `<<` with some other tag than that of merges.
fn is_tagged_merge(key: &What) -> bool {
    matches!(key, What::Scalar(Properties { tag: Some(tag), .. }, text, Style::Plain) if text == "<<" && tag.strip_prefix(OWN_TAGS) != Some("merge"))
}

/// Whether a key is `<<`.
fn is_merge(key: &What) -> bool {
    match key {
        What::Scalar(Properties { tag: Some(tag), .. }, ..) => {
            tag.strip_prefix(OWN_TAGS) == Some("merge")
        }
        What::Scalar(_, text, style) => *style == Style::Plain && text == "<<",
        _ => false,
    }
}
