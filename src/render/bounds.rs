//! Limits on the work that a template may do.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, State, Value};

use super::context::{BYTES_FOR_FUEL, cost_of};
use manifest::value::Node;

/// The fuel that every template gets for one object, in addition to [`SOURCE_FOR_FUEL`] and
/// [`FUEL_FOR_VALUE`]. One unit pays for an instruction, or for [`BYTES_FOR_FUEL`] bytes that are produced.
/// The built-in templates use less than 500 units; the whole amount takes some milliseconds.
const FUEL: u64 = 20_000;

/// How many bytes of template source add one unit of fuel, because a long template may execute all of its
/// text.
const SOURCE_FOR_FUEL: u64 = 8;

/// How much fuel each value in the template's context adds. A loop over all of them uses only a small part of
/// it.
const FUEL_FOR_VALUE: u64 = 50;

/// The fraction of the fuel that may be spent on values in the output: one unit of output for each so many
/// units of fuel. Without this limit, a `{% set %}` block could be printed many times, and its values are
/// inserted anew each time.
pub const WRITTEN_FOR_FUEL: u64 = 4;

/// The maximum nesting of macros and loops. A macro counts four times.
pub const DEEPEST: usize = 100;

/// The fuel for a template with these values. It grows with both, so that no reasonable template is refused.
pub fn fuel_for(source: &str, values: &Node) -> u64 {
    let size = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let for_template = size(source.len()) / SOURCE_FOR_FUEL;
    let for_values = size(cost_of(values)).saturating_mul(FUEL_FOR_VALUE);
    FUEL.saturating_add(for_template).saturating_add(for_values)
}

/// Joins strings, numbers and booleans. The engine's own `join` filter would also print lists and tables, and
/// would charge for them only afterwards.
pub fn join(state: &State, value: &Value, between: Option<&str>) -> Result<String, Error> {
    let mut joined = String::new();
    for (at, item) in value.try_iter()?.enumerate() {
        if matches!(
            item.kind(),
            ValueKind::Seq | ValueKind::Iterable | ValueKind::Map | ValueKind::Plain
        ) {
            let message = format!(
                "`join` accepts only strings and numbers, not a {}",
                item.kind()
            );
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

/// The stack size for the engine, in bytes. The engine recurses for nested constructs: at most 150 levels of
/// blocks and brackets in its parser, 200 levels of operators, 25 levels of macros.
const STACK: usize = 16 << 20;

/// Runs the engine on a thread with a large enough stack.
/// # Errors
/// Returns a message if the thread can't be started or panics.
pub fn with_stack<T: Send>(run: impl FnOnce() -> T + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let running = thread.spawn_scoped(scope, run);
        let running = running.map_err(|error| error.to_string())?;
        let ended = running.join();
        ended.map_err(|_| "the template engine failed, which is a bug".to_owned())
    })
}
