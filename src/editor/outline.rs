//! The keys and values of a text, as far as it is written.

use std::ops::Range;

use manifest::value::Pointer;
use manifest::value::pointer::Step;

/// A key, or an item of a list, with its value if that is a scalar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The path of the value.
    pub pointer: Pointer,
    /// The bytes of the key, with quotes; `None` for an item of a list.
    pub key: Option<Range<usize>>,
    /// The bytes of the value, with quotes, if it is a scalar on one line.
    pub value: Option<Range<usize>>,
}

/// A document: all of a file, or one of several in it.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    /// The bytes of the document in its file.
    pub range: Range<usize>,
    /// Its keys and items, in the order of the text.
    pub entries: Vec<Entry>,
}

/// The place where somebody types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The map whose key is typed, or the list item whose value or first key is typed.
    pub container: Pointer,
    /// The key of `container` whose value is typed; `None` if the key itself is typed.
    pub key: Option<String>,
    /// The bytes of the word that is typed, with quotes.
    pub word: Range<usize>,
}

impl Cursor {
    /// The path of the value that is typed; of the map if its key is typed.
    pub fn pointer(&self) -> Pointer {
        match &self.key {
            Some(key) => self.container.key(key.clone()),
            None => self.container.clone(),
        }
    }
}

impl Entry {
    /// The bytes of the key or the value that contains a byte, or that ends there.
    pub fn part_at(&self, at: usize) -> Option<&Range<usize>> {
        let parts = self.key.iter().chain(&self.value);
        parts
            .into_iter()
            .find(|range| range.start <= at && at <= range.end)
    }

    /// Whether a byte is in the value.
    pub fn has_value_at(&self, at: usize) -> bool {
        let range = self.value.as_ref();
        range.is_some_and(|range| range.start <= at && at <= range.end)
    }
}

impl Outline {
    /// The entry whose key or value contains a byte. Of two that touch, the later one counts.
    pub fn entry_at(&self, at: usize) -> Option<&Entry> {
        let mut entries = self.entries.iter().rev();
        entries.find(|entry| entry.part_at(at).is_some())
    }

    /// The text of the scalar at a pointer, without quotes.
    pub fn value(&self, text: &str, pointer: &Pointer) -> Option<String> {
        let mut entries = self.entries.iter();
        let entry = entries.find(|entry| entry.pointer == *pointer && entry.value.is_some())?;
        Some(unquoted(text.get(entry.value.clone()?)?).to_owned())
    }

    /// The keys of the map at a pointer.
    pub fn keys_of(&self, pointer: &Pointer) -> Vec<&str> {
        let depth = pointer.steps().len();
        let keys = self.entries.iter().filter_map(|entry| {
            let steps = entry.pointer.steps();
            match steps.split_at_checked(depth)? {
                (above, [Step::Key(key)]) if above == pointer.steps() => Some(key.as_str()),
                _ => None,
            }
        });
        keys.collect()
    }

    /// The pointer of the object that contains a value: the nearest above it with an `apiVersion` and a `kind`.
    pub fn object_above(&self, pointer: &Pointer) -> Option<Pointer> {
        let has = |object: &Pointer, key: &str| {
            let wanted = object.key(key);
            self.entries.iter().any(|entry| entry.pointer == wanted)
        };
        let depths = (0..=pointer.steps().len()).rev();
        depths
            .map(|depth| pointer.start(depth))
            .find(|object| has(object, "apiVersion") && has(object, "kind"))
    }
}

/// The text of a scalar without its quotes.
pub fn unquoted(written: &str) -> &str {
    let inner = |quote: char| written.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(written)
}

/// The bytes of the word around a byte: `before` gives its start, and it ends where no more of it follows.
pub(super) fn word_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let is_part = |c: char| c.is_alphanumeric() || "-_./*@+".contains(c);
    at + rest.find(|c| !is_part(c)).unwrap_or(rest.len())
}
