//! Processes, with their time and memory.

use std::fmt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

/// The number of runs before the first one that counts. They bring files into the page cache.
const WARM_UP: usize = 5;

/// The time and memory of several runs of one command.
#[derive(Default)]
pub struct Runs {
    times: Vec<Duration>,
    /// The maximum memory of a run, in KiB; `None` if the system doesn't report it.
    memory: Option<u64>,
}

impl Runs {
    fn add(&mut self, time: Duration, memory: Option<u64>) {
        let at = self.times.partition_point(|there| *there <= time);
        self.times.insert(at, time);
        self.memory = self.memory.max(memory);
    }

    /// The median time.
    pub fn median(&self) -> Duration {
        self.times[self.times.len() / 2]
    }
}

impl fmt::Display for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        write!(
            f,
            "median {:6.1} ms   quickest {:6.1} ms",
            milliseconds(self.median()),
            milliseconds(self.times[0])
        )?;
        match self.memory {
            // A number of KiB is far below the limit of exact integers in f64.
            #[allow(clippy::cast_precision_loss)]
            Some(kib) => write!(f, "   memory {:5.1} MiB", kib as f64 / 1024.0),
            None => Ok(()),
        }
    }
}

/// Runs two commands alternately.
pub fn alternate(mut commands: [&mut Command; 2], rounds: usize) -> [Runs; 2] {
    let mut runs = [Runs::default(), Runs::default()];
    for round in 0..WARM_UP + rounds.max(1) {
        for (command, runs) in commands.iter_mut().zip(&mut runs) {
            command.stdout(Stdio::null()).stderr(Stdio::null());
            let start = Instant::now();
            let child = command.spawn().expect("it starts");
            let (status, memory) = wait(child);
            let time = start.elapsed();
            // Exit code 1 means that the command did its work and found something.
            assert!(
                matches!(status.code(), Some(0 | 1)),
                "{command:?}: {status}"
            );
            if round >= WARM_UP {
                runs.add(time, memory);
            }
        }
    }
    runs
}

/// Waits for a process. Returns its exit status and its maximum memory, in KiB.
fn wait(child: Child) -> (ExitStatus, Option<u64>) {
    let used = child.wait4().expect("it ends");
    // Systems that don't report it return 0.
    let memory = used.rusage.maxrss;
    (used.status, (memory > 0).then_some(memory / 1024))
}
