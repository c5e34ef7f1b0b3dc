//! Processes and what they cost.

use std::fmt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

/// Runs before the first that counts: they bring files into memory.
const WARM_UP: usize = 5;

/// What some runs of one command took.
#[derive(Default)]
pub struct Runs {
    times: Vec<Duration>,
    /// The most memory that a run held at a time, in KiB; `None` where the system doesn't say.
    memory: Option<u64>,
}

impl Runs {
    fn add(&mut self, time: Duration, memory: Option<u64>) {
        let at = self.times.partition_point(|there| *there <= time);
        self.times.insert(at, time);
        self.memory = self.memory.max(memory);
    }

    /// The time in the middle.
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
            // A count of KiB is far below where f64 loses whole numbers.
            #[allow(clippy::cast_precision_loss)]
            Some(kib) => write!(f, "   memory {:5.1} MiB", kib as f64 / 1024.0),
            None => Ok(()),
        }
    }
}

/// Runs two commands in turn.
pub fn alternate(mut commands: [&mut Command; 2], rounds: usize) -> [Runs; 2] {
    let mut runs = [Runs::default(), Runs::default()];
    for round in 0..WARM_UP + rounds.max(1) {
        for (command, runs) in commands.iter_mut().zip(&mut runs) {
            command.stdout(Stdio::null()).stderr(Stdio::null());
            let start = Instant::now();
            let child = command.spawn().expect("it starts");
            let (status, memory) = wait(child);
            let time = start.elapsed();
            // 1: the command did its work, and found something.
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

/// Waits for a process; how it ended, and the most memory that it held at a time, in KiB.
fn wait(child: Child) -> (ExitStatus, Option<u64>) {
    let used = child.wait4().expect("it ends");
    // A system that does not tell says 0.
    let memory = used.rusage.maxrss;
    (used.status, (memory > 0).then_some(memory / 1024))
}
