//! Runs the Lua scripts of `trace` in a separate process with limits from the kernel.
//!
//! The process is this program, started with the argument `run-scripts`. It reads one script and request a line, as
//! JSON, and answers each with a line. It counts the steps and the memory of a script, so that a script is stopped in
//! the same way on every machine. The kernel's limits are the second guard: whatever escapes the count, including a
//! bug in the Lua interpreter, ends that process and not this one. The result of that script and of those after it is
//! then unknown.

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

/// The argument that makes this program run scripts. It is not a clap command, so it is in no help text.
const ARGUMENT: &str = "run-scripts";

/// The processor time that all scripts of one trace may take, in seconds. The step count normally stops a script long
/// before; debug builds are much slower.
#[cfg(unix)]
const MOST_SECONDS: u64 = if cfg!(debug_assertions) { 20 } else { 1 };

/// The memory that the process may use, in bytes.
#[cfg(unix)]
const MOST_MEMORY: u64 = 64 << 20;

/// How long to wait for an answer. The kernel limits processor time; this is for a process that gets none.
const LONGEST_WAIT: Duration = Duration::from_secs(if cfg!(unix) { 60 } else { 10 });

/// What is reported for a script that was stopped by the kernel or by the wait.
const BEYOND: &str = "processor time or memory";

/// Whether this process was started to run scripts.
pub(super) fn is_wanted() -> bool {
    let mut arguments = std::env::args_os().skip(1);
    arguments.next().is_some_and(|first| first == ARGUMENT) && arguments.next().is_none()
}

/// Reads scripts as lines from standard input, and answers each with a line on standard output.
pub(super) fn main() -> ExitCode {
    match std::panic::catch_unwind(serve) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(_)) | Err(_) => ExitCode::from(FAILED),
    }
}

fn serve() -> anyhow::Result<()> {
    limit().context("can't set resource limits")?;
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
    // A core file would be written to the user's folder.
    let limits = [
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Cpu, MOST_SECONDS),
        (Resource::Data, MOST_MEMORY),
    ];
    for (resource, most) in limits {
        // A limit that is lower already is kept.
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

/// Other systems have no such limits; only the wait for an answer bounds the process.
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
            .context("can't start a process for it")?;
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
                Err(why).context("can't start a thread for it")
            }
        }
    }

    /// Sends a script and waits for its result.
    fn run(&mut self, job: &Job) -> anyhow::Result<Run> {
        // If the thread has ended, `recv_timeout` below fails too.
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
            return serde_json::from_str(&line)
                .context("its process gave an answer that can't be read");
        }
        match self.child.wait()? {
            status if was_ended(status) => Ok(beyond()),
            status => anyhow::bail!("its process ended without an answer ({status})"),
        }
    }

    fn end(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end();
    }
}

/// The path of this program. On Linux it works even if the file has been replaced since.
fn program() -> anyhow::Result<PathBuf> {
    let own = PathBuf::from("/proc/self/exe");
    if cfg!(target_os = "linux") && own.exists() {
        return Ok(own);
    }
    std::env::current_exe().context("can't find this program's own file")
}

/// Sends a script and reads the answer, which is empty if the process has ended.
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

/// Whether the kernel ended a process, because of its limits or a fault.
#[cfg(unix)]
fn was_ended(status: std::process::ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal().is_some()
}

#[cfg(not(unix))]
fn was_ended(status: std::process::ExitStatus) -> bool {
    // The exit code of a process that ends with a fault has its high bit set.
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

/// Runs scripts in a separate process, which is started for the first script.
#[derive(Debug, Default)]
pub(super) struct InChild {
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    session: Option<Session>,
    /// Whether the process was ended during a script. No more scripts are run then.
    is_over: bool,
    failures: Vec<NotRun>,
}

impl InChild {
    /// The scripts that could not be run.
    pub(super) fn failures(&self) -> Vec<NotRun> {
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

    /// The result of a script if the process is this shell script.
    fn run_by(shell: &str, wait: Duration) -> Result<Verdict, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("program");
        std::fs::write(&program, format!("#!/bin/sh\n{shell}\n")).expect("a program");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&program, executable).expect("can't make it executable");
        let job = Job {
            name: "the script".to_owned(),
            script: String::new(),
            facts: Facts::default(),
            is_check: false,
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
                "its process gave an answer that can't be read: expected value",
            ),
        ] {
            let told = run_by(shell, LONGEST_WAIT).expect_err("a failure");
            assert!(told.starts_with(wanted), "{shell}: {told}");
        }
        let told = Session::start(Path::new("/nowhere/program"), LONGEST_WAIT);
        let told = told
            .map_err(|why| format!("{why:#}"))
            .expect_err("a failure");
        assert!(told.starts_with("can't start a process for it"), "{told}");
    }
}
