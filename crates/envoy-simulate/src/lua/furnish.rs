//! Prepares the Lua environment of scripts: removes functions that reach outside, and replaces others by ones that
//! count their steps.

use std::cmp::Ordering;
use std::rc::Rc;

use mlua::{FromLua, Function, Lua, LuaString, MultiValue, Table, Value};

use super::state::{CALL, State, StopReason, shortened, steps_for};
use super::{bit, strings};

/// The functions that are written in Lua.
const PRELUDE: &str = include_str!("prelude.lua");

/// The registry key of the function that iterates over two lists.
pub(super) const EACH: &str = "each";

/// The cost of catching an error, in steps. An error passes through many calls.
const CATCH: u64 = 200;

/// How deeply calls that catch errors may be nested.
const DEEPEST_CATCH: usize = 100;

/// How many characters of a name are shown.
const LONGEST_NAME: usize = 100;

/// What scripts can't use: functions that reach outside, run other code than the script, or change the environment of
/// functions, which Lua 5.2 doesn't have any more.
const WITHHELD: [&str; 18] = [
    "io",
    "os",
    "package",
    "debug",
    "ffi",
    "jit",
    "coroutine",
    "require",
    "module",
    "dofile",
    "loadfile",
    "load",
    "loadstring",
    "newproxy",
    "collectgarbage",
    "gcinfo",
    "getfenv",
    "setfenv",
];

/// Removes functions that reach outside, and installs those that count.
pub(super) fn furnish(lua: &Lua, state: &Rc<State>) -> mlua::Result<()> {
    let globals = lua.globals();
    for name in WITHHELD {
        globals.set(name, withheld(lua, state, name)?)?;
    }
    let log = Rc::clone(state);
    let print = lua.create_function(move |_, all: MultiValue| {
        let all: Vec<String> = all.iter().map(shown).collect();
        let line = all.join(" ");
        log.charge_call(line.len())?;
        log.log(&line);
        Ok(())
    })?;
    globals.set("print", print)?;
    globals.set("_VERSION", "Lua 5.1")?;
    bit::add(lua, state)?;
    strings::replace(lua, state)?;
    let native = lua.create_table()?;
    add_catching(lua, state, &native)?;
    add_tables(lua, state, &native)?;
    strings::add_native(lua, state, &native)?;
    let each: Function = lua.load(PRELUDE).set_name("=prelude").call(native)?;
    lua.set_named_registry_value(EACH, each)
}

/// Adds the functions that `pcall` and `xpcall` are built on.
fn add_catching(lua: &Lua, state: &Rc<State>, native: &Table) -> mlua::Result<()> {
    let at_start = Rc::clone(state);
    let enter = move |_: &Lua, (): ()| {
        let depth = at_start.catches.get() + 1;
        if depth > DEEPEST_CATCH {
            return Err(mlua::Error::runtime("stack overflow"));
        }
        at_start.catches.set(depth);
        at_start.charge(CATCH)
    };
    native.set("enter", lua.create_function(enter)?)?;
    let at_end = Rc::clone(state);
    let leave = move |_: &Lua, (is_fine, why): (bool, Value)| {
        at_end.catches.set(at_end.catches.get().saturating_sub(1));
        if !is_fine && is_out_of_memory(&why) {
            return at_end.end(StopReason::Memory);
        }
        at_end.charge(0)
    };
    native.set("leave", lua.create_function(leave)?)?;
    let asked = Rc::clone(state);
    let is_ended = move |_: &Lua, (): ()| Ok(asked.ended().is_some());
    native.set("is_ended", lua.create_function(is_ended)?)
}

/// Whether an error means that memory is used up. Nothing is freed during a run, so this can't be recovered from.
fn is_out_of_memory(why: &Value) -> bool {
    match why {
        // Lua's own error.
        Value::String(text) => *text.as_bytes() == *b"not enough memory",
        Value::Error(error) => error
            .chain()
            .any(|it| matches!(it.downcast_ref(), Some(mlua::Error::MemoryError(_)))),
        _ => false,
    }
}

/// Adds the functions that table functions are built on.
fn add_tables(lua: &Lua, state: &Rc<State>, native: &Table) -> mlua::Result<()> {
    let number = |lua: &Lua, value: Value| Ok(f64::from_lua(value, lua).ok());
    native.set("number", lua.create_function(number)?)?;
    let has = |_: &Lua, (value, name): (Value, String)| match value {
        Value::Table(table) => match table.metatable() {
            Some(meta) => Ok(!meta.raw_get::<Value>(name)?.is_nil()),
            None => Ok(false),
        },
        // Lua finds the metamethods of handles by it.
        Value::UserData(_) => Ok(name == "__pairs"),
        _ => Ok(false),
    };
    native.set("has", lua.create_function(has)?)?;
    let counter = Rc::clone(state);
    let keys = move |lua: &Lua, table: Table| keys(lua, &counter, &table);
    native.set("keys", lua.create_function(keys)?)?;
    let counter = Rc::clone(state);
    let concat = move |lua: &Lua, all: Concat| concat(lua, &counter, all);
    native.set("concat", lua.create_function(concat)?)?;
    let counter = Rc::clone(state);
    let unknown = move |_: &Lua, what: String| counter.unknown::<()>(what);
    native.set("unknown", lua.create_function(unknown)?)
}

/// The keys of a table in a stable order: numbers, then strings, then everything else in Lua's order.
fn keys(lua: &Lua, state: &State, table: &Table) -> mlua::Result<Table> {
    let mut keys = Vec::new();
    let mut bytes = 0;
    table.for_each(|key: Value, _: Value| {
        bytes += key.as_string().map_or(0, |text| text.as_bytes().len());
        keys.push(key);
        Ok(())
    })?;
    let rounds = u64::from(usize::BITS - keys.len().leading_zeros());
    let count = u64::try_from(keys.len()).unwrap_or(u64::MAX);
    state.charge(CALL + (2 * count + steps_for(bytes)).saturating_mul(rounds))?;
    keys.sort_by(|one, other| match (one, other) {
        (Value::String(one), Value::String(other)) => one.as_bytes().cmp(&other.as_bytes()),
        _ => match (one.as_number(), other.as_number()) {
            (Some(one), Some(other)) => one.total_cmp(&other),
            _ => rank(one).cmp(&rank(other)),
        },
    });
    lua.create_sequence_from(keys)
}

fn rank(key: &Value) -> Ordering {
    match key {
        Value::Integer(_) | Value::Number(_) => Ordering::Less,
        Value::String(_) => Ordering::Equal,
        _ => Ordering::Greater,
    }
}

type Concat = (Table, Option<LuaString>, Option<f64>, Option<f64>);

/// `table.concat`.
fn concat(lua: &Lua, state: &State, (list, between, from, to): Concat) -> mlua::Result<LuaString> {
    let between = between.map_or(Vec::new(), |it| it.as_bytes().to_vec());
    let from = from.map_or(1, whole);
    let to = to.map_or_else(|| i64::try_from(list.raw_len()).unwrap_or(i64::MAX), whole);
    let mut out = Vec::new();
    for at in from..=to {
        let value: Value = list.raw_get(at)?;
        let text = match value {
            Value::String(_) | Value::Integer(_) | Value::Number(_) => {
                LuaString::from_lua(value, lua)?
            }
            other => {
                let kind = other.type_name();
                return Err(mlua::Error::runtime(format!(
                    "invalid value ({kind}) at index {at} in table for 'concat'"
                )));
            }
        };
        let text = text.as_bytes();
        state.charge(2 + steps_for(text.len() + between.len()))?;
        out.extend_from_slice(&text);
        if at < to {
            out.extend_from_slice(&between);
        }
        state.has_room(out.len())?;
    }
    state.charge_call(out.len())?;
    lua.create_string(out)
}

#[allow(clippy::cast_possible_truncation)] // What is too large becomes the largest.
fn whole(number: f64) -> i64 {
    number as i64
}

/// A value that ends the script as soon as it is used, and reports what it was.
fn withheld(lua: &Lua, state: &Rc<State>, name: &'static str) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let meta = lua.create_table()?;
    let at_index = Rc::clone(state);
    let index = lua.create_function(move |_, (_, key): (Value, Value)| {
        at_index.unknown::<()>(format!("`{name}.{}`", name_of(&key)))
    })?;
    let at_call = Rc::clone(state);
    let call =
        lua.create_function(move |_, _: MultiValue| at_call.unknown::<()>(format!("`{name}`")))?;
    meta.set("__index", index)?;
    meta.set("__call", call)?;
    meta.set("__metatable", false)?;
    table.set_metatable(Some(meta))?;
    Ok(table)
}

/// A key as messages show it, shortened.
pub(super) fn name_of(value: &Value) -> String {
    shortened(&shown(value), LONGEST_NAME)
}

/// A value in a log line.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string_lossy(),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Boolean(value) => value.to_string(),
        other => other.type_name().to_owned(),
    }
}
