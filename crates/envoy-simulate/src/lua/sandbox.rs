//! The environment that scripts run in: it can't reach anything outside, and keeps to the limits in `state.rs`.
//!
//! Envoy runs LuaJIT, which is Lua 5.1 with many parts of 5.2. Here it is Lua 5.2, which has LuaJIT's `goto` and
//! needs no other compiler than the one that Rust links with, plus what LuaJIT kept of 5.1 (for example `bit`).
//! [`luajit_syntax`] decides whether LuaJIT loads a script. If it does but Lua 5.2 doesn't, the result is unknown.

use std::rc::Rc;

use mlua::chunk::ChunkMode;
use mlua::{HookTriggers, Lua, LuaOptions, StdLib, Value, VmState};
use serde::{Deserialize, Serialize};

use super::furnish::furnish;
use super::handle::{self, Handle};
use super::state::{EVERY, MOST_MEMORY, State, StopReason, shortened};

/// The longest script that is run, in bytes. Lua takes very long to parse some longer ones.
const LONGEST_SCRIPT: usize = 128 << 10;

/// The cost of preparing a run, in steps.
const PREPARING: u64 = 5000;

/// How many characters of an error are shown.
const LONGEST_ERROR: usize = 500;

/// What a script can ask about the request.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Facts {
    /// The headers, including those that begin with `:`.
    pub headers: Vec<(String, String)>,
    /// The client's address, as policies see it.
    pub client: Option<String>,
    /// The address of the connection's peer.
    pub peer: Option<String>,
    /// The server name of the TLS connection.
    pub server_name: Option<String>,
}

/// What a script does with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It lets the request pass.
    Passes {
        /// The headers that it changes.
        changed: Vec<String>,
    },
    /// It responds itself.
    Responds {
        /// The status of the response.
        status: u16,
    },
    /// It ends with an error, and Envoy lets the request pass.
    Fails(String),
    /// It is not valid Lua, or ends with an error before its functions are defined.
    Unloadable(String),
    /// It uses something that is not known here.
    Unknown(String),
    /// It exceeded this limit.
    Limit(String),
}

/// The result of running a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// What it does with the request.
    pub verdict: Verdict,
    /// The lines that it logged.
    pub logs: Vec<String>,
    /// The headers, as the script left them.
    pub headers: Vec<(String, String)>,
    /// The number of steps that it took.
    pub steps: u64,
}

/// How far a script got.
enum ScriptProgress {
    /// Its functions are defined.
    Loaded(mlua::Result<()>),
    /// It ended before that, or is not valid Lua.
    NotLoaded(Verdict),
}

/// Runs a script's `envoy_on_request` for a request, with a limit of steps.
pub(super) fn run(script: &str, facts: &Facts, most_steps: u64) -> Run {
    let state = Rc::new(State::new(facts, most_steps));
    let came = enter(script, &state);
    let verdict = match (state.ended(), came) {
        (Some(StopReason::Steps), _) => Verdict::Limit(format!("{most_steps} steps")),
        (Some(StopReason::Memory), _) => Verdict::Limit(memory_limit()),
        (Some(StopReason::Unknown(what)), _) => Verdict::Unknown(shortened(&what, LONGEST_ERROR)),
        (Some(StopReason::Responded(status)), _) => Verdict::Responds { status },
        (None, ScriptProgress::NotLoaded(verdict)) => verdict,
        (None, ScriptProgress::Loaded(Ok(()))) => Verdict::Passes {
            changed: state.changed.take(),
        },
        (None, ScriptProgress::Loaded(Err(error))) => failed(&error).unwrap_or_else(Verdict::Fails),
    };
    Run {
        verdict,
        logs: state.logs.take(),
        headers: state.headers.take(),
        steps: state.steps(),
    }
}

pub(super) fn memory_limit() -> String {
    format!("{} MiB of memory", MOST_MEMORY >> 20)
}

/// The verdict for an error that the script didn't cause itself, else the message.
pub(super) fn failed(error: &mlua::Error) -> Result<Verdict, String> {
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

/// A message with the script's line number. If the error was found in one of our functions, the line is taken from
/// the traceback.
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

fn enter(script: &str, state: &Rc<State>) -> ScriptProgress {
    let longest_text = match luajit_syntax::check(script) {
        Ok(script) => script.longest_text,
        Err(refusal) => {
            let (line, _) = luajit_syntax::line_and_column(script, refusal.range.start);
            let message = format!("line {line}: {}", refusal.message);
            return ScriptProgress::NotLoaded(Verdict::Unloadable(message));
        }
    };
    if script.len() > LONGEST_SCRIPT {
        let limit = format!("{} KiB of text", LONGEST_SCRIPT >> 10);
        return ScriptProgress::NotLoaded(Verdict::Limit(limit));
    }
    let error = |error: &mlua::Error| {
        ScriptProgress::NotLoaded(failed(error).unwrap_or_else(Verdict::Unloadable))
    };
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
            return ScriptProgress::NotLoaded(Verdict::Unknown(what));
        }
        Err(why) => return error(&why),
    };
    state.begin(lua.used_memory(), longest_text);
    match chunk.call::<()>(()) {
        Ok(()) => ScriptProgress::Loaded(on_request(&lua, state)),
        Err(why) => error(&why),
    }
}

fn on_request(lua: &Lua, state: &Rc<State>) -> mlua::Result<()> {
    let entry: Value = lua.globals().get("envoy_on_request")?;
    match entry {
        Value::Function(entry) => entry.call::<()>(Handle::new(Rc::clone(state))),
        // A script may only handle responses.
        _ => Ok(()),
    }
}

/// A Lua state with what scripts may use, and with counting enabled.
pub(super) fn prepared(state: &Rc<State>) -> mlua::Result<Lua> {
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
