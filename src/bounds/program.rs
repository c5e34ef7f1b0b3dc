//! Runs other programs to their end, with limits on time and output.

use std::io::Write;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::file::{self, Unread};

/// How often a program that has closed its output is checked for its exit.
const LOOK: Duration = Duration::from_millis(5);

/// The limits for a program.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The maximum run time.
    pub time: Duration,
    /// The maximum number of bytes that it may print.
    pub bytes: u64,
}

/// The result of a program.
#[derive(Debug)]
pub struct Ran {
    /// The exit status.
    pub status: ExitStatus,
    /// The standard output.
    pub printed: Vec<u8>,
}

/// Why a program gave no result.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It can't be started, or its output can't be read.
    #[error("can't be run: {0}")]
    System(#[from] std::io::Error),
    /// It was still running after the maximum time, and was killed.
    #[error("was still running after {} s, and was stopped", .0.as_secs_f64().ceil())]
    Late(Duration),
    /// It printed more than the maximum, and was killed.
    #[error("printed more than {0} bytes, and was stopped")]
    TooMuch(u64),
}

/// Runs a program, with `input` on its standard input if there is any, and captures its standard output. The
/// caller decides about its other streams. The program is killed if it exceeds a limit.
/// # Errors
/// Fails if the program can't be run, or was killed.
pub fn run(command: &mut Command, input: Option<Vec<u8>>, bounds: Bounds) -> Result<Ran, Failure> {
    let start = Instant::now();
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let ran = talk(&mut child, input, bounds, start);
    if ran.is_err() {
        // The program may have exited in the meantime. If it can't be killed, waiting for it could take
        // forever.
        if child.kill().is_ok() {
            let _ = child.wait();
        }
    }
    ran
}

fn talk(
    child: &mut Child,
    input: Option<Vec<u8>>,
    bounds: Bounds,
    start: Instant,
) -> Result<Ran, Failure> {
    if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
        // If the program doesn't read all of its input, that shows in its output.
        std::thread::spawn(move || stdin.write_all(&input));
    }
    let (send, receive) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        std::thread::spawn(move || send.send(file::stream(stdout, bounds.bytes)));
    }
    let printed = match receive.recv_timeout(bounds.time) {
        Ok(Ok(printed)) => printed,
        Ok(Err(Unread::System(error))) => return Err(Failure::System(error)),
        Ok(Err(_)) => return Err(Failure::TooMuch(bounds.bytes)),
        Err(_) => return Err(Failure::Late(bounds.time)),
    };
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Ran { status, printed });
        }
        if start.elapsed() >= bounds.time {
            return Err(Failure::Late(bounds.time));
        }
        std::thread::sleep(LOOK);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sh(script: &str, input: Option<&str>, time: Duration) -> Result<Ran, Failure> {
        let bounds = Bounds { time, bytes: 1000 };
        let input = input.map(|text| text.as_bytes().to_vec());
        run(Command::new("sh").args(["-c", script]), input, bounds)
    }

    const LONG: Duration = Duration::from_secs(600);
    const SHORT: Duration = Duration::from_millis(200);

    #[test]
    fn a_program_gets_its_input_and_its_output_is_returned() {
        let ran = sh("cat; exit 3", Some("words"), LONG).expect("it ran");
        assert_eq!(ran.printed, b"words");
        assert_eq!(ran.status.code(), Some(3));
    }

    #[test]
    fn a_program_that_does_not_end_is_stopped() {
        let endless = [
            ("exec sleep 1000", SHORT),
            ("exec 1>&-; exec sleep 1000", SHORT),
        ];
        for (script, time) in endless {
            assert!(matches!(sh(script, None, time), Err(Failure::Late(_))));
        }
        let much = sh("exec cat /dev/zero", None, LONG);
        assert!(matches!(much, Err(Failure::TooMuch(1000))), "{much:?}");
        let none = run(
            &mut Command::new("/nowhere"),
            None,
            Bounds {
                time: LONG,
                bytes: 9,
            },
        );
        assert!(matches!(none, Err(Failure::System(_))));
    }
}
