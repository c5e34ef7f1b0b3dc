//! The filters and tests that templates may use, and their properties.

use super::Contents;
use super::Contents::{List, Lists, Value};

/// The result of a filter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FilterResult {
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
pub(super) const FILTERS: &[(&str, Contents, FilterResult)] = &[
    ("abs", Value, FilterResult::Scalar),
    ("attr", Lists, FilterResult::Item),
    ("bool", Lists, FilterResult::Scalar),
    ("capitalize", Value, FilterResult::Scalar),
    ("count", Lists, FilterResult::Scalar),
    ("d", Lists, FilterResult::Either),
    ("default", Lists, FilterResult::Either),
    ("dictsort", Value, FilterResult::Lists),
    ("e", Value, FilterResult::Scalar),
    ("escape", Value, FilterResult::Scalar),
    ("first", Lists, FilterResult::Item),
    ("float", Value, FilterResult::Scalar),
    ("format", Value, FilterResult::Scalar),
    ("indent", Value, FilterResult::Scalar),
    ("int", Value, FilterResult::Scalar),
    ("items", Value, FilterResult::Lists),
    ("join", List, FilterResult::Scalar),
    ("last", List, FilterResult::Item),
    ("length", Lists, FilterResult::Scalar),
    ("lines", Value, FilterResult::List),
    ("list", Lists, FilterResult::List),
    ("lower", Value, FilterResult::Scalar),
    ("map", Lists, FilterResult::List),
    ("max", List, FilterResult::Item),
    ("min", List, FilterResult::Item),
    ("reject", List, FilterResult::List),
    ("rejectattr", List, FilterResult::List),
    ("replace", Value, FilterResult::Scalar),
    ("reverse", Value, FilterResult::Reversed),
    ("round", Value, FilterResult::Scalar),
    ("safe", Value, FilterResult::Scalar),
    ("select", List, FilterResult::List),
    ("selectattr", List, FilterResult::List),
    ("sort", List, FilterResult::List),
    ("split", Value, FilterResult::List),
    ("string", Value, FilterResult::Scalar),
    ("title", Value, FilterResult::Scalar),
    ("trim", Value, FilterResult::Scalar),
    ("unique", List, FilterResult::List),
    ("upper", Value, FilterResult::Scalar),
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
