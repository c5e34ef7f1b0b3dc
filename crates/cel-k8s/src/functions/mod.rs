//! The functions that rules can call, in one table with a file for each library.

pub(crate) mod format;
pub(crate) mod quantity;
pub(crate) mod time;
pub(crate) mod url;

mod lists;
mod network;
mod optional;
mod regex;
mod semver;
mod standard;
mod strings;

use std::fmt;

use super::eval::{Answer, Fault, Run};
use super::value::Value;

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `f(a)`.
    Global,
    /// `a.f()`; `a` is the first argument.
    Member,
}

/// A function.
pub struct Function {
    /// Its name, including the namespace and a dot if it has one.
    pub name: &'static str,
    form: Form,
    /// The minimum and maximum number of arguments.
    arguments: (usize, usize),
    /// The implementation. The number of arguments has been checked.
    pub call: fn(&mut Run<'_>, &[Value]) -> Answer,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

type Call = fn(&mut Run<'_>, &[Value]) -> Answer;

/// A function `f(…)` with `least` to `most` arguments.
const fn global(name: &'static str, least: usize, most: usize, call: Call) -> Function {
    Function {
        name,
        form: Form::Global,
        arguments: (least, most),
        call,
    }
}

/// A function `a.f(…)` with `least` to `most` arguments in addition to `a`.
const fn member(name: &'static str, least: usize, most: usize, call: Call) -> Function {
    Function {
        name,
        form: Form::Member,
        arguments: (least + 1, most + 1),
        call,
    }
}

/// All libraries.
const LIBRARIES: &[&[Function]] = &[
    standard::FUNCTIONS,
    strings::FUNCTIONS,
    lists::FUNCTIONS,
    optional::FUNCTIONS,
    regex::FUNCTIONS,
    url::FUNCTIONS,
    network::FUNCTIONS,
    quantity::FUNCTIONS,
    format::FUNCTIONS,
    semver::FUNCTIONS,
    time::FUNCTIONS,
];

/// Finds a function by its name, its form and the number of arguments.
pub(crate) fn find(name: &str, form: Form, arguments: usize) -> Option<&'static Function> {
    let all = LIBRARIES.iter().flat_map(|library| library.iter());
    let fits = |it: &Function| it.arguments.0 <= arguments && arguments <= it.arguments.1;
    let mut all = all.filter(|it| it.name == name && it.form == form);
    all.find(|it| fits(it))
}

/// Whether a function with this name exists in a namespace.
pub(crate) fn is_known(name: &str) -> bool {
    let mut all = LIBRARIES.iter().flat_map(|library| library.iter());
    all.any(|it| it.name == name && it.form == Form::Global)
}

/// The error of a function that has no overload for these values.
fn no_overload(name: &str, arguments: &[Value]) -> Fault {
    let arguments: Vec<&Value> = arguments.iter().collect();
    Fault::no_overload(name, &arguments)
}

fn int(number: usize) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
