//! An output whose reader may close it.

use std::io::{self, ErrorKind, Write};

/// A stream that ignores what is written once its reader has closed it, as `head` does, so that the command still
/// ends with the right exit code. Other failures, such as a full disk, are reported.
pub(super) struct UntilClosed<W> {
    to: W,
    is_closed: bool,
}

impl<W: Write> UntilClosed<W> {
    pub(super) fn new(to: W) -> Self {
        UntilClosed {
            to,
            is_closed: false,
        }
    }

    /// Whether the reader has closed the stream, as far as something was written since.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Uses the stream, or returns `instead` once its reader has closed it.
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
