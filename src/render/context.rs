//! Values as templates see them, each knowing where it came from.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};

use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use manifest::diagnostic::Span;
use manifest::value::{Kind, Map, Node};

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

/// How many reads are looked through for one unit of fuel.
const READS_FOR_FUEL: usize = 16;

/// How many bytes are copied or compared for one unit of fuel, as in the engine itself.
pub const BYTES_FOR_FUEL: usize = 64;

/// How deep a value that a template writes may be. What `cluster.toml` holds is never that deep.
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

    /// The place of a value that is about to be written: of the last equal value that was read, else of what
    /// it was derived from: the last value that was read since `after` reads, or, where none was, the last
    /// one at all (a loop's variable is read once, and may be written often). With it, what the search cost.
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

/// A list or map of the tree. Everything in it is made once, so that to read a part of it costs the same however large
/// the part is.
#[derive(Debug)]
pub struct Tracked {
    node: Node,
    below: Vec<Part>,
    /// Where each key of a map stands in `below`.
    keys: HashMap<String, usize>,
    /// Equal trees have the same: they are compared by it.
    digest: u64,
    cost: usize,
    reads: Reads,
}

/// A part of a list or map.
#[derive(Debug)]
struct Part {
    value: Value,
    /// The place of a scalar.
    scalar: Option<Option<Span>>,
}

impl Part {
    fn of(node: &Node, reads: &Reads) -> Self {
        let is_scalar = !matches!(node.kind, Kind::List(_) | Kind::Map(_));
        Part {
            value: value_of(node, reads),
            scalar: is_scalar.then_some(node.span),
        }
    }
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
        Kind::List(items) => {
            let below = items.iter().map(|item| Part::of(item, reads)).collect();
            tracked(node, below, HashMap::new(), reads)
        }
        Kind::Map(map) => {
            let below = map.iter().map(|(_, value)| Part::of(value, reads));
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

/// What it costs in fuel to copy a tree.
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

/// The length of the longest text in a tree, in bytes, as the engine has it: a list or table can become text, too.
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

    /// Without it the engine compares trees part by part, and charges for their outermost parts only.
    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        Some(self.digest.cmp(&other.digest))
    }
}

/// Makes trees of the values that a template writes, and charges for them.
pub struct Writer<'a, 't, 'e> {
    /// Whose fuel it takes.
    pub state: &'a State<'t, 'e>,
    /// What was read.
    pub reads: &'a Reads,
    /// How many reads there were when the value before was written.
    pub after: usize,
}

impl Writer<'_, '_, '_> {
    fn charge(&self, cost: usize) -> Result<(), Error> {
        self.state
            .consume_fuel(u64::try_from(cost).unwrap_or(u64::MAX))
    }

    /// A value as a tree.
    ///
    /// # Errors
    /// Where it can't stand in a manifest, is too deep, or costs more fuel than there is.
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
                "a value of more than {DEEPEST} levels can't stand in a manifest"
            )));
        };
        let unfit = || refused(format!("{} can't stand in a manifest", value.kind()));
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
        let span = match kind {
            Kind::List(_) | Kind::Map(_) => None,
            _ => {
                let (span, cost) = self.reads.place_of(value, self.after);
                self.charge(cost)?;
                span
            }
        };
        Ok(Node::new(kind, span))
    }
}
