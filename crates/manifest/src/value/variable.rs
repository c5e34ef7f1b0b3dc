//! Flux variables (`postBuild` substitution): `${NAME}`, `${NAME:=default}`, `${NAME/./-}`.
//!
//! Flux replaces them in the text of a manifest before anything reads it, so what a value with one in it
//! will be is not known here. `$${NAME}` is how `${NAME}` itself is written.
//!
//! What is read here is what Flux reads: `envsubst` of kustomize-controller 1.9 (`github.com/fluxcd/pkg/envsubst`
//! 1.9.0, of Drone's). Between variables, `$$` is one `$`. A variable's name is letters, digits and `_`; after it come
//! `}` or one of these, where `word` may hold further variables:
//!
//! | | |
//! |---|---|
//! | `${#NAME}` | the length |
//! | `${NAME^}` `${NAME^^}` `${NAME,}` `${NAME,,}` | upper and lower case |
//! | `${NAME:first}` `${NAME:first:length}` | a part |
//! | `${NAME=word}` `${NAME:=word}` `${NAME:-word}` `${NAME:?word}` `${NAME:+word}` | a default |
//! | `${NAME#word}` `${NAME##word}` `${NAME%word}` `${NAME%%word}` | without its beginning or end |
//! | `${NAME/old/new}` `${NAME//old/new}` `${NAME/#old/new}` `${NAME/%old/new}` | replaced; `\/` and `$$` are escapes |
//!
//! Where Flux can't read one, it stops: nothing of the Flux Kustomization is applied, and what would follow is not read.

use std::sync::LazyLock;

/// A place where Flux reads a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable<'a> {
    /// The byte of its `$`.
    pub at: usize,
    /// One past its `}`; where Flux can't read it, where it stopped.
    pub end: usize,
    /// Its name; empty where Flux finds none.
    pub name: &'a str,
    /// Whether Flux can read it. It stops at one that it can't, with all that it would have applied.
    pub is_readable: bool,
    /// How many variables it stands in.
    pub depth: usize,
}

/// A text between variables, or a variable.
enum Piece<'a> {
    /// As it is after Flux: `$$` has become `$`. In parts.
    Text(&'a str),
    /// All of a variable, with those in it.
    Variable(Vec<Variable<'a>>),
}

/// Reads a text once, from its beginning to its end.
struct Pieces<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        if rest.starts_with("${") {
            let found = read(self.text, self.at);
            self.at = match found.first() {
                Some(whole) if found.iter().all(|one| one.is_readable) => whole.end,
                _ => self.text.len(),
            };
            return Some(Piece::Variable(found));
        }
        // A `$` before another one takes its place.
        let (shown, from) = match rest.strip_prefix("$$") {
            Some(_) => (rest.get(1..).unwrap_or_default(), 1),
            None => (rest, usize::from(rest.starts_with('$'))),
        };
        let to_next = shown.get(from..).and_then(|after| after.find('$'));
        let length = to_next.map_or(shown.len(), |next| from + next);
        self.at += rest.len() - shown.len() + length;
        shown.get(..length).map(Piece::Text)
    }
}

fn pieces(text: &str) -> Pieces<'_> {
    // A zero byte is the end of the text for Flux.
    let text = text.split('\0').next().unwrap_or_default();
    Pieces { text, at: 0 }
}

/// Whether a text has a variable in it.
pub fn in_text(text: &str) -> bool {
    // Most texts have no `$` at all, which is quick to see.
    text.as_bytes().contains(&b'$')
        && pieces(text).any(|piece| match piece {
            Piece::Variable(found) => found.iter().all(|one| one.is_readable),
            Piece::Text(_) => false,
        })
}

/// All places where Flux reads a variable, in the order of the text, those in a variable's default after it; what is
/// written as `$${` is left out. After one that Flux can't read there is no other.
pub fn all(text: &str) -> impl Iterator<Item = Variable<'_>> {
    pieces(text).flat_map(|piece| match piece {
        Piece::Variable(found) => found,
        Piece::Text(_) => Vec::new(),
    })
}

/// Whether a text is a single variable and nothing else: it may become a number.
pub fn is_all(text: &str) -> bool {
    end(text) == Some(text.len())
}

/// The text with `stand_in` in place of each variable, and otherwise as Flux leaves it. From a variable on that Flux
/// can't read it is as it was.
pub fn replaced(text: &str, stand_in: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut stopped = None;
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => plain.push_str(text),
            Piece::Variable(found) => match found.first() {
                Some(_) if found.iter().all(|one| one.is_readable) => plain.push_str(stand_in),
                Some(whole) => {
                    stopped = Some(whole.at);
                    plain.push_str(text.get(whole.at..).unwrap_or_default());
                }
                None => {}
            },
        }
    }
    // What Flux doesn't read is as it was.
    if let Some(after) = text.find('\0').filter(|_| stopped.is_none()) {
        plain.push_str(text.get(after..).unwrap_or_default());
    }
    plain
}

/// Where the variable that a text starts with ends; `None` where it starts with none.
pub fn end(text: &str) -> Option<usize> {
    let found = text.starts_with("${").then(|| read(text, 0))?;
    let is_readable = found.iter().all(|one| one.is_readable);
    found.first().filter(|_| is_readable).map(|one| one.end)
}

/// What is read of a variable after one that stands in it.
#[derive(Clone, Copy)]
enum Then {
    /// More of a default, up to `}`.
    Default,
    /// The end of a part's beginning.
    First,
    /// The end of what is replaced.
    Old,
    /// `}`.
    Close,
}

/// A variable that is being read.
struct Open {
    /// Its place among those that were found.
    found: usize,
    then: Then,
}

/// Reads the variable at byte `at` of a text, which starts with `${`: it, and those in it. Where Flux can't read it, one of
/// them is not readable.
fn read(text: &str, at: usize) -> Vec<Variable<'_>> {
    let mut reading = Reading {
        text,
        at,
        found: Vec::new(),
        open: Vec::new(),
        is_at_next: false,
    };
    let is_read = reading.all();
    if is_read.is_none() {
        // What it stands in has no end either; the innermost is the one that Flux stops at.
        let stopped = reading.open.last().map(|open| open.found);
        let stopped = stopped.or(reading.found.len().checked_sub(1));
        if let Some(one) = stopped.and_then(|at| reading.found.get_mut(at)) {
            one.is_readable = false;
            one.end = reading.at;
        }
    }
    reading.found
}

struct Reading<'a> {
    text: &'a str,
    at: usize,
    found: Vec<Variable<'a>>,
    /// The variables that have begun and not ended, from the outermost.
    open: Vec<Open>,
    /// Whether a variable begins here that stands in the last of them.
    is_at_next: bool,
}

/// Nothing where Flux can't read on.
type Read<T = ()> = Option<T>;

impl<'a> Reading<'a> {
    /// Reads until the outermost variable has ended. There is no recursion in it: a text may hold any number of
    /// variables in each other.
    fn all(&mut self) -> Read {
        self.begin()?;
        while let Some(open) = self.open.last() {
            if std::mem::take(&mut self.is_at_next) {
                self.begin()?;
                continue;
            }
            match open.then {
                Then::Default => self.default()?,
                Then::First => self.after_first()?,
                Then::Old => self.after_old()?,
                Then::Close => self.close()?,
            }
        }
        Some(())
    }

    fn rest(&self) -> &'a str {
        // A zero byte is the end of the text for Flux.
        let rest = self.text.get(self.at..).unwrap_or_default();
        match rest.as_bytes().first() {
            Some(0) => "",
            _ => rest,
        }
    }

    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Takes as many characters as fit, which are `most` or fewer; how many they were.
    fn take(&mut self, most: usize, fits: impl Fn(char) -> bool) -> usize {
        let mut taken = 0;
        while taken < most
            && let Some(next) = self.next().filter(|next| fits(*next))
        {
            self.at += next.len_utf8();
            taken += 1;
        }
        taken
    }

    fn expect(&mut self, wanted: char) -> Read {
        (self.take(1, |next| next == wanted) == 1).then_some(())
    }

    /// Reads `${`, the name and what says what is done with it.
    fn begin(&mut self) -> Read {
        let depth = self.open.len();
        self.found.push(Variable {
            at: self.at,
            end: self.at,
            name: "",
            is_readable: true,
            depth,
        });
        self.open.push(Open {
            found: self.found.len() - 1,
            then: Then::Close,
        });
        self.at += 2;
        let is_length = self.expect('#').is_some();
        let start = self.at;
        self.take(usize::MAX, is_in_name);
        let name = self
            .text
            .get(start..self.at)
            .filter(|name| !name.is_empty());
        if let Some(one) = self.found.last_mut() {
            one.name = name.unwrap_or_default();
        }
        name?;
        if is_length {
            return Some(());
        }
        match self.next()? {
            '}' => Some(()),
            '^' | ',' => {
                self.take(2, |next| matches!(next, '^' | ','));
                Some(())
            }
            '=' => self.begin_default(1),
            ':' => match self.rest().as_bytes().get(1) {
                Some(b'=' | b'-' | b'?' | b'+') => self.begin_default(2),
                // Flux' scanner loses its place there.
                Some(128..) => None,
                _ => {
                    self.at += 1;
                    self.word(Then::First, |next| !matches!(next, ':' | '}'), false)
                }
            },
            mark @ ('#' | '%') => {
                self.take(2, |next| next == mark);
                self.word(Then::Close, |next| next != '}', false)
            }
            '/' => {
                self.at += 1;
                self.take(1, |next| matches!(next, '/' | '#' | '%'));
                self.word(Then::Old, |next| next != '/', true)
            }
            _ => None,
        }
    }

    fn begin_default(&mut self, length: usize) -> Read {
        self.at += length;
        self.then(Then::Default);
        Some(())
    }

    fn then(&mut self, then: Then) {
        if let Some(open) = self.open.last_mut() {
            open.then = then;
        }
    }

    /// Reads a variable, or at least one character, up to the next variable.
    fn word(&mut self, then: Then, fits: impl Fn(char) -> bool, has_escapes: bool) -> Read {
        self.then(then);
        if self.rest().starts_with("${") {
            self.is_at_next = true;
            return Some(());
        }
        let start = self.at;
        loop {
            let rest = self.rest();
            let is_escape = has_escapes
                && (rest.starts_with("$$") || rest.starts_with("\\/") || rest.starts_with("\\\\"));
            if is_escape {
                self.at += 2;
            } else if rest.starts_with("${") || self.take(1, &fits) == 0 {
                return (self.at > start).then_some(());
            }
        }
    }

    fn default(&mut self) -> Read {
        match self.next()? {
            '}' => self.close(),
            _ => self.word(Then::Default, |next| next != '}', false),
        }
    }

    fn after_first(&mut self) -> Read {
        match self.take(usize::MAX, |next| next == ':') {
            0 => self.close(),
            _ => self.word(Then::Close, |next| next != '}', false),
        }
    }

    fn after_old(&mut self) -> Read {
        if self.take(usize::MAX, |next| next == '/') == 0 {
            return None;
        }
        match self.next()? {
            '}' => self.close(),
            _ => self.word(Then::Close, |next| next != '}', true),
        }
    }

    fn close(&mut self) -> Read {
        self.expect('}')?;
        let closed = self.open.pop()?;
        if let Some(one) = self.found.get_mut(closed.found) {
            one.end = self.at;
        }
        Some(())
    }
}

/// What Flux takes for a part of a name: Go's letters and decimal digits.
fn is_in_name(letter: char) -> bool {
    static LETTER: LazyLock<Option<regex::Regex>> =
        LazyLock::new(|| regex::Regex::new(r"\A[\p{L}\p{Nd}]\z").ok());
    if letter.is_ascii() {
        return letter.is_ascii_alphanumeric() || letter == '_';
    }
    match LETTER.as_ref() {
        Some(pattern) => pattern.is_match(letter.encode_utf8(&mut [0; 4])),
        None => letter.is_alphanumeric(),
    }
}

#[cfg(test)]
mod tests;
