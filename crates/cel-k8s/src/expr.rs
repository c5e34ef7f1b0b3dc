//! Expressions, as parsed.

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
        /// What has the field.
        of: Box<Expr>,
        /// The field.
        name: Arc<str>,
        /// What is asked of it.
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
    /// A function; what a method is called on is its first argument.
    Call(&'static Function, Vec<Expr>),
    /// `over.all(name, body)` and the like.
    Fold {
        /// Which.
        fold: Fold,
        /// The list or map.
        over: Box<Expr>,
        /// The variable, or index and variable.
        names: Vec<Arc<str>>,
        /// What an item must hold for `map` to take it.
        filter: Option<Box<Expr>>,
        /// What is asked of an item.
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
        /// What becomes of it.
        body: Box<Expr>,
        /// Whether that is optional itself.
        flat: bool,
    },
}

/// An item of a list or map, and whether it is left out where it is absent.
#[derive(Clone, Debug)]
pub struct Item {
    /// The item.
    pub value: Expr,
    /// Whether it is optional.
    pub optional: bool,
}

/// What is asked of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Its value.
    Value,
    /// Whether it is there.
    Presence,
    /// Its value, if it is there.
    Optional,
}

/// Operators on two values.
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
    /// Each item holds.
    All,
    /// An item holds.
    Exists,
    /// Exactly one item holds.
    ExistsOne,
    /// The items that hold.
    Filter,
    /// What items become.
    Map,
    /// The same map with other values (`transformMap`).
    MapValues,
}
