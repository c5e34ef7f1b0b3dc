//! Where scripts run: without anything that reaches out, and with limits on steps and memory. The limits are counted,
//! not timed: a script ends the same way on every machine.
//!
//! Envoy runs LuaJIT, which is Lua 5.1 with much of 5.2. Here it is Lua 5.2, which knows LuaJIT's `goto` and is built with
//! the compiler that Rust links with, plus what LuaJIT kept of 5.1 (`bit` among it). What neither has is unknown.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use mlua::chunk::ChunkMode;
use mlua::{Function, HookTriggers, Lua, LuaOptions, MultiValue, StdLib, Value, VmState};

use super::handle::Handle;
use super::{bit, strings};

/// The most steps: far more than any script takes that is run on every request.
const MOST_STEPS: u64 = 1_000_000;

/// The most memory, in bytes.
const MOST_MEMORY: usize = 4 << 20;

/// How many instructions pass between two looks at the counters.
const EVERY: u32 = 100;

/// Memory that costs nothing; above it, each [`BYTES_A_STEP`] in use cost a step at every look, since a single
/// instruction may copy all of it.
const FREE_MEMORY: usize = 512 << 10;
const BYTES_A_STEP: usize = 512;

/// What catching an error costs, in steps: it is passed through many calls.
const CATCH: u64 = 200;

/// How deep errors may be caught within each other.
const DEEPEST_CATCH: usize = 100;

/// The most lines of its log that are kept.
const MOST_LOGS: usize = 20;

/// How numbers end that only LuaJIT has: whole ones of 64 bits, and imaginary ones.
const NUMBER_ENDS: [&str; 5] = ["ULL", "LL", "ull", "ll", "i"];

/// What a script can't be given: it would reach out, run what is not the script, or change what functions see, which
/// Lua 5.2 has no more.
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

/// What a script is told of the request.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The headers, those that begin with `:` included.
    pub headers: Vec<(String, String)>,
    /// The client's address, as policies see it.
    pub client: Option<String>,
    /// The address that the connection comes from.
    pub peer: Option<String>,
    /// The server name that TLS was asked for.
    pub server_name: Option<String>,
}

/// What a script does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It lets it pass.
    Passes {
        /// The headers that it changes.
        changed: Vec<String>,
    },
    /// It answers itself.
    Responds {
        /// With this status.
        status: u16,
    },
    /// It ends with an error; Envoy lets the request pass.
    Fails(String),
    /// It is no Lua.
    Unreadable(String),
    /// It asks for this, which is not known here.
    Unknown(String),
    /// It has taken too much of this.
    Limit(String),
}

/// A run of a script.
#[derive(Clone, Debug)]
pub struct Run {
    /// What came of it.
    pub verdict: Verdict,
    /// What it logged.
    pub logs: Vec<String>,
    /// The headers, as it left them.
    pub headers: Vec<(String, String)>,
}

/// Why a script is ended before its end. It must not go on, whatever it catches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Steps,
    Unknown(String),
    Responded(u16),
}

/// What a run keeps count of.
#[derive(Debug, Default)]
pub(super) struct State {
    pub facts: Facts,
    pub headers: RefCell<Vec<(String, String)>>,
    pub changed: RefCell<Vec<String>>,
    pub logs: RefCell<Vec<String>>,
    ended: RefCell<Option<Ended>>,
    steps: Cell<u64>,
    catches: Cell<usize>,
}

impl State {
    /// Ends the script.
    pub fn end<T>(&self, why: Ended) -> mlua::Result<T> {
        self.ended.borrow_mut().get_or_insert(why);
        Err(mlua::Error::runtime("ended"))
    }

    /// Ends the script at something that is not known here.
    pub fn unknown<T>(&self, what: impl Into<String>) -> mlua::Result<T> {
        self.end(Ended::Unknown(what.into()))
    }

    /// Counts steps.
    pub fn charge(&self, steps: u64) -> mlua::Result<()> {
        if self.ended.borrow().is_some() {
            return Err(mlua::Error::runtime("ended"));
        }
        let all = self.steps.get().saturating_add(steps);
        self.steps.set(all);
        match all > MOST_STEPS {
            true => self.end(Ended::Steps),
            false => Ok(()),
        }
    }

    /// Keeps a line of the log.
    pub fn log(&self, line: String) {
        let mut logs = self.logs.borrow_mut();
        if logs.len() < MOST_LOGS {
            logs.push(line);
        }
    }
}

/// Runs a script's `envoy_on_request` for a request.
pub fn run(script: &str, facts: &Facts) -> Run {
    let state = Rc::new(State {
        facts: facts.clone(),
        headers: RefCell::new(facts.headers.clone()),
        ..State::default()
    });
    let ran = enter(script, &state);
    let ended = state.ended.borrow().clone();
    let verdict = match (ended, ran) {
        (Some(Ended::Steps), _) => Verdict::Limit(format!("{MOST_STEPS} steps")),
        (Some(Ended::Unknown(what)), _) => Verdict::Unknown(what),
        (Some(Ended::Responded(status)), _) => Verdict::Responds { status },
        (None, Ok(())) => Verdict::Passes {
            changed: state.changed.take(),
        },
        (None, Err(error)) => failed(&error),
    };
    Run {
        verdict,
        logs: state.logs.take(),
        headers: state.headers.take(),
    }
}

fn failed(error: &mlua::Error) -> Verdict {
    match error {
        mlua::Error::MemoryError(_) => {
            Verdict::Limit(format!("{} MiB of memory", MOST_MEMORY >> 20))
        }
        mlua::Error::SyntaxError { message, .. } => {
            let message = first_line(message);
            let near = |end: &&&str| message.ends_with(&format!("near '{end}'"));
            match NUMBER_ENDS.iter().find(near) {
                Some(end) => Verdict::Unknown(format!("a number that ends with `{end}`")),
                None => Verdict::Unreadable(message),
            }
        }
        mlua::Error::CallbackError { cause, .. } => failed(cause),
        mlua::Error::RuntimeError(message) => Verdict::Fails(first_line(message)),
        other => Verdict::Fails(first_line(&other.to_string())),
    }
}

/// The message without the trace that follows it.
fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}

fn enter(script: &str, state: &Rc<State>) -> mlua::Result<()> {
    let libraries = StdLib::STRING | StdLib::TABLE | StdLib::MATH;
    let lua = Lua::new_with(libraries, LuaOptions::default())?;
    bit::add(&lua)?;
    furnish(&lua, state)?;
    lua.set_memory_limit(MOST_MEMORY)?;
    let counter = Rc::clone(state);
    lua.set_hook(
        HookTriggers::new().every_nth_instruction(EVERY),
        move |lua, _| {
            let held = lua.used_memory().saturating_sub(FREE_MEMORY) / BYTES_A_STEP;
            counter.charge(u64::from(EVERY) + u64::try_from(held).unwrap_or(u64::MAX))?;
            Ok(VmState::Continue)
        },
    )?;
    lua.load(script)
        .set_name("=script")
        .set_mode(ChunkMode::Text)
        .exec()?;
    let entry: Value = lua.globals().get("envoy_on_request")?;
    match entry {
        Value::Function(entry) => entry.call::<()>(Handle::new(Rc::clone(state))),
        // It may only look at responses.
        _ => Ok(()),
    }
}

/// Takes out what reaches out, and puts in what keeps count.
fn furnish(lua: &Lua, state: &Rc<State>) -> mlua::Result<()> {
    let globals = lua.globals();
    for name in WITHHELD {
        globals.set(name, withheld(lua, state, name)?)?;
    }
    let log = Rc::clone(state);
    let print = lua.create_function(move |_, all: MultiValue| {
        let all: Vec<String> = all.iter().map(shown).collect();
        log.log(all.join(" "));
        Ok(())
    })?;
    globals.set("print", print)?;
    strings::replace(lua, state)?;
    catch_less(lua, state)
}

/// Makes `pcall` and `xpcall` such that what ends a script is not caught by it, nor answered by its handlers.
fn catch_less(lua: &Lua, state: &Rc<State>) -> mlua::Result<()> {
    const WRAP: &str = "local enter, leave, is_ended, pcall, xpcall = ...
        local function left(...) leave() return ... end
        return function(...) enter() return left(pcall(...)) end,
        function(call, handler, ...)
            enter()
            return left(xpcall(call, function(why)
                if is_ended() then return why end
                return handler(why)
            end, ...))
        end";
    let globals = lua.globals();
    let at_start = Rc::clone(state);
    let enter = lua.create_function(move |_, ()| {
        let depth = at_start.catches.get() + 1;
        if depth > DEEPEST_CATCH {
            return Err(mlua::Error::runtime("stack overflow"));
        }
        at_start.catches.set(depth);
        at_start.charge(CATCH)
    })?;
    let at_end = Rc::clone(state);
    let leave = lua.create_function(move |_, ()| {
        at_end.catches.set(at_end.catches.get().saturating_sub(1));
        at_end.charge(0)
    })?;
    let asked = Rc::clone(state);
    let is_ended = lua.create_function(move |_, ()| Ok(asked.ended.borrow().is_some()))?;
    let raw: (Value, Value) = (globals.get("pcall")?, globals.get("xpcall")?);
    let wrapped: (Function, Function) = lua
        .load(WRAP)
        .call((enter, leave, is_ended, raw.0, raw.1))?;
    globals.set("pcall", wrapped.0)?;
    globals.set("xpcall", wrapped.1)
}

/// Something that ends the script as soon as it is used, saying what it was.
fn withheld(lua: &Lua, state: &Rc<State>, name: &'static str) -> mlua::Result<mlua::Table> {
    let table = lua.create_table()?;
    let meta = lua.create_table()?;
    let at_index = Rc::clone(state);
    let index = lua.create_function(move |_, (_, key): (Value, Value)| {
        at_index.unknown::<()>(format!("`{name}.{}`", shown(&key)))
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

/// A value in a log.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string_lossy(),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Boolean(value) => value.to_string(),
        other => other.type_name().to_owned(),
    }
}
