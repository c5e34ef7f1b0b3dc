//! Where `trace` runs scripts: in a process of its own, which the kernel bounds.
//!
//! The process is this program, called with `run-scripts`. It reads a script and a request a line, as JSON, and answers
//! each with a line. The steps and the memory of a script are counted there, which ends it the same way on every
//! machine. The kernel's limits are the guard behind that: whatever escapes the count, a mistake in Lua included, ends
//! that process and not this one. Then nothing is known of the script, nor of those behind it.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use anyhow::Context;

use super::FAILED;
use super::output::Stream;
use envoy_simulate::lua::{InProcess, Job, NotRun, Run, Runner, Verdict};

/// The argument with which this program runs scripts. It is none of its commands, so that nobody is shown it.
const ARGUMENT: &str = "run-scripts";

/// The processor time that all scripts of a trace may take, in seconds. What is counted takes a fraction of it; a build
/// that is not optimised is slower by far.
#[cfg(unix)]
const MOST_SECONDS: u64 = if cfg!(debug_assertions) { 20 } else { 1 };

/// The memory that the process may take, in bytes.
#[cfg(unix)]
const MOST_MEMORY: u64 = 64 << 20;

/// How long an answer is waited for. The kernel counts the processor's time; this is for a process that gets none.
const LONGEST_WAIT: Duration = Duration::from_secs(if cfg!(unix) { 60 } else { 10 });

/// What is said of a script that the kernel ended, or the wait.
const BEYOND: &str = "processor time or memory";

/// Whether this process is to run scripts.
pub fn is_wanted() -> bool {
    let mut arguments = std::env::args_os().skip(1);
    arguments.next().is_some_and(|first| first == ARGUMENT) && arguments.next().is_none()
}

/// Runs scripts that come as lines on standard input, and answers each with a line on standard output.
pub fn main() -> ExitCode {
    match std::panic::catch_unwind(serve) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(_)) | Err(_) => ExitCode::from(FAILED),
    }
}

fn serve() -> anyhow::Result<()> {
    limit().context("no limits can be set")?;
    let mut out = Stream::stdout(|_| false);
    let runner = InProcess::default();
    for line in std::io::stdin().lock().lines() {
        let job: Job = serde_json::from_str(&line?)?;
        let run = runner.run(&job)?;
        let mut line = serde_json::to_vec(&run)?;
        line.push(b'\n');
        out.data().write_all(&line)?;
        out.flush()?;
    }
    Ok(())
}

/// Sets the kernel's limits for this process.
#[cfg(unix)]
fn limit() -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    // What is written of a process that died would lie in the user's folder.
    let limits = [
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Cpu, MOST_SECONDS),
        (Resource::Data, MOST_MEMORY),
    ];
    for (resource, most) in limits {
        // A limit that is narrower already stays.
        let before = getrlimit(resource);
        let most = [before.current, before.maximum]
            .into_iter()
            .flatten()
            .fold(most, u64::min);
        let limit = Rlimit {
            current: Some(most),
            maximum: before.maximum,
        };
        setrlimit(resource, limit)?;
    }
    Ok(())
}

/// Elsewhere only the wait for an answer bounds it.
#[cfg(not(unix))]
fn limit() -> std::io::Result<()> {
    Ok(())
}

/// The process, and the thread that talks to it.
#[derive(Debug)]
struct Session {
    wait: Duration,
    child: Child,
    jobs: Sender<Job>,
    answers: Receiver<std::io::Result<String>>,
}

impl Session {
    fn start(program: &Path, wait: Duration) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("a process for it can't be started")?;
        let (to_child, from_child) = (child.stdin.take(), child.stdout.take());
        let (jobs, waiting) = channel::<Job>();
        let (answered, answers) = channel();
        let talk = move || {
            let (Some(mut to_child), Some(from_child)) = (to_child, from_child) else {
                return;
            };
            let mut from_child = BufReader::new(from_child);
            for job in waiting {
                let answer = exchange(&job, &mut to_child, &mut from_child);
                let is_over = !matches!(&answer, Ok(line) if !line.is_empty());
                if answered.send(answer).is_err() || is_over {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().spawn(talk);
        let mut session = Session {
            wait,
            child,
            jobs,
            answers,
        };
        match thread {
            Ok(_) => Ok(session),
            Err(why) => {
                session.end();
                Err(why).context("a thread for it can't be started")
            }
        }
    }

    /// Hands a script over and waits for what comes of it.
    fn run(&mut self, job: &Job) -> anyhow::Result<Run> {
        // Where the thread has ended, there is no answer either.
        let _ = self.jobs.send(job.clone());
        let line = match self.answers.recv_timeout(self.wait) {
            Ok(Ok(line)) => line,
            Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => String::new(),
            Err(RecvTimeoutError::Timeout) => {
                self.end();
                return Ok(beyond());
            }
        };
        if !line.is_empty() {
            return serde_json::from_str(&line).context("its process gives an answer that is none");
        }
        match self.child.wait()? {
            status if was_ended(status) => Ok(beyond()),
            status => anyhow::bail!("its process ended without an answer ({status})"),
        }
    }

    fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end();
    }
}

/// This program. Linux finds it even where its file has been replaced.
fn program() -> anyhow::Result<PathBuf> {
    let own = PathBuf::from("/proc/self/exe");
    if cfg!(target_os = "linux") && own.exists() {
        return Ok(own);
    }
    std::env::current_exe().context("this program doesn't know where it is")
}

/// Hands a script over and reads the answer, which is empty where the process has ended.
fn exchange(
    job: &Job,
    to_child: &mut impl Write,
    from_child: &mut impl BufRead,
) -> std::io::Result<String> {
    let mut line = serde_json::to_vec(job)?;
    line.push(b'\n');
    to_child.write_all(&line)?;
    to_child.flush()?;
    let mut answer = String::new();
    from_child.read_line(&mut answer)?;
    Ok(answer)
}

/// Whether the kernel ended a process, for its limits or for a fault.
#[cfg(unix)]
fn was_ended(status: std::process::ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal().is_some()
}

#[cfg(not(unix))]
fn was_ended(status: std::process::ExitStatus) -> bool {
    // What ends with a fault has its high bits set.
    status.code().is_some_and(|code| code < 0)
}

fn beyond() -> Run {
    Run {
        verdict: Verdict::Limit(BEYOND.to_owned()),
        logs: Vec::new(),
        headers: Vec::new(),
        steps: 0,
    }
}

/// Runs scripts in a process of their own, which is started for the first.
#[derive(Debug, Default)]
pub struct InChild {
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    session: Option<Session>,
    /// Whether a script was ended with its process: none is run any more.
    is_over: bool,
    failures: Vec<NotRun>,
}

impl InChild {
    /// The scripts that could not be run.
    pub fn failures(&self) -> Vec<NotRun> {
        self.state.borrow().failures.clone()
    }
}

impl State {
    fn run(&mut self, job: &Job) -> anyhow::Result<Run> {
        if self.is_over {
            return Ok(beyond());
        }
        let session = match self.session.take() {
            Some(session) => session,
            None => Session::start(&program()?, LONGEST_WAIT)?,
        };
        let run = self.session.insert(session).run(job)?;
        if run == beyond() {
            self.is_over = true;
            self.session = None;
        }
        Ok(run)
    }
}

impl Runner for InChild {
    fn run(&self, job: &Job) -> Result<Run, NotRun> {
        let mut state = self.state.borrow_mut();
        state.run(job).map_err(|why| {
            state.session = None;
            let failure = NotRun {
                job: job.name.clone(),
                why: format!("{why:#}"),
            };
            state.failures.push(failure.clone());
            failure
        })
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use envoy_simulate::lua::Facts;

    /// What comes of a script where the process is this shell script.
    fn run_by(shell: &str, wait: Duration) -> Result<Verdict, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("program");
        std::fs::write(&program, format!("#!/bin/sh\n{shell}\n")).expect("a program");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&program, executable).expect("it may be run");
        let job = Job {
            name: "the script".to_owned(),
            script: String::new(),
            facts: Facts::default(),
        };
        let session = Session::start(&program, wait);
        let run = session.and_then(|mut session| session.run(&job));
        run.map(|run| run.verdict).map_err(|why| format!("{why:#}"))
    }

    #[test]
    fn a_process_that_is_ended_says_nothing_of_the_script() {
        let beyond = Ok(Verdict::Limit(BEYOND.to_owned()));
        for shell in [
            "kill -SEGV $$",
            "read line; kill -XCPU $$",
            "read line; kill -KILL $$",
        ] {
            assert_eq!(run_by(shell, LONGEST_WAIT), beyond, "{shell}");
        }
        let none = Duration::from_millis(1);
        assert_eq!(run_by("exec sleep 600", none), beyond);
    }

    #[test]
    fn a_process_that_fails_is_no_verdict() {
        for (shell, wanted) in [
            (
                "read line; exit 3",
                "its process ended without an answer (exit status: 3)",
            ),
            (
                "exit 0",
                "its process ended without an answer (exit status: 0)",
            ),
            (
                "read line; echo yes; exec sleep 600",
                "its process gives an answer that is none: expected value",
            ),
        ] {
            let told = run_by(shell, LONGEST_WAIT).expect_err("a failure");
            assert!(told.starts_with(wanted), "{shell}: {told}");
        }
        let told = Session::start(Path::new("/nowhere/program"), LONGEST_WAIT);
        let told = told
            .map_err(|why| format!("{why:#}"))
            .expect_err("a failure");
        assert!(
            told.starts_with("a process for it can't be started"),
            "{told}"
        );
    }
}
