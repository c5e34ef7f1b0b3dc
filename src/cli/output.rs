//! Everything that a command writes to standard output and standard error goes through here.
//!
//! Text from files, clusters and arguments is made harmless: characters that control a terminal or are invisible are
//! escaped, and no line can become a workflow command of the CI job that runs the program. Colours are the program's
//! own and pass only through [`Stream::styled`], whose callers escape text before they colour it.

use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};
use std::rc::Rc;

use super::closed::UntilClosed;
use crate::report::Terminal;
use manifest::diagnostic::printable;

/// Standard output or standard error of the program.
pub(super) struct Stream {
    to: UntilClosed<Box<dyn Write>>,
    is_terminal: bool,
    has_colour: bool,
    guard: OutputFilter,
}

impl Stream {
    /// Standard output. `colour` is told whether the stream is a terminal, and decides whether to use colours.
    pub(super) fn stdout(colour: impl FnOnce(bool) -> bool) -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        Stream::new(Box::new(stdout.lock()), is_terminal, colour(is_terminal))
    }

    /// Standard error. `colour` decides as for [`Stream::stdout`].
    pub(super) fn stderr(colour: impl FnOnce(bool) -> bool) -> Self {
        let stderr = io::stderr();
        let is_terminal = stderr.is_terminal();
        // The handle is not locked, so that a panic on another thread can still be printed.
        Stream::new(Box::new(stderr), is_terminal, colour(is_terminal))
    }

    /// A stream into a text, for a command that another one runs.
    pub(super) fn text() -> (Self, Rc<RefCell<Vec<u8>>>) {
        let text = Rc::new(RefCell::new(Vec::new()));
        let to = SharedText(Rc::clone(&text));
        (Stream::new(Box::new(to), false, false), text)
    }

    fn new(to: Box<dyn Write>, is_terminal: bool, has_colour: bool) -> Self {
        Stream {
            to: UntilClosed::new(to),
            is_terminal,
            has_colour,
            guard: OutputFilter::default(),
        }
    }

    /// Whether the stream is a terminal.
    pub(super) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Whether the stream is written in colour.
    pub(super) fn has_colour(&self) -> bool {
        self.has_colour
    }

    /// How to format reports for people on this stream.
    pub(super) fn terminal(&self) -> Terminal {
        Terminal {
            color: self.has_colour,
            ..Terminal::default()
        }
    }

    /// The same stream, for text that this program has coloured. The caller has escaped the parts that came from
    /// elsewhere. If the stream has no colour, escape sequences for colours are escaped here too.
    pub(super) fn styled(&mut self) -> impl Write {
        let passes = Allowed {
            styles: self.has_colour,
            commands: false,
        };
        FilteredWriter {
            output: self,
            passes,
        }
    }

    /// The same stream, for the workflow commands of GitHub Actions that a report consists of.
    pub(super) fn commands(&mut self) -> impl Write {
        let passes = Allowed {
            styles: false,
            commands: true,
        };
        FilteredWriter {
            output: self,
            passes,
        }
    }

    /// The same stream, for bytes that another program reads. They are written unchanged unless the stream is a
    /// terminal.
    pub(super) fn data(&mut self) -> impl Write {
        Data { stream: self }
    }

    /// Writes a JSON document and a newline.
    ///
    /// # Errors
    /// If the stream can't be written to.
    pub(super) fn json(&mut self, document: &serde_json::Value) -> io::Result<()> {
        writeln!(self, "{}", printable::json(&format!("{document:#}")))
    }

    /// Clears a terminal, and begins at its top. Other streams keep everything, with a blank line in between.
    ///
    /// # Errors
    /// If the stream can't be written to.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        match self.is_terminal {
            true => write!(self.to, "\u{1b}[2J\u{1b}[3J\u{1b}[H"),
            false => writeln!(self.to),
        }
    }

    /// Whether nobody reads standard output any more.
    pub(super) fn is_closed(&self) -> bool {
        self.to.is_closed() || is_stdout_closed()
    }

    /// Replaces the current line of a terminal with `text`, to show progress. Call it only if the stream is a
    /// terminal. Only commands that ask a cluster take long enough to need it.
    ///
    /// # Errors
    /// If the stream can't be written to.
    #[cfg(feature = "live")]
    pub(super) fn in_place(&mut self, text: &str) -> io::Result<()> {
        let text = printable::printable(text);
        write!(self.to, "\r\u{1b}[K{text}")?;
        self.to.flush()
    }

    fn pass(&mut self, bytes: &[u8], passes: Allowed) -> io::Result<()> {
        let text = self.guard.pass(bytes, passes);
        self.to.write_all(text.as_bytes())
    }
}

/// A text that is read when the stream has ended.
struct SharedText(Rc<RefCell<Vec<u8>>>);

impl Write for SharedText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether the reader of standard output has closed it, without writing to it.
#[cfg(unix)]
fn is_stdout_closed() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdout = io::stdout();
    let mut asked = [PollFd::new(&stdout, PollFlags::empty())];
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let gone = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
    poll(&mut asked, Some(&at_once)).is_ok() && asked[0].revents().intersects(gone)
}

/// Other systems tell it when something is written.
#[cfg(not(unix))]
fn is_stdout_closed() -> bool {
    false
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pass(bytes, Allowed::default())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// A [`Stream`] that lets more than harmless text through.
struct FilteredWriter<'a> {
    output: &'a mut Stream,
    passes: Allowed,
}

impl Write for FilteredWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.pass(bytes, self.passes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// A [`Stream`] whose bytes are for another program.
struct Data<'a> {
    stream: &'a mut Stream,
}

impl Write for Data<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.stream.is_terminal {
            true => self.stream.write(bytes),
            false => self.stream.to.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// What may pass besides harmless text.
#[derive(Clone, Copy, Default)]
struct Allowed {
    /// Escape sequences for colours and weights.
    styles: bool,
    /// Workflow commands of GitHub Actions.
    commands: bool,
}

/// What the current line consists of so far, as far as it matters for workflow commands.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum LineStart {
    /// Only blanks.
    #[default]
    Blank,
    /// Blanks and one colon. A second one would begin a command (`::error::`).
    Colon,
    /// Something else, followed by this many `#`. Two of them and a bracket begin a command (`##[error]`) anywhere in
    /// a line.
    Hashes(u8),
}

impl LineStart {
    fn after(self, c: char) -> Self {
        match (self, c) {
            (_, '\n') => LineStart::Blank,
            (LineStart::Blank, c) if c.is_whitespace() => LineStart::Blank,
            (LineStart::Blank, ':') => LineStart::Colon,
            (LineStart::Hashes(count), '#') => LineStart::Hashes(count.saturating_add(1)),
            (_, '#') => LineStart::Hashes(1),
            _ => LineStart::Hashes(0),
        }
    }

    /// The state after a run of plain characters.
    fn after_plain(self, run: &str) -> Self {
        match self {
            LineStart::Blank if run.bytes().all(|byte| byte == b' ') => LineStart::Blank,
            _ => LineStart::Hashes(0),
        }
    }

    /// Whether the first character of `rest` would complete the beginning of a command. Three colons don't: reports
    /// write them before the second place of a finding.
    fn begins_command(self, rest: &str) -> bool {
        let mut characters = rest.chars();
        let (Some(c), next) = (characters.next(), characters.next()) else {
            return false;
        };
        match self {
            LineStart::Blank => false,
            LineStart::Colon => c == ':' && next != Some(':'),
            LineStart::Hashes(count) => c == '[' && count >= 2,
        }
    }
}

/// Escapes text piece by piece. A character or a line may be split between pieces.
#[derive(Default)]
struct OutputFilter {
    line: LineStart,
    /// The first bytes of a character whose remaining bytes have not been written yet.
    begun: Vec<u8>,
}

impl OutputFilter {
    fn pass(&mut self, bytes: &[u8], passes: Allowed) -> String {
        let mut all = std::mem::take(&mut self.begun);
        all.extend_from_slice(bytes);
        let mut safe = String::with_capacity(all.len());
        let mut rest = all.as_slice();
        loop {
            let error = match std::str::from_utf8(rest) {
                Ok(text) => {
                    self.text(text, passes, &mut safe);
                    return safe;
                }
                Err(error) => error,
            };
            let (text, after) = rest.split_at(error.valid_up_to());
            self.text(&String::from_utf8_lossy(text), passes, &mut safe);
            let Some(bad) = error.error_len() else {
                self.begun = after.to_vec();
                return safe;
            };
            self.text("\u{fffd}", passes, &mut safe);
            rest = after.get(bad..).unwrap_or_default();
        }
    }

    fn text(&mut self, text: &str, passes: Allowed, safe: &mut String) {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            // Most text is plain and there may be a lot of it, so plain runs are copied at once.
            let plain = rest.bytes().take_while(|byte| is_plain(*byte)).count();
            if plain > 0 {
                let (run, after) = rest.split_at(plain);
                safe.push_str(run);
                self.line = self.line.after_plain(run);
                rest = after;
                continue;
            }
            if let Some(length) = style(rest).filter(|_| passes.styles) {
                let (style, after) = rest.split_at(length);
                safe.push_str(style);
                rest = after;
                continue;
            }
            if !passes.commands && self.line.begins_command(rest) {
                safe.extend(c.escape_unicode());
            } else {
                printable::push(safe, c);
            }
            self.line = self.line.after(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
}

/// Whether a byte is an ASCII character that is harmless and can't be part of a command.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b':' | b'#' | b'[')
}

/// The length of the SGR sequence (ECMA-48: colours and weights) at the beginning of a text.
fn style(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix("\u{1b}[")?;
    let end = numbers.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    numbers.get(end..)?.starts_with('m').then_some(end + 3)
}

/// Prints a panic as the standard library does, but through the guard.
pub(super) fn tell_panic(info: &std::panic::PanicHookInfo<'_>) {
    let payload = info.payload();
    let message = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let place = info
        .location()
        .map_or(String::new(), |at| format!(" at {at}"));
    let mut out = Stream::stderr(|_| false);
    // If even this can't be written, nothing is left to be done.
    let _ = writeln!(out, "panicked{place}:\n{}", printable::printable(message));
    // `capture` takes a backtrace only if RUST_BACKTRACE asks for one.
    let trace = std::backtrace::Backtrace::capture();
    if trace.status() == std::backtrace::BacktraceStatus::Captured {
        let _ = writeln!(out, "{trace}");
    }
}

#[cfg(test)]
mod tests;
