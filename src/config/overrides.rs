//! Which values of a description are over which others.

use std::collections::HashMap;

use manifest::diagnostic::Span;
use manifest::value::{Entry, Kind, Node};

/// The values that are replaced by nearer ones, by the places of those.
#[derive(Clone, Debug, Default)]
pub struct Overrides(HashMap<Span, Span>);

impl Overrides {
    /// The places of the values that the one at `span` is over, the nearest first.
    pub fn below(&self, span: Span) -> Vec<Span> {
        let mut all = Vec::new();
        let mut at = span;
        while let Some(next) = self.0.get(&at).filter(|next| !all.contains(*next)) {
            all.push(*next);
            at = *next;
        }
        all
    }

    /// Merges `nearer` over `base`: tables are merged, and any other value replaces the one below it.
    pub fn merge(&mut self, base: &mut Node, nearer: Node) {
        let (below, above) = match (&mut base.kind, nearer) {
            (
                Kind::Map(below),
                Node {
                    kind: Kind::Map(above),
                    ..
                },
            ) => (below, above),
            (_, nearer) => {
                self.replace(base, nearer);
                return;
            }
        };
        for (key, entry) in above.into_entries() {
            let is_table = matches!(entry.value.kind, Kind::Map(_));
            match below.get_mut(&key) {
                Some(there) if is_table && there.as_map().is_some() => {
                    self.merge(there, entry.value);
                }
                Some(there) => {
                    let mut value = std::mem::replace(there, Node::new(Kind::Null, None));
                    self.replace(&mut value, entry.value);
                    let key_span = entry.key_span;
                    below.insert_entry(key, Entry { key_span, value });
                }
                None => {
                    below.insert_entry(key, entry);
                }
            }
        }
    }

    fn replace(&mut self, base: &mut Node, nearer: Node) {
        if let Some(below) = base.span {
            self.note(&nearer, below);
        }
        *base = nearer;
    }

    /// Notes that a value, with everything in it, is over the one at `below`.
    fn note(&mut self, value: &Node, below: Span) {
        // Two files may extend the same third one.
        if let Some(span) = value.span.filter(|span| *span != below) {
            self.0.insert(span, below);
        }
        match &value.kind {
            Kind::Map(map) => map.iter().for_each(|(_, value)| self.note(value, below)),
            Kind::List(items) => items.iter().for_each(|value| self.note(value, below)),
            _ => {}
        }
    }
}
