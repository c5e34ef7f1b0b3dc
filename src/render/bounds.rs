//! What running a template may take.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, State, Value};

use super::context::{BYTES_FOR_FUEL, cost_of};
use manifest::value::Node;

/// The work that one template may do for one object, beside [`SOURCE_FOR_FUEL`] and [`FUEL_FOR_VALUE`]: one unit is an
/// instruction, or [`BYTES_FOR_FUEL`] bytes that are made. Those that are built in take less than 500, and this is some milliseconds.
const FUEL: u64 = 20_000;

/// How many bytes of the template add one unit: a long one may run through all of its text.
const SOURCE_FOR_FUEL: u64 = 8;

/// What each value that the template is given adds: a loop over all of them is a small part of it.
const FUEL_FOR_VALUE: u64 = 50;

/// How much of the work may be values that are written: what stands in a `{% set %}` block can be written often, and
/// its values are put in anew each time.
pub const WRITTEN_FOR_FUEL: u64 = 4;

/// How deep macros and loops may stand in each other. A macro counts four times.
pub const DEEPEST: usize = 100;

/// The work that a template may do with these values. It grows with both, so that what is honest is never refused.
pub fn fuel_for(source: &str, values: &Node) -> u64 {
    let size = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let for_template = size(source.len()) / SOURCE_FOR_FUEL;
    let for_values = size(cost_of(values)).saturating_mul(FUEL_FOR_VALUE);
    FUEL.saturating_add(for_template).saturating_add(for_values)
}

/// Joins texts, numbers and booleans. The engine's own filter would write out what is in lists and tables, too, and
/// charges for it afterwards.
pub fn join(state: &State, value: &Value, between: Option<&str>) -> Result<String, Error> {
    let mut joined = String::new();
    for (at, item) in value.try_iter()?.enumerate() {
        if matches!(
            item.kind(),
            ValueKind::Seq | ValueKind::Iterable | ValueKind::Map | ValueKind::Plain
        ) {
            let message = format!("`join` takes texts and numbers, not a {}", item.kind());
            return Err(Error::new(ErrorKind::InvalidOperation, message));
        }
        let between = between.filter(|_| at > 0).unwrap_or_default();
        let added = between.len() + item.as_str().map_or(0, str::len);
        state.consume_fuel(1 + u64::try_from(added / BYTES_FOR_FUEL).unwrap_or(u64::MAX))?;
        joined.push_str(between);
        match item.as_str() {
            Some(text) => joined.push_str(text),
            None => joined.push_str(&item.to_string()),
        }
    }
    Ok(joined)
}

/// The room for the calls of the engine, in bytes. It calls itself for what stands in each other: 150 levels at most of
/// blocks and brackets in its parser, 200 of operators, 25 of macros.
const STACK: usize = 16 << 20;

/// Runs the engine with enough room, whatever thread this is.
///
/// # Errors
/// Why it could not be run, or not to its end.
pub fn with_stack<T: Send>(run: impl FnOnce() -> T + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let running = thread.spawn_scoped(scope, run);
        let running = running.map_err(|error| error.to_string())?;
        let ended = running.join();
        ended.map_err(|_| "the template engine failed, which is a bug".to_owned())
    })
}
