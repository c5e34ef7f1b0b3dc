//! The limits of a script run, and what has been used of them.
//!
//! A run has three limits. None of them is a time, so a script ends in the same way on every machine.
//!
//! - **Steps.** An instruction is one step. A single instruction, or a function of Lua itself, may process a whole string or
//!   list. Each instruction therefore costs one more step for every [`TEXT_A_STEP`] bytes of the longest known string, and
//!   for every [`MADE_A_STEP`] bytes of the largest allocation. Our own functions count what they do. Functions whose
//!   loops in C depend on arguments are written in Lua instead, where they are counted (`prelude.lua`).
//! - **Memory.** Nothing is freed before the end: there is no garbage collector that a script could keep busy, or that
//!   would call a `__gc`. So the limit is on everything that a script ever allocates, and also bounds the work for it.
//! - **What we keep for the script**: headers and log lines.

use std::cell::{Cell, RefCell};

use super::sandbox::Facts;

/// The maximum number of steps of one script: far more than any script needs that runs on every request.
pub(super) const MOST_STEPS: u64 = 1_000_000;

/// The maximum number of steps of all scripts in one trace.
pub(super) const MOST_STEPS_OF_ALL: u64 = 3 * MOST_STEPS;

/// The maximum that a script may allocate, in bytes.
pub(super) const MOST_MEMORY: usize = 16 << 20;

/// The maximum that is kept for a script outside of Lua, in bytes.
const MOST_KEPT: usize = 4 << 20;

/// The number of instructions between two checks of the counters.
pub(super) const EVERY: u32 = 100;

/// How many bytes of a string count as one step of an instruction, which may have to parse the string as a number.
const TEXT_A_STEP: usize = 2 << 10;

/// How many bytes of another allocation count as one step. Most are lists, whose elements are copied or compared.
const MADE_A_STEP: usize = 8 << 10;

/// How many bytes one of our functions copies or compares in a step.
const BYTES_COPIED_A_STEP: usize = 64;

/// The cost of calling one of our functions, in steps.
pub(super) const CALL: u64 = 10;

/// The maximum number of log lines that are kept, and how many characters of each.
const MOST_LOGS: usize = 20;
const LONGEST_LOG: usize = 500;

/// Why a script was stopped. It must not continue, whatever errors it catches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum StopReason {
    Steps,
    Memory,
    Unknown(String),
    Responded(u16),
}

/// The counters of a run.
#[derive(Debug, Default)]
pub(super) struct State {
    pub facts: Facts,
    pub headers: RefCell<Vec<(String, String)>>,
    pub changed: RefCell<Vec<String>>,
    pub logs: RefCell<Vec<String>>,
    pub catches: Cell<usize>,
    ended: RefCell<Option<StopReason>>,
    most_steps: u64,
    steps: Cell<u64>,
    kept: Cell<usize>,
    /// The memory in use at the last check.
    memory: Cell<usize>,
    /// The largest allocation between two checks.
    largest: Cell<usize>,
    /// The length of the longest known string.
    longest_text: Cell<usize>,
}

impl State {
    pub fn new(facts: &Facts, most_steps: u64) -> Self {
        State {
            facts: facts.clone(),
            headers: RefCell::new(facts.headers.clone()),
            most_steps,
            ..State::default()
        }
    }

    /// Why the script was stopped.
    pub fn ended(&self) -> Option<StopReason> {
        self.ended.borrow().clone()
    }

    /// The number of steps so far.
    pub fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// Stops the script.
    pub fn end<T>(&self, why: StopReason) -> mlua::Result<T> {
        self.ended.borrow_mut().get_or_insert(why);
        Err(mlua::Error::runtime("ended"))
    }

    /// Stops the script because it uses something that is not known here.
    pub fn unknown<T>(&self, what: impl Into<String>) -> mlua::Result<T> {
        self.end(StopReason::Unknown(what.into()))
    }

    /// Adds to the steps.
    pub fn charge(&self, steps: u64) -> mlua::Result<()> {
        if self.ended.borrow().is_some() {
            return Err(mlua::Error::runtime("ended"));
        }
        let all = self.steps.get().saturating_add(steps);
        self.steps.set(all);
        match all > self.most_steps {
            true => self.end(StopReason::Steps),
            false => Ok(()),
        }
    }

    /// Counts a call of one of our functions that processes a string of this many bytes.
    pub fn charge_call(&self, bytes: usize) -> mlua::Result<()> {
        self.longest_text.set(self.longest_text.get().max(bytes));
        self.charge(CALL + steps_for(bytes))
    }

    /// Sets the memory in use before the script starts, and the length of the longest string in it.
    pub fn begin(&self, memory: usize, longest_text: usize) {
        self.memory.set(memory);
        self.longest_text.set(longest_text);
    }

    /// Counts the instructions since the last check. `memory` is the memory in use now.
    pub fn look(&self, memory: usize) -> mlua::Result<()> {
        let made = memory.saturating_sub(self.memory.replace(memory));
        self.largest.set(self.largest.get().max(made));
        let more = self.longest_text.get() / TEXT_A_STEP + self.largest.get() / MADE_A_STEP;
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        self.charge(u64::from(EVERY).saturating_mul(more.saturating_add(1)))
    }

    /// Counts bytes that are kept for the script until its end.
    pub fn keep(&self, bytes: usize) -> mlua::Result<()> {
        let all = self.kept.get().saturating_add(bytes);
        self.kept.set(all);
        match all > MOST_KEPT {
            true => self.end(StopReason::Memory),
            false => Ok(()),
        }
    }

    /// Stops a script that is about to allocate too much at once.
    pub fn has_room(&self, bytes: usize) -> mlua::Result<()> {
        match bytes > MOST_MEMORY {
            true => self.end(StopReason::Memory),
            false => Ok(()),
        }
    }

    /// Keeps a log line.
    pub fn log(&self, line: &str) {
        let mut logs = self.logs.borrow_mut();
        if logs.len() < MOST_LOGS {
            logs.push(shortened(line, LONGEST_LOG));
        }
    }
}

/// The steps for copying or comparing this many bytes.
pub(super) fn steps_for(bytes: usize) -> u64 {
    u64::try_from(bytes / BYTES_COPIED_A_STEP).unwrap_or(u64::MAX)
}

/// A text, cut to `most` characters.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
