//! The values that templates see, each with its position in `cluster.toml`.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};

use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use manifest::diagnostic::Span;
use manifest::value::{Kind, Map, Node};

/// The scalars that a template has read since its last output, each with its position, in order.
/// Templates compare and join plain strings, and a plain string has no room for a position. So the position
/// of an output value is derived from what the template read before it printed the value.
#[derive(Clone, Debug, Default)]
pub struct Reads(Arc<Mutex<Vec<Read>>>);

/// A scalar that a template has read, and its position.
type Read = (Value, Option<Span>);

/// The maximum number of reads between two outputs. A loop that reads more without printing anything loses
/// the oldest ones.
const MOST_READS: usize = 4096;

/// How many reads are searched for one unit of fuel.
const READS_FOR_FUEL: usize = 16;

/// How many bytes are copied or compared for one unit of fuel; the engine itself uses the same number.
pub const BYTES_FOR_FUEL: usize = 64;

/// The maximum nesting of a value that a template prints. Values from `cluster.toml` are never nested that
/// deep.
const DEEPEST: usize = 128;

impl Reads {
    fn add(&self, value: &Value, span: Option<Span>) {
        if let Ok(mut reads) = self.0.lock() {
            if reads.len() >= MOST_READS {
                reads.clear();
            }
            reads.push((value.clone(), span));
        }
    }

    /// Finds the position of a value that is about to be printed: the position of the last equal value that
    /// was read. If there is none, the value was derived from something else, so the position is that of the
    /// last value read after the first `after` reads, or else of the last value read at all (a loop variable
    /// is read once but may be printed often). Also returns the cost of the search.
    fn place_of(&self, value: &Value, after: usize) -> (Option<Span>, usize) {
        let Ok(reads) = self.0.lock() else {
            return (None, 0);
        };
        let length = value.as_str().map(str::len);
        let (mut looked_at, mut compared) = (0, 0);
        let equal = reads.iter().rev().find(|(read, _)| {
            looked_at += 1;
            if read.as_str().map(str::len) != length {
                return false;
            }
            compared += length.unwrap_or_default();
            read == value
        });
        let derived = reads
            .iter()
            .skip(after)
            .rev()
            .find(|(_, span)| span.is_some());
        let cost = looked_at / READS_FOR_FUEL + compared / BYTES_FOR_FUEL;
        (equal.or(derived).and_then(|(_, span)| *span), cost)
    }

    /// How many reads are remembered.
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

/// A list or map in a template's context. The values in it are created once, so that reading a part costs the
/// same no matter how large the part is.
#[derive(Debug)]
pub struct Tracked {
    node: Node,
    below: Vec<Part>,
    /// The index in `below` for each key of a map.
    keys: HashMap<String, usize>,
    /// A hash of the tree. Trees are compared by it, so equal trees have the same digest.
    digest: u64,
    cost: usize,
    reads: Reads,
}

/// An item of a list or an entry of a map.
#[derive(Debug)]
struct Part {
    value: Value,
    /// The position, if the part is a scalar.
    scalar: Option<Option<Span>>,
}

impl Part {
    fn new(node: &Node, reads: &Reads) -> Self {
        let is_scalar = !matches!(node.kind, Kind::List(_) | Kind::Map(_));
        Part {
            value: value_of(node, reads),
            scalar: is_scalar.then_some(node.span),
        }
    }
}

/// Converts a tree to a value for templates.
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
        Kind::List(items) => {
            let below = items.iter().map(|item| Part::new(item, reads)).collect();
            tracked(node, below, HashMap::new(), reads)
        }
        Kind::Map(map) => {
            let below = map.iter().map(|(_, value)| Part::new(value, reads));
            let keys = map.iter().enumerate();
            let keys = keys.map(|(at, (key, _))| (key.to_owned(), at));
            tracked(node, below.collect(), keys.collect(), reads)
        }
    }
}

fn tracked(node: &Node, below: Vec<Part>, keys: HashMap<String, usize>, reads: &Reads) -> Value {
    let mut digest = DefaultHasher::new();
    for (key, _) in node.as_map().into_iter().flat_map(Map::iter) {
        key.hash(&mut digest);
    }
    for Part { value, .. } in &below {
        match value.downcast_object_ref::<Tracked>() {
            Some(tracked) => tracked.digest.hash(&mut digest),
            None => value.hash(&mut digest),
        }
    }
    Value::from_object(Tracked {
        node: node.clone(),
        below,
        keys,
        digest: digest.finish(),
        cost: cost_of(node),
        reads: reads.clone(),
    })
}

/// How much fuel it costs to copy a tree.
pub fn cost_of(node: &Node) -> usize {
    1 + match &node.kind {
        Kind::String(text) => text.len() / BYTES_FOR_FUEL,
        Kind::List(items) => items.iter().map(cost_of).sum(),
        Kind::Map(map) => map
            .iter()
            .map(|(key, value)| key.len() / BYTES_FOR_FUEL + cost_of(value))
            .sum(),
        _ => 0,
    }
}

/// The length in bytes of the longest string in a tree, as the engine sees it. A list or table can be turned
/// into a string, too.
pub fn longest_text(node: &Node) -> usize {
    let longest_in = |node: &Node| match &node.kind {
        Kind::String(text) => text.len(),
        Kind::List(_) | Kind::Map(_) => node.to_json().to_string().len(),
        _ => 0,
    };
    match &node.kind {
        Kind::Map(map) => map.iter().map(|(_, below)| longest_in(below)).max(),
        _ => Some(longest_in(node)),
    }
    .unwrap_or_default()
}

impl Tracked {
    fn read(&self, at: usize) -> Option<Value> {
        let Part { value, scalar } = self.below.get(at)?;
        if let Some(span) = scalar {
            self.reads.add(value, *span);
        }
        Some(value.clone())
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
            Kind::List(_) => self.read(key.as_usize()?),
            Kind::Map(_) => self.read(*self.keys.get(key.as_str()?)?),
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

    /// Without this method, the engine would compare trees part by part and charge only for their outermost
    /// parts.
    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        Some(self.digest.cmp(&other.digest))
    }
}

/// Converts the values that a template prints to trees, and charges fuel for them.
pub struct Writer<'a, 't, 'e> {
    /// The engine's state, which holds the fuel.
    pub state: &'a State<'t, 'e>,
    /// The scalars that the template has read.
    pub reads: &'a Reads,
    /// How many reads there were when the previous value was printed.
    pub after: usize,
}

impl Writer<'_, '_, '_> {
    fn charge(&self, cost: usize) -> Result<(), Error> {
        self.state
            .consume_fuel(u64::try_from(cost).unwrap_or(u64::MAX))
    }

    /// Converts a value to a tree.
    /// # Errors
    /// Fails if the value can't be represented in a manifest, is nested too deep, or costs more fuel than is
    /// left.
    pub fn node_of(&self, value: &Value) -> Result<Node, Error> {
        self.node_at(value, DEEPEST)
    }

    fn node_at(&self, value: &Value, levels: usize) -> Result<Node, Error> {
        if let Some(tracked) = value.downcast_object_ref::<Tracked>() {
            self.charge(tracked.cost)?;
            return Ok(tracked.node.clone());
        }
        let refused = |why: String| Error::new(ErrorKind::BadSerialization, why);
        let Some(levels) = levels.checked_sub(1) else {
            return Err(refused(format!(
                "a value that is nested more than {DEEPEST} levels deep can't be written to a manifest"
            )));
        };
        let unfit = || refused(format!("{} can't be written to a manifest", value.kind()));
        self.charge(1 + value.as_str().map_or(0, str::len) / BYTES_FOR_FUEL)?;
        let kind = match value.kind() {
            ValueKind::None => Kind::Null,
            ValueKind::Bool => Kind::Bool(value.is_true()),
            ValueKind::Number => Kind::Number(match i64::try_from(value.clone()) {
                Ok(number) => number.into(),
                Err(_) => f64::try_from(value.clone())
                    .ok()
                    .and_then(serde_json::Number::from_f64)
                    .ok_or_else(unfit)?,
            }),
            ValueKind::String => Kind::String(value.as_str().ok_or_else(unfit)?.to_owned()),
            ValueKind::Seq | ValueKind::Iterable => {
                let mut items = Vec::new();
                for item in value.try_iter()? {
                    items.push(self.node_at(&item, levels)?);
                }
                Kind::List(items)
            }
            ValueKind::Map => {
                let mut map = Map::default();
                for key in value.try_iter()? {
                    let below = self.node_at(&value.get_item(&key)?, levels)?;
                    map.insert(key.as_str().ok_or_else(unfit)?, below);
                }
                Kind::Map(map)
            }
            _ => return Err(unfit()),
        };
        let span = match &kind {
            Kind::List(items) if !items.is_empty() => None,
            Kind::Map(map) if !map.is_empty() => None,
            _ => {
                let (span, cost) = self.reads.place_of(value, self.after);
                self.charge(cost)?;
                span
            }
        };
        Ok(Node::new(kind, span))
    }
}
