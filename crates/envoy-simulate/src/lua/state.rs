//! What a run of a script may take, and what it has taken.
//!
//! Three counts bound a run, and none of them is a clock: a script ends the same way on every machine.
//!
//! - **Steps.** An instruction is one. A single instruction, or a function of Lua's own, may go through a whole text or
//!   list, so each costs a step more for every [`TEXT_A_STEP`] of the longest text that is known of, and for every
//!   [`MADE_A_STEP`] of the largest thing that was made at once. Functions of ours count what they do; what loops in
//!   Lua's C code on a script's word is written in Lua, where it is counted (`prelude.lua`).
//! - **Memory.** Nothing is given back before the end: no collector runs that a script could keep busy, or that would
//!   call a `__gc`. So the limit is on all that a script ever makes, and with it on the work of making it.
//! - **What we keep for it**: headers and lines of the log.

use std::cell::{Cell, RefCell};

use super::sandbox::Facts;

/// The most steps of a script: far more than any takes that is run on every request.
pub(super) const MOST_STEPS: u64 = 1_000_000;

/// The most steps of all scripts of a trace.
pub(super) const MOST_STEPS_OF_ALL: u64 = 3 * MOST_STEPS;

/// The most that a script may make, in bytes.
pub(super) const MOST_MEMORY: usize = 16 << 20;

/// The most that is kept for a script outside of Lua, in bytes.
const MOST_KEPT: usize = 4 << 20;

/// How many instructions pass between two looks at the counters.
pub(super) const EVERY: u32 = 100;

/// How many bytes of a text an instruction goes through in a step: it may read a number in it.
const TEXT_A_STEP: usize = 2 << 10;

/// How many bytes of something else: of a list, most of all, whose places are copied or looked at.
const MADE_A_STEP: usize = 8 << 10;

/// How many bytes one of our functions copies or compares in a step.
const BYTES_COPIED_A_STEP: usize = 64;

/// What a call of one of our functions costs, in steps.
pub(super) const CALL: u64 = 10;

/// The most lines of its log that are kept, and how much of each.
const MOST_LOGS: usize = 20;
const LONGEST_LOG: usize = 500;

/// Why a script is ended before its end. It must not go on, whatever it catches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Steps,
    Memory,
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
    pub catches: Cell<usize>,
    ended: RefCell<Option<Ended>>,
    most_steps: u64,
    steps: Cell<u64>,
    kept: Cell<usize>,
    /// The memory in use at the last look.
    memory: Cell<usize>,
    /// The most that was made between two looks.
    largest: Cell<usize>,
    /// The longest text that is known of.
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

    /// Why it was ended.
    pub fn ended(&self) -> Option<Ended> {
        self.ended.borrow().clone()
    }

    /// The steps that were taken.
    pub fn steps(&self) -> u64 {
        self.steps.get()
    }

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
        match all > self.most_steps {
            true => self.end(Ended::Steps),
            false => Ok(()),
        }
    }

    /// Counts a call of one of our functions that goes through a text of so many bytes.
    pub fn charge_call(&self, bytes: usize) -> mlua::Result<()> {
        self.longest_text.set(self.longest_text.get().max(bytes));
        self.charge(CALL + steps_for(bytes))
    }

    /// Says how much memory is in use before the script begins, and how long the longest text in it is.
    pub fn begin(&self, memory: usize, longest_text: usize) {
        self.memory.set(memory);
        self.longest_text.set(longest_text);
    }

    /// Counts the instructions since the last look, with so much memory in use now.
    pub fn look(&self, memory: usize) -> mlua::Result<()> {
        let made = memory.saturating_sub(self.memory.replace(memory));
        self.largest.set(self.largest.get().max(made));
        let more = self.longest_text.get() / TEXT_A_STEP + self.largest.get() / MADE_A_STEP;
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        self.charge(u64::from(EVERY).saturating_mul(more.saturating_add(1)))
    }

    /// Counts what is kept for the script until its end.
    pub fn keep(&self, bytes: usize) -> mlua::Result<()> {
        let all = self.kept.get().saturating_add(bytes);
        self.kept.set(all);
        match all > MOST_KEPT {
            true => self.end(Ended::Memory),
            false => Ok(()),
        }
    }

    /// Ends a script that would make so much at once.
    pub fn has_room(&self, bytes: usize) -> mlua::Result<()> {
        match bytes > MOST_MEMORY {
            true => self.end(Ended::Memory),
            false => Ok(()),
        }
    }

    /// Keeps a line of the log.
    pub fn log(&self, line: &str) {
        let mut logs = self.logs.borrow_mut();
        if logs.len() < MOST_LOGS {
            logs.push(shortened(line, LONGEST_LOG));
        }
    }
}

/// The steps for which bytes are copied or compared.
pub(super) fn steps_for(bytes: usize) -> u64 {
    u64::try_from(bytes / BYTES_COPIED_A_STEP).unwrap_or(u64::MAX)
}

/// A text, or its beginning.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
