//! The filters and tests that templates may use, and their properties.

use super::Holds;
use super::Holds::{List, Lists, Value};

/// The result of a filter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    Scalar,
    /// A list, or lists if the input was lists.
    List,
    Lists,
    /// One of the items.
    Item,
    /// Either the input or the argument.
    Either,
    /// The reversed string or list.
    Reversed,
}

/// The allowed filters, with the most that their input may contain, and their result. A filter that is not
/// listed here could create lists of lists, or traverse them without being charged for it.
pub(super) const FILTERS: &[(&str, Holds, Gives)] = &[
    ("abs", Value, Gives::Scalar),
    ("attr", Lists, Gives::Item),
    ("bool", Lists, Gives::Scalar),
    ("capitalize", Value, Gives::Scalar),
    ("count", Lists, Gives::Scalar),
    ("d", Lists, Gives::Either),
    ("default", Lists, Gives::Either),
    ("dictsort", Value, Gives::Lists),
    ("e", Value, Gives::Scalar),
    ("escape", Value, Gives::Scalar),
    ("first", Lists, Gives::Item),
    ("float", Value, Gives::Scalar),
    ("format", Value, Gives::Scalar),
    ("indent", Value, Gives::Scalar),
    ("int", Value, Gives::Scalar),
    ("items", Value, Gives::Lists),
    ("join", List, Gives::Scalar),
    ("last", List, Gives::Item),
    ("length", Lists, Gives::Scalar),
    ("lines", Value, Gives::List),
    ("list", Lists, Gives::List),
    ("lower", Value, Gives::Scalar),
    ("map", Lists, Gives::List),
    ("max", List, Gives::Item),
    ("min", List, Gives::Item),
    ("reject", List, Gives::List),
    ("rejectattr", List, Gives::List),
    ("replace", Value, Gives::Scalar),
    ("reverse", Value, Gives::Reversed),
    ("round", Value, Gives::Scalar),
    ("safe", Value, Gives::Scalar),
    ("select", List, Gives::List),
    ("selectattr", List, Gives::List),
    ("sort", List, Gives::List),
    ("split", Value, Gives::List),
    ("string", Value, Gives::Scalar),
    ("title", Value, Gives::Scalar),
    ("trim", Value, Gives::Scalar),
    ("unique", List, Gives::List),
    ("upper", Value, Gives::Scalar),
];

/// Tests that look only at the type of a value, not at its content.
pub(super) const TESTS_OF_KIND: &[&str] = &[
    "boolean",
    "defined",
    "false",
    "float",
    "int",
    "integer",
    "iterable",
    "mapping",
    "none",
    "number",
    "sequence",
    "string",
    "true",
    "undefined",
];

/// Filters that return a number or a boolean.
pub(super) const NUMBERS: &[&str] = &["abs", "bool", "count", "float", "int", "length", "round"];

/// Filters that compare or sort their input.
pub(super) const COMPARING: &[&str] = &[
    "dictsort",
    "max",
    "min",
    "reject",
    "rejectattr",
    "select",
    "selectattr",
    "sort",
    "unique",
];

/// The attributes of `loop` that are numbers or booleans.
pub(super) const LOOP_SCALARS: &[&str] = &[
    "depth",
    "depth0",
    "first",
    "index",
    "index0",
    "last",
    "length",
    "revindex",
    "revindex0",
];
