//! The thread that checks repositories. It checks the newest texts only: what is typed during a check waits for its end, and
//! whatever is typed meanwhile replaces it, so that nothing queues up.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::Global;
use super::analysis::analyse;
use super::lenses::exposures;
use super::server::Event;

/// How long nothing must be typed before a check begins.
const PAUSE: Duration = Duration::from_millis(150);

/// A repository to check.
struct Job {
    global: Global,
    /// When to begin.
    at: Instant,
}

#[derive(Default)]
struct Slot {
    /// The newest job for each root.
    jobs: Mutex<BTreeMap<PathBuf, Job>>,
    changed: Condvar,
}

/// Where jobs are given to the thread.
pub(super) struct Worker(Arc<Slot>);

impl Worker {
    /// Asks for a check. `now` is for texts that nobody is typing at.
    pub(super) fn check(&self, root: PathBuf, global: Global, now: bool) {
        let wait = if now { Duration::ZERO } else { PAUSE };
        let job = Job {
            global,
            at: Instant::now() + wait,
        };
        let mut jobs = self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.insert(root, job);
        self.0.changed.notify_all();
    }
}

impl Slot {
    /// Waits for the next job.
    fn next(&self) -> (PathBuf, Global) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let first = jobs.iter().min_by_key(|(_, job)| job.at);
            let first = first.map(|(root, job)| (root.clone(), job.at));
            let Some((root, at)) = first else {
                let woken = self.changed.wait(jobs);
                jobs = woken.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                if let Some(job) = jobs.remove(&root) {
                    return (root, job.global);
                }
                continue;
            }
            let woken = self.changed.wait_timeout(jobs, left);
            jobs = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn is_waiting(&self) -> bool {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        !jobs.is_empty()
    }
}

/// Starts the thread. It ends with the process.
pub(super) fn start(events: Sender<Event>) -> Worker {
    let slot = Arc::new(Slot::default());
    let worker = Worker(Arc::clone(&slot));
    std::thread::spawn(move || {
        loop {
            let (root, global) = slot.next();
            // A bug in a check must not end the server: the texts will have changed by the next one.
            let checked = catch_unwind(AssertUnwindSafe(|| analyse(&root, &global)));
            let checked = checked.unwrap_or_else(|_| {
                Err(anyhow::anyhow!(
                    "the check failed: this is a bug in gatewayctl"
                ))
            });
            let checked = checked.map(Box::new);
            if events.send(Event::Checked(root.clone(), checked)).is_err() {
                return;
            }
            // Newer texts come first.
            if slot.is_waiting() {
                continue;
            }
            let exposed = catch_unwind(AssertUnwindSafe(|| exposures(&global)));
            let exposed = exposed.ok().and_then(Result::ok);
            if events.send(Event::Exposed(root, exposed)).is_err() {
                return;
            }
        }
    });
    worker
}
