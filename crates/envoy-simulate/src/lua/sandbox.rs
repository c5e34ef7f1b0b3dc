//! Where scripts run: without anything that reaches out, and within the limits of [`super::state`].
//!
//! Envoy runs LuaJIT, which is Lua 5.1 with much of 5.2. Here it is Lua 5.2, which knows LuaJIT's `goto` and is built with
//! the compiler that Rust links with, plus what LuaJIT kept of 5.1 (`bit` among it). Whether LuaJIT loads a script is
//! told by [`luajit_syntax`]; what it loads and Lua 5.2 does not is unknown.

use std::rc::Rc;

use mlua::chunk::ChunkMode;
use mlua::{HookTriggers, Lua, LuaOptions, StdLib, Value, VmState};
use serde::{Deserialize, Serialize};

use super::furnish::furnish;
use super::handle::{self, Handle};
use super::state::{EVERY, Ended, MOST_MEMORY, State, shortened};

/// The longest script that is run, in bytes: Lua takes long to read some that are longer.
const LONGEST_SCRIPT: usize = 128 << 10;

/// What it takes to prepare a run, in steps.
const PREPARING: u64 = 5000;

/// How much of an error is shown, in characters.
const LONGEST_ERROR: usize = 500;

/// What a script is told of the request.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// It is no Lua, or ends with an error before Envoy has its functions.
    Unloadable(String),
    /// It asks for this, which is not known here.
    Unknown(String),
    /// It has taken too much of this.
    Limit(String),
}

/// A run of a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// What came of it.
    pub verdict: Verdict,
    /// What it logged.
    pub logs: Vec<String>,
    /// The headers, as it left them.
    pub headers: Vec<(String, String)>,
    /// The steps that it took.
    pub steps: u64,
}

/// How far a script came.
enum Came {
    /// Envoy has its functions.
    Loaded(mlua::Result<()>),
    /// It ended before, or was none.
    NotLoaded(Verdict),
}

/// Runs a script's `envoy_on_request` for a request, in at most so many steps.
pub(super) fn run(script: &str, facts: &Facts, most_steps: u64) -> Run {
    let state = Rc::new(State::new(facts, most_steps));
    let came = enter(script, &state);
    let verdict = match (state.ended(), came) {
        (Some(Ended::Steps), _) => Verdict::Limit(format!("{most_steps} steps")),
        (Some(Ended::Memory), _) => Verdict::Limit(memory_limit()),
        (Some(Ended::Unknown(what)), _) => Verdict::Unknown(shortened(&what, LONGEST_ERROR)),
        (Some(Ended::Responded(status)), _) => Verdict::Responds { status },
        (None, Came::NotLoaded(verdict)) => verdict,
        (None, Came::Loaded(Ok(()))) => Verdict::Passes {
            changed: state.changed.take(),
        },
        (None, Came::Loaded(Err(error))) => failed(&error).unwrap_or_else(Verdict::Fails),
    };
    Run {
        verdict,
        logs: state.logs.take(),
        headers: state.headers.take(),
        steps: state.steps(),
    }
}

fn memory_limit() -> String {
    format!("{} MiB of memory", MOST_MEMORY >> 20)
}

/// What an error means that is none of the script's own, else its message.
fn failed(error: &mlua::Error) -> Result<Verdict, String> {
    match error {
        mlua::Error::MemoryError(_) => Ok(Verdict::Limit(memory_limit())),
        mlua::Error::CallbackError { traceback, cause } => {
            failed(cause).map_err(|message| placed(&message, traceback))
        }
        mlua::Error::RuntimeError(message) => {
            let (first, trace) = message.split_once('\n').unwrap_or((message, ""));
            Err(placed(first, trace))
        }
        other => Err(placed(&other.to_string(), "")),
    }
}

/// A message with the line of the script that it is about. Where a function of ours found the error, the script's line
/// is in the trace of calls.
fn placed(message: &str, trace: &str) -> String {
    const SCRIPT: &str = "script:";
    let first = message.lines().next().unwrap_or_default();
    let own = first
        .strip_prefix("prelude:")
        .and_then(|rest| rest.split_once(": "));
    let first = own.map_or(first, |(_, rest)| rest);
    let first = shortened(first, LONGEST_ERROR);
    if first.starts_with(SCRIPT) {
        return first;
    }
    let mut calls = trace.lines().map(str::trim_start);
    let call = calls.find_map(|call| call.strip_prefix(SCRIPT));
    match call.and_then(|call| call.split(':').next()) {
        Some(line) => format!("{SCRIPT}{line}: {first}"),
        None => first,
    }
}

fn enter(script: &str, state: &Rc<State>) -> Came {
    let longest_text = match luajit_syntax::check(script) {
        Ok(script) => script.longest_text,
        Err(refusal) => {
            let (line, _) = luajit_syntax::line_and_column(script, refusal.range.start);
            let message = format!("line {line}: {}", refusal.message);
            return Came::NotLoaded(Verdict::Unloadable(message));
        }
    };
    if script.len() > LONGEST_SCRIPT {
        let limit = format!("{} KiB of text", LONGEST_SCRIPT >> 10);
        return Came::NotLoaded(Verdict::Limit(limit));
    }
    let error =
        |error: &mlua::Error| Came::NotLoaded(failed(error).unwrap_or_else(Verdict::Unloadable));
    let lua = match prepared(state) {
        Ok(lua) => lua,
        Err(why) => return error(&why),
    };
    let length = u64::try_from(script.len()).unwrap_or(u64::MAX);
    if let Err(why) = state.charge(PREPARING + length / 4) {
        return error(&why);
    }
    let chunk = lua.load(script).set_name("=script");
    let chunk = match chunk.set_mode(ChunkMode::Text).into_function() {
        Ok(chunk) => chunk,
        Err(mlua::Error::SyntaxError { message, .. }) => {
            let message = message.lines().next().unwrap_or_default();
            let what = format!("LuaJIT's own Lua ({})", shortened(message, LONGEST_ERROR));
            return Came::NotLoaded(Verdict::Unknown(what));
        }
        Err(why) => return error(&why),
    };
    state.begin(lua.used_memory(), longest_text);
    match chunk.call::<()>(()) {
        Ok(()) => Came::Loaded(on_request(&lua, state)),
        Err(why) => error(&why),
    }
}

fn on_request(lua: &Lua, state: &Rc<State>) -> mlua::Result<()> {
    let entry: Value = lua.globals().get("envoy_on_request")?;
    match entry {
        Value::Function(entry) => entry.call::<()>(Handle::new(Rc::clone(state))),
        // It may only look at responses.
        _ => Ok(()),
    }
}

/// Lua with what scripts may use, counting.
fn prepared(state: &Rc<State>) -> mlua::Result<Lua> {
    let libraries = StdLib::STRING | StdLib::TABLE | StdLib::MATH;
    let lua = Lua::new_with(libraries, LuaOptions::default())?;
    lua.gc_stop();
    furnish(&lua, state)?;
    handle::prepare(&lua, state)?;
    lua.set_memory_limit(lua.used_memory() + MOST_MEMORY)?;
    let counter = Rc::clone(state);
    let triggers = HookTriggers::new().every_nth_instruction(EVERY);
    lua.set_hook(triggers, move |lua, _| {
        counter.look(lua.used_memory())?;
        Ok(VmState::Continue)
    })?;
    Ok(lua)
}
