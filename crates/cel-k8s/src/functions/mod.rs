//! The functions that rules can call: one table, a file for each library.

pub mod format;
pub mod quantity;
pub mod time;
pub mod url;

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
pub enum Form {
    /// `f(a)`.
    Global,
    /// `a.f()`; `a` is the first argument.
    Member,
}

/// A function.
pub struct Function {
    /// Its name; with a dot where it belongs to a namespace.
    pub name: &'static str,
    form: Form,
    /// The least and the greatest number of arguments.
    arguments: (usize, usize),
    /// What it does. The arguments are as many as it takes.
    pub call: fn(&mut Run<'_>, &[Value]) -> Answer,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

type Call = fn(&mut Run<'_>, &[Value]) -> Answer;

/// A function `f(…)` of so many arguments.
const fn global(name: &'static str, least: usize, most: usize, call: Call) -> Function {
    Function {
        name,
        form: Form::Global,
        arguments: (least, most),
        call,
    }
}

/// A function `a.f(…)` of so many arguments, `a` not counted.
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

/// The function that is called so.
pub fn find(name: &str, form: Form, arguments: usize) -> Option<&'static Function> {
    let all = LIBRARIES.iter().flat_map(|library| library.iter());
    let fits = |it: &Function| it.arguments.0 <= arguments && arguments <= it.arguments.1;
    let mut all = all.filter(|it| it.name == name && it.form == form);
    all.find(|it| fits(it))
}

/// Whether there is a function of this name, in a namespace.
pub fn is_known(name: &str) -> bool {
    let mut all = LIBRARIES.iter().flat_map(|library| library.iter());
    all.any(|it| it.name == name && it.form == Form::Global)
}

/// The failure of a function that doesn't take such values.
fn no_overload(name: &str, arguments: &[Value]) -> Fault {
    let arguments: Vec<&Value> = arguments.iter().collect();
    Fault::no_overload(name, &arguments)
}

fn int(number: usize) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
