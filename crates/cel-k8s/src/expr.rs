//! Parsed expressions.

use std::sync::Arc;

use super::functions::Function;
use super::value::Value;

/// An expression.
#[derive(Clone, Debug)]
pub enum Expr {
    /// A constant.
    Value(Value),
    /// A variable.
    Name(Arc<str>),
    /// `of.name`, `has(of.name)`, `of.?name`.
    Field {
        /// The value that has the field.
        of: Box<Expr>,
        /// The name of the field.
        name: Arc<str>,
        /// Which of the three forms it is.
        ask: Ask,
    },
    /// `of[at]`, `of[?at]`.
    Index {
        /// The list or map.
        of: Box<Expr>,
        /// The position or key.
        at: Box<Expr>,
        /// Whether it may be absent.
        optional: bool,
    },
    /// `[a, ?b]`.
    List(Vec<Item>),
    /// `{a: b, ?c: d}`.
    Map(Vec<(Expr, Item)>),
    /// `!a`.
    Not(Box<Expr>),
    /// `-a`.
    Negate(Box<Expr>),
    /// `a && b && …`.
    And(Vec<Expr>),
    /// `a || b || …`.
    Or(Vec<Expr>),
    /// `a ? b : c`.
    If(Box<[Expr; 3]>),
    /// `a == b` and the like.
    Binary(Operator, Box<[Expr; 2]>),
    /// A function call. For a method, the receiver is the first argument.
    Call(&'static Function, Vec<Expr>),
    /// `over.all(name, body)` and the like.
    Fold {
        /// The macro.
        fold: Fold,
        /// The list or map.
        over: Box<Expr>,
        /// The variable, or index and variable.
        names: Vec<Arc<str>>,
        /// The condition that `map` filters items by.
        filter: Option<Box<Expr>>,
        /// The expression that is evaluated for each item.
        body: Box<Expr>,
    },
    /// `cel.bind(name, value, body)`.
    Bind(Arc<str>, Box<[Expr; 2]>),
    /// `value.optMap(name, body)`, `value.optFlatMap(name, body)`.
    OptMap {
        /// The variable.
        name: Arc<str>,
        /// The optional value.
        value: Box<Expr>,
        /// The expression that is evaluated with the value.
        body: Box<Expr>,
        /// Whether its result is an optional value itself.
        flat: bool,
    },
}

/// An element of a list or map literal.
#[derive(Clone, Debug)]
pub struct Item {
    /// The item.
    pub value: Expr,
    /// Whether it is left out if its value is absent.
    pub optional: bool,
}

/// What is wanted of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Its value.
    Value,
    /// Whether it exists.
    Presence,
    /// Its value as an optional.
    Optional,
}

/// Binary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `in`
    In,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

/// Macros over lists and maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// The condition is true for all items.
    All,
    /// The condition is true for at least one item.
    Exists,
    /// The condition is true for exactly one item.
    ExistsOne,
    /// The items for which the condition is true.
    Filter,
    /// The results for all items.
    Map,
    /// The same keys with new values (`transformMap`).
    MapValues,
    /// The entries of the maps that are the results (`transformMapEntry`).
    MapEntries,
    /// The items, sorted by the results.
    SortBy,
}
