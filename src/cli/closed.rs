//! An output whose reader may go away.

use std::io::{self, ErrorKind, Write};

/// A stream that takes all that is written once its reader has gone, as `head` does: the command goes on to the exit
/// code that it earns. Other failures, a full disk for one, are failures.
pub struct UntilClosed<W> {
    to: W,
    is_closed: bool,
}

impl<W: Write> UntilClosed<W> {
    pub fn new(to: W) -> Self {
        UntilClosed {
            to,
            is_closed: false,
        }
    }

    /// Does something with the stream, or gives `instead` where nobody reads it any more.
    fn unless_closed<T>(
        &mut self,
        instead: T,
        act: impl FnOnce(&mut W) -> io::Result<T>,
    ) -> io::Result<T> {
        if self.is_closed {
            return Ok(instead);
        }
        match act(&mut self.to) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(instead)
            }
            done => done,
        }
    }
}

impl<W: Write> Write for UntilClosed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_closed(bytes.len(), |to| to.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_closed((), Write::flush)
    }
}
