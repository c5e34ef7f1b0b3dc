//! Lua's patterns (5.1, with `%f`), with every step counted. LuaJIT's own matcher can be kept busy for years by a
//! short pattern, without calling any hook.

/// How deeply matching may recurse, as in LuaJIT.
const DEEPEST: usize = 200;

/// The maximum number of captures.
const MOST_CAPTURES: usize = 32;

/// A capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Capture {
    /// An open capture, and where it starts.
    Open(usize),
    /// The start and the end of a captured text.
    Text(usize, usize),
    /// A position capture.
    Place(usize),
}

/// Matches a pattern against a text.
pub(super) struct Matcher<'m, C> {
    text: &'m [u8],
    pattern: &'m [u8],
    pub captures: Vec<Capture>,
    depth: usize,
    charge: C,
}

type PatternEnd = mlua::Result<Option<usize>>;

fn broken<T>(why: &str) -> mlua::Result<T> {
    Err(mlua::Error::runtime(why))
}

impl<'m, C: Fn(u64) -> mlua::Result<()>> Matcher<'m, C> {
    pub fn new(text: &'m [u8], pattern: &'m [u8], charge: C) -> Self {
        Matcher {
            text,
            pattern,
            captures: Vec::new(),
            depth: 0,
            charge,
        }
    }

    /// The end of the match that starts at a position.
    pub fn at(&mut self, start: usize) -> PatternEnd {
        self.captures.clear();
        self.depth = 0;
        self.matches(start, 0)
    }

    /// The captures, or the whole match if there are none.
    pub fn all(&self, start: usize, end: usize) -> Vec<Capture> {
        match self.captures.is_empty() {
            true => vec![Capture::Text(start, end)],
            false => self.captures.clone(),
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.pattern.get(at).copied()
    }

    fn matches(&mut self, s: usize, p: usize) -> PatternEnd {
        self.depth += 1;
        if self.depth > DEEPEST {
            return broken("pattern too complex");
        }
        let found = self.run(s, p);
        self.depth -= 1;
        found
    }

    fn run(&mut self, mut s: usize, mut p: usize) -> PatternEnd {
        loop {
            (self.charge)(1)?;
            match (self.byte(p), self.byte(p + 1)) {
                (None, _) => return Ok(Some(s)),
                (Some(b'('), Some(b')')) => return self.open(s, p + 2, Capture::Place(s)),
                (Some(b'('), _) => return self.open(s, p + 1, Capture::Open(s)),
                (Some(b')'), _) => return self.close(s, p + 1),
                (Some(b'$'), None) => return Ok((s == self.text.len()).then_some(s)),
                (Some(b'%'), Some(b'b')) => match self.balance(s, p + 2)? {
                    Some(end) => (s, p) = (end, p + 4),
                    None => return Ok(None),
                },
                (Some(b'%'), Some(b'f')) => {
                    p += 2;
                    if self.byte(p) != Some(b'[') {
                        return broken("missing '[' after '%f' in pattern");
                    }
                    let end = self.class_end(p)?;
                    (self.charge)(class_steps(p, end))?;
                    let before = s.checked_sub(1).and_then(|at| self.text.get(at).copied());
                    let here = self.text.get(s).copied();
                    let (before, here) = (before.unwrap_or(0), here.unwrap_or(0));
                    if self.in_set(before, p, end) || !self.in_set(here, p, end) {
                        return Ok(None);
                    }
                    p = end;
                }
                (Some(b'%'), Some(digit)) if digit.is_ascii_digit() => {
                    match self.same_again(s, digit)? {
                        Some(end) => (s, p) = (end, p + 2),
                        None => return Ok(None),
                    }
                }
                _ => {
                    let end = self.class_end(p)?;
                    (self.charge)(class_steps(p, end))?;
                    let fits = self.single(s, p, end);
                    match self.byte(end) {
                        Some(b'?') => {
                            if fits && let Some(found) = self.matches(s + 1, end + 1)? {
                                return Ok(Some(found));
                            }
                            p = end + 1;
                        }
                        Some(b'*') => return self.most(s, p, end),
                        Some(b'+') => {
                            return match fits {
                                true => self.most(s + 1, p, end),
                                false => Ok(None),
                            };
                        }
                        Some(b'-') => return self.fewest(s, p, end),
                        _ if !fits => return Ok(None),
                        _ => (s, p) = (s + 1, end),
                    }
                }
            }
        }
    }

    /// The end of the character class that starts at a position.
    fn class_end(&self, p: usize) -> mlua::Result<usize> {
        match self.byte(p) {
            Some(b'%') => match self.byte(p + 1) {
                Some(_) => Ok(p + 2),
                None => broken("malformed pattern (ends with '%')"),
            },
            Some(b'[') => {
                let mut at = p + 1;
                if self.byte(at) == Some(b'^') {
                    at += 1;
                }
                // The first member may be `]` itself.
                loop {
                    match self.byte(at) {
                        None => return broken("malformed pattern (missing ']')"),
                        Some(b'%') => at += 2,
                        Some(_) => at += 1,
                    }
                    if self.byte(at) == Some(b']') {
                        return Ok(at + 1);
                    }
                }
            }
            _ => Ok(p + 1),
        }
    }

    fn single(&self, s: usize, p: usize, end: usize) -> bool {
        let Some(byte) = self.text.get(s).copied() else {
            return false;
        };
        match self.byte(p) {
            Some(b'.') => true,
            Some(b'%') => self.byte(p + 1).is_some_and(|class| in_class(byte, class)),
            Some(b'[') => self.in_set(byte, p, end),
            Some(other) => other == byte,
            None => false,
        }
    }

    /// Whether a byte is in the set `[…]` between two positions of the pattern.
    fn in_set(&self, byte: u8, p: usize, end: usize) -> bool {
        let last = end - 1;
        let mut at = p + 1;
        let is_inverse = self.byte(at) == Some(b'^');
        if is_inverse {
            at += 1;
        }
        while at < last {
            let (this, next, after) = (self.byte(at), self.byte(at + 1), self.byte(at + 2));
            let fits = match (this, next, after) {
                (Some(b'%'), Some(class), _) => {
                    at += 2;
                    in_class(byte, class)
                }
                (Some(low), Some(b'-'), Some(high)) if at + 2 < last => {
                    at += 3;
                    (low..=high).contains(&byte)
                }
                (this, _, _) => {
                    at += 1;
                    this == Some(byte)
                }
            };
            if fits {
                return !is_inverse;
            }
        }
        is_inverse
    }

    fn balance(&self, s: usize, p: usize) -> PatternEnd {
        let (Some(open), Some(close)) = (self.byte(p), self.byte(p + 1)) else {
            return broken("unbalanced pattern");
        };
        if self.text.get(s) != Some(&open) {
            return Ok(None);
        }
        let mut depth = 1_usize;
        for (at, byte) in self.text.iter().enumerate().skip(s + 1) {
            (self.charge)(1)?;
            if *byte == close {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(at + 1));
                }
            } else if *byte == open {
                depth += 1;
            }
        }
        Ok(None)
    }

    fn most(&mut self, s: usize, p: usize, end: usize) -> PatternEnd {
        let mut count = 0;
        while self.single(s + count, p, end) {
            (self.charge)(1 + class_steps(p, end))?;
            count += 1;
        }
        loop {
            if let Some(found) = self.matches(s + count, end + 1)? {
                return Ok(Some(found));
            }
            let Some(less) = count.checked_sub(1) else {
                return Ok(None);
            };
            count = less;
        }
    }

    fn fewest(&mut self, mut s: usize, p: usize, end: usize) -> PatternEnd {
        loop {
            if let Some(found) = self.matches(s, end + 1)? {
                return Ok(Some(found));
            }
            (self.charge)(class_steps(p, end))?;
            if !self.single(s, p, end) {
                return Ok(None);
            }
            s += 1;
        }
    }

    fn open(&mut self, s: usize, p: usize, capture: Capture) -> PatternEnd {
        if self.captures.len() >= MOST_CAPTURES {
            return broken("too many captures");
        }
        let before = self.captures.len();
        self.captures.push(capture);
        let found = self.matches(s, p)?;
        if found.is_none() {
            self.captures.truncate(before);
        }
        Ok(found)
    }

    fn close(&mut self, s: usize, p: usize) -> PatternEnd {
        let is_open = |it: &Capture| matches!(it, Capture::Open(_));
        let Some(at) = self.captures.iter().rposition(is_open) else {
            return broken("invalid pattern capture");
        };
        let before = self.captures.get(at).copied();
        if let (Some(Capture::Open(start)), Some(slot)) = (before, self.captures.get_mut(at)) {
            *slot = Capture::Text(start, s);
        }
        let found = self.matches(s, p)?;
        if let (None, Some(before), Some(slot)) = (found, before, self.captures.get_mut(at)) {
            *slot = before;
        }
        Ok(found)
    }

    /// Matches the text of an earlier capture again.
    fn same_again(&self, s: usize, digit: u8) -> PatternEnd {
        let nth = usize::from(digit).checked_sub(usize::from(b'1'));
        let capture = nth.and_then(|nth| self.captures.get(nth));
        let Some(Capture::Text(start, end)) = capture.copied() else {
            return broken("invalid capture index");
        };
        let wanted = self.text.get(start..end).unwrap_or_default();
        (self.charge)(u64::try_from(wanted.len()).unwrap_or(u64::MAX))?;
        let rest = self.text.get(s..).unwrap_or_default();
        Ok(rest.starts_with(wanted).then_some(s + wanted.len()))
    }
}

/// The additional cost of comparing a byte with the class between two positions, in steps.
fn class_steps(p: usize, end: usize) -> u64 {
    /// How many members of a set are compared in one step.
    const MEMBERS: usize = 16;
    u64::try_from(end.saturating_sub(p) / MEMBERS).unwrap_or(u64::MAX)
}

/// Whether a byte belongs to a class such as `%a`, or is that character itself.
fn in_class(byte: u8, class: u8) -> bool {
    let fits = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'g' => byte.is_ascii_graphic(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        // Rust's function leaves out the vertical tab.
        b's' => byte.is_ascii_whitespace() || byte == 0x0b,
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return class == byte,
    };
    fits != class.is_ascii_uppercase()
}
