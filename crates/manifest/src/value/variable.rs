//! Flux variables (`postBuild` substitution): `${NAME}`, `${NAME:=default}`, `${NAME/./-}`.
//! Flux replaces them in the text of a manifest before the manifest is parsed, so the final value is not
//! known here. `$${NAME}` is the escape for a literal `${NAME}`.
//! The syntax is that of `envsubst` in kustomize-controller 1.9 (`github.com/fluxcd/pkg/envsubst` 1.9.0, a
//! fork of Drone's). Between variables, `$$` stands for one `$`. The name of a variable consists of letters,
//! digits and `_`. It is followed by `}` or by one of these operators, where `word` may contain further
//! variables:
//! | syntax | result |
//! |---|---|
//! | `${#NAME}` | the length |
//! | `${NAME^}` `${NAME^^}` `${NAME,}` `${NAME,,}` | upper and lower case |
//! | `${NAME:first}` `${NAME:first:length}` | a substring |
//! | `${NAME=word}` `${NAME:=word}` `${NAME:-word}` `${NAME:?word}` `${NAME:+word}` | a default |
//! | `${NAME#word}` `${NAME##word}` `${NAME%word}` `${NAME%%word}` | without a prefix or suffix |
//! | `${NAME/old/new}` `${NAME//old/new}` `${NAME/#old/new}` `${NAME/%old/new}` | a replacement; `\/` and `$$` are escapes |
//! If Flux can't parse a variable, the substitution fails: nothing from the Flux Kustomization is applied,
//! and the rest of the text is not read.

use std::sync::LazyLock;

use super::Node;

/// A variable in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable<'a> {
    /// The byte position of its `$`.
    pub at: usize,
    /// The position after its `}`, or the position where Flux fails.
    pub end: usize,
    /// The name; empty if Flux finds none.
    pub name: &'a str,
    /// Whether Flux can parse it. If not, Flux applies nothing.
    pub is_readable: bool,
    /// The number of variables that it is nested in.
    pub depth: usize,
}

/// A variable, or a text between variables.
enum TextPart<'a> {
    /// A part of the text after the substitution, in which `$$` has become `$`.
    Text(&'a str),
    /// A variable, followed by the variables that are nested in it.
    Variable(Vec<Variable<'a>>),
}

/// Splits a text into pieces in one pass.
struct TextParts<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for TextParts<'a> {
    type Item = TextPart<'a>;

    fn next(&mut self) -> Option<TextPart<'a>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        if rest.starts_with("${") {
            let found = read(self.text, self.at);
            self.at = match found.first() {
                Some(whole) if found.iter().all(|one| one.is_readable) => whole.end,
                _ => self.text.len(),
            };
            return Some(TextPart::Variable(found));
        }
        // `$$` stands for one `$`.
        let (shown, from) = match rest.strip_prefix("$$") {
            Some(_) => (rest.get(1..).unwrap_or_default(), 1),
            None => (rest, usize::from(rest.starts_with('$'))),
        };
        let to_next = shown.get(from..).and_then(|after| after.find('$'));
        let length = to_next.map_or(shown.len(), |next| from + next);
        self.at += rest.len() - shown.len() + length;
        shown.get(..length).map(TextPart::Text)
    }
}

fn pieces(text: &str) -> TextParts<'_> {
    // Flux treats a zero byte as the end of the text.
    let text = text.split('\0').next().unwrap_or_default();
    TextParts { text, at: 0 }
}

/// Whether a text contains a variable.
pub fn in_text(text: &str) -> bool {
    // Most texts contain no `$`, which is fast to check.
    text.as_bytes().contains(&b'$')
        && pieces(text).any(|piece| match piece {
            TextPart::Variable(found) => found.iter().all(|one| one.is_readable),
            TextPart::Text(_) => false,
        })
}

/// Whether there is a variable in a string of a value, or of what is inside it. Keys don't count.
pub fn in_node(node: &Node) -> bool {
    node.any_string(&mut in_text)
}

/// All variables in a text, in order. Variables that are nested in another one follow it. `$${` is not a
/// variable. The list ends after a variable that Flux can't parse.
pub fn all(text: &str) -> impl Iterator<Item = Variable<'_>> {
    pieces(text).flat_map(|piece| match piece {
        TextPart::Variable(found) => found,
        TextPart::Text(_) => Vec::new(),
    })
}

/// Whether a text consists of a single variable, so that its value may be a number.
pub fn is_all(text: &str) -> bool {
    end(text) == Some(text.len())
}

/// The text after the substitution, with `stand_in` as the value of each variable. If Flux can't parse a
/// variable, the text from there on is unchanged.
pub fn replaced(text: &str, stand_in: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut stopped = None;
    for piece in pieces(text) {
        match piece {
            TextPart::Text(text) => plain.push_str(text),
            TextPart::Variable(found) => match found.first() {
                Some(_) if found.iter().all(|one| one.is_readable) => plain.push_str(stand_in),
                Some(whole) => {
                    stopped = Some(whole.at);
                    plain.push_str(text.get(whole.at..).unwrap_or_default());
                }
                None => {}
            },
        }
    }
    // The part that Flux doesn't read is unchanged.
    if let Some(after) = text.find('\0').filter(|_| stopped.is_none()) {
        plain.push_str(text.get(after..).unwrap_or_default());
    }
    plain
}

/// The end of the variable at the start of a text; `None` if the text doesn't start with a variable.
pub fn end(text: &str) -> Option<usize> {
    let found = text.starts_with("${").then(|| read(text, 0))?;
    let is_readable = found.iter().all(|one| one.is_readable);
    found.first().filter(|_| is_readable).map(|one| one.end)
}

/// What is expected in a variable after a nested one.
#[derive(Clone, Copy)]
enum Expected {
    /// More of a default, or `}`.
    Default,
    /// The end of the first number of a substring.
    First,
    /// The end of the text to be replaced.
    Old,
    /// The closing `}`.
    Close,
}

/// A variable whose end was not read yet.
struct OpenVariable {
    /// Its index in the list of found variables.
    found: usize,
    expected: Expected,
}

/// Parses the variable at byte `at` of a text, which starts with `${`. Returns it and all variables nested in
/// it. If Flux can't parse it, one of them is marked as not readable.
fn read(text: &str, at: usize) -> Vec<Variable<'_>> {
    let mut parser = Parser {
        text,
        at,
        found: Vec::new(),
        open: Vec::new(),
        is_at_next: false,
    };
    let is_read = parser.parse();
    if is_read.is_none() {
        // The outer variables have no end either, but Flux fails at the innermost one.
        let stopped = parser.open.last().map(|open| open.found);
        let stopped = stopped.or(parser.found.len().checked_sub(1));
        if let Some(one) = stopped.and_then(|at| parser.found.get_mut(at)) {
            one.is_readable = false;
            one.end = parser.at;
        }
    }
    parser.found
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    found: Vec<Variable<'a>>,
    /// The variables whose end was not read yet, from the outermost to the innermost.
    open: Vec<OpenVariable>,
    /// Whether a variable nested in the innermost one starts here.
    is_at_next: bool,
}

/// `None` if Flux can't parse the text.
type Read<T = ()> = Option<T>;

impl<'a> Parser<'a> {
    /// Parses until the outermost variable has ended. It is not recursive, because a text may have any number
    /// of nested variables.
    fn parse(&mut self) -> Read {
        self.begin()?;
        while let Some(open) = self.open.last() {
            if std::mem::take(&mut self.is_at_next) {
                self.begin()?;
                continue;
            }
            match open.expected {
                Expected::Default => self.default()?,
                Expected::First => self.after_first()?,
                Expected::Old => self.after_old()?,
                Expected::Close => self.close()?,
            }
        }
        Some(())
    }

    fn rest(&self) -> &'a str {
        // Flux treats a zero byte as the end of the text.
        let rest = self.text.get(self.at..).unwrap_or_default();
        match rest.as_bytes().first() {
            Some(0) => "",
            _ => rest,
        }
    }

    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Consumes at most `most` characters that fit, and returns their number.
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

    /// Parses `${`, the name and the operator.
    fn begin(&mut self) -> Read {
        let depth = self.open.len();
        self.found.push(Variable {
            at: self.at,
            end: self.at,
            name: "",
            is_readable: true,
            depth,
        });
        self.open.push(OpenVariable {
            found: self.found.len() - 1,
            expected: Expected::Close,
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
                // Flux's scanner fails at a non-ASCII character here.
                Some(128..) => None,
                _ => {
                    self.at += 1;
                    self.word(Expected::First, |next| !matches!(next, ':' | '}'), false)
                }
            },
            mark @ ('#' | '%') => {
                self.take(2, |next| next == mark);
                self.word(Expected::Close, |next| next != '}', false)
            }
            '/' => {
                self.at += 1;
                self.take(1, |next| matches!(next, '/' | '#' | '%'));
                self.word(Expected::Old, |next| next != '/', true)
            }
            _ => None,
        }
    }

    fn begin_default(&mut self, length: usize) -> Read {
        self.at += length;
        self.set_expected(Expected::Default);
        Some(())
    }

    fn set_expected(&mut self, expected: Expected) {
        if let Some(open) = self.open.last_mut() {
            open.expected = expected;
        }
    }

    /// Parses a variable, or at least one character, up to the next variable.
    fn word(&mut self, expected: Expected, fits: impl Fn(char) -> bool, has_escapes: bool) -> Read {
        self.set_expected(expected);
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
            _ => self.word(Expected::Default, |next| next != '}', false),
        }
    }

    fn after_first(&mut self) -> Read {
        match self.take(usize::MAX, |next| next == ':') {
            0 => self.close(),
            _ => self.word(Expected::Close, |next| next != '}', false),
        }
    }

    fn after_old(&mut self) -> Read {
        if self.take(usize::MAX, |next| next == '/') == 0 {
            return None;
        }
        match self.next()? {
            '}' => self.close(),
            _ => self.word(Expected::Close, |next| next != '}', true),
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

/// Whether a character can be part of a name for Flux: Go's letters and decimal digits, and `_`.
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
