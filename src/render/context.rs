//! Values as templates see them, each knowing where it came from.

use std::sync::{Arc, Mutex};

use minijinja::value::{Enumerator, Object, ObjectRepr, Value, ValueKind};

use crate::diagnostic::Span;
use crate::value::{Kind, Map, Node};

/// What was read since the last value was written: each scalar and its place, in order.
///
/// Templates compare and join plain strings; a plain string has no room for a place. So a place is found
/// by what the template read to get the value.
#[derive(Clone, Debug, Default)]
pub struct Reads(Arc<Mutex<Vec<Read>>>);

/// A scalar that a template read, and its place.
type Read = (Value, Option<Span>);

/// More reads than this between two values are a loop that writes nothing; the oldest are forgotten.
const MOST_READS: usize = 4096;

impl Reads {
    fn add(&self, value: &Value, span: Option<Span>) {
        if let Ok(mut reads) = self.0.lock() {
            if reads.len() >= MOST_READS {
                reads.clear();
            }
            reads.push((value.clone(), span));
        }
    }

    /// The place of a value that is about to be written: of the last equal value that was read, else of what
    /// it was derived from: the last value that was read since `after` reads, or, where none was, the last
    /// one at all (a loop's variable is read once, and may be written often).
    fn place_of(&self, value: &Value, after: usize) -> Option<Span> {
        let reads = self.0.lock().ok()?;
        let equal = reads.iter().rev().find(|(read, _)| read == value);
        let derived = reads
            .iter()
            .skip(after)
            .rev()
            .find(|(_, span)| span.is_some());
        equal.or(derived).and_then(|(_, span)| *span)
    }

    /// How many reads there were.
    pub fn count(&self) -> usize {
        self.0.lock().map_or(0, |reads| reads.len())
    }

    /// Forgets all reads.
    pub fn clear(&self) {
        if let Ok(mut reads) = self.0.lock() {
            reads.clear();
        }
    }
}

/// A list or map of the tree.
#[derive(Debug)]
pub struct Tracked {
    node: Node,
    reads: Reads,
}

/// A tree as a template's value.
pub fn value_of(node: &Node, reads: &Reads) -> Value {
    match &node.kind {
        Kind::Null => Value::from(()),
        Kind::Bool(value) => Value::from(*value),
        Kind::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::from(number),
            (None, Some(number)) => Value::from(number),
            (None, None) => Value::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        Kind::String(text) => Value::from(text.as_str()),
        Kind::List(_) | Kind::Map(_) => Value::from_object(Tracked {
            node: node.clone(),
            reads: reads.clone(),
        }),
    }
}

impl Tracked {
    fn below(&self, node: &Node) -> Value {
        let value = value_of(node, &self.reads);
        if !matches!(node.kind, Kind::List(_) | Kind::Map(_)) {
            self.reads.add(&value, node.span);
        }
        value
    }
}

impl Object for Tracked {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match self.node.kind {
            Kind::List(_) => ObjectRepr::Seq,
            _ => ObjectRepr::Map,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match &self.node.kind {
            Kind::List(items) => items.get(key.as_usize()?).map(|node| self.below(node)),
            Kind::Map(map) => map.get(key.as_str()?).map(|node| self.below(node)),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match &self.node.kind {
            Kind::List(items) => Enumerator::Seq(items.len()),
            Kind::Map(map) => {
                Enumerator::Values(map.iter().map(|(key, _)| Value::from(key)).collect())
            }
            _ => Enumerator::Empty,
        }
    }
}

/// A value that a template writes, as a tree; `None` for what can't stand in a manifest. `after` is how many
/// reads there were when the value before it was written.
pub fn node_of(value: &Value, reads: &Reads, after: usize) -> Option<Node> {
    if let Some(tracked) = value.downcast_object_ref::<Tracked>() {
        return Some(tracked.node.clone());
    }
    let kind = match value.kind() {
        ValueKind::None => Kind::Null,
        ValueKind::Bool => Kind::Bool(value.is_true()),
        ValueKind::Number => Kind::Number(match i64::try_from(value.clone()) {
            Ok(number) => number.into(),
            Err(_) => serde_json::Number::from_f64(f64::try_from(value.clone()).ok()?)?,
        }),
        ValueKind::String => Kind::String(value.as_str()?.to_owned()),
        ValueKind::Seq | ValueKind::Iterable => Kind::List(
            value
                .try_iter()
                .ok()?
                .map(|item| node_of(&item, reads, after))
                .collect::<Option<_>>()?,
        ),
        ValueKind::Map => {
            let mut map = Map::default();
            for key in value.try_iter().ok()? {
                let below = value.get_item(&key).ok()?;
                map.insert(key.as_str()?, node_of(&below, reads, after)?);
            }
            Kind::Map(map)
        }
        _ => return None,
    };
    let span = match kind {
        Kind::List(_) | Kind::Map(_) => None,
        _ => reads.place_of(value, after),
    };
    Some(Node::new(kind, span))
}
