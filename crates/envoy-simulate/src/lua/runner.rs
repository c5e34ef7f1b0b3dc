//! Who runs scripts: whoever traces a request brings a [`Runner`].

use std::cell::Cell;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::sandbox::{Facts, Run, Verdict, run};
use super::state::{MOST_STEPS, MOST_STEPS_OF_ALL};

/// A script, and the request that it is to be run for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// What it is called, for whoever has to say that it could not be run.
    pub name: String,
    /// Its text.
    pub script: String,
    /// What it is told of the request.
    pub facts: Facts,
}

/// A script could not be run: nothing is known of what it would do.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{job} could not be run: {why}")]
pub struct NotRun {
    /// What the script is called.
    pub job: String,
    /// Why.
    pub why: String,
}

/// Runs scripts.
pub trait Runner: fmt::Debug {
    /// Runs one.
    ///
    /// # Errors
    /// Where that can't be done, which says nothing about the script.
    fn run(&self, job: &Job) -> Result<Run, NotRun>;
}

/// Runs scripts here and now. Steps and memory are counted, and those counts alone bound them: against a mistake in Lua
/// itself, or in the counting, there is no guard. The program runs scripts in a process of their own instead.
#[derive(Debug)]
pub struct InProcess {
    left: Cell<u64>,
}

impl Default for InProcess {
    fn default() -> Self {
        InProcess {
            left: Cell::new(MOST_STEPS_OF_ALL),
        }
    }
}

impl Runner for InProcess {
    fn run(&self, job: &Job) -> Result<Run, NotRun> {
        let left = self.left.get();
        let mut run = run(&job.script, &job.facts, left.min(MOST_STEPS));
        self.left.set(left.saturating_sub(run.steps));
        if left < MOST_STEPS && matches!(run.verdict, Verdict::Limit(_)) {
            let limit = format!("{MOST_STEPS_OF_ALL} steps for all scripts together");
            run.verdict = Verdict::Limit(limit);
        }
        Ok(run)
    }
}
