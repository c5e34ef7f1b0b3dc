//! The interface for running scripts: the caller of a trace provides a [`Runner`].

use std::cell::Cell;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::check::check;
use super::sandbox::{Facts, Run, Verdict, run};
use super::state::{MOST_STEPS, MOST_STEPS_OF_ALL};

/// A script, and the request to run it for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// The name of the script, for messages.
    pub name: String,
    /// The source of the script.
    pub script: String,
    /// What the script can ask about the request.
    pub facts: Facts,
    /// Whether it is run as Envoy Gateway runs it to check it, and not for a request.
    #[serde(default)]
    pub is_check: bool,
}

/// A script could not be run, so it is not known what it would do.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{job} could not be run: {why}")]
pub struct NotRun {
    /// The name of the script.
    pub job: String,
    /// The reason.
    pub why: String,
}

/// Runs scripts.
pub trait Runner: fmt::Debug {
    /// Runs a script.
    ///
    /// # Errors
    /// If it can't be run. This says nothing about the script itself.
    fn run(&self, job: &Job) -> Result<Run, NotRun>;
}

/// Runs scripts in this process. Only the counts of steps and memory limit them, so a bug in Lua or in the counting
/// is not contained. The program therefore runs scripts in a separate process.
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
        let most = left.min(MOST_STEPS);
        let mut run = match job.is_check {
            true => check(&job.script, most),
            false => run(&job.script, &job.facts, most),
        };
        self.left.set(left.saturating_sub(run.steps));
        if left < MOST_STEPS && matches!(run.verdict, Verdict::Limit(_)) {
            let limit = format!("{MOST_STEPS_OF_ALL} steps for all scripts together");
            run.verdict = Verdict::Limit(limit);
        }
        Ok(run)
    }
}
