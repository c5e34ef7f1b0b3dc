//! Go's syntax of patterns (`regexp/syntax` with Perl's extensions), written in that of the `regex` crate. What only one
//! of the two knows is an error or gets its meaning in Go: `\Q…\E`, octal numbers, classes of ASCII, braces that are no
//! repetition, and set operations that are literals.

use std::iter::Peekable;
use std::str::Chars;

use super::Unusable;

/// The largest number of repetitions.
const MOST_REPEATED: u32 = 1000;

/// What is before the current position.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// The start of a group or an alternative: nothing that can be repeated.
    Nothing,
    Part,
    Repetition,
}

struct Translator<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    last: Last,
}

/// Converts a pattern.
pub(super) fn translate(pattern: &str) -> Result<String, Unusable> {
    let mut translator = Translator {
        rest: pattern.chars().peekable(),
        out: String::with_capacity(pattern.len()),
        last: Last::Nothing,
    };
    while let Some(c) = translator.rest.next() {
        translator.part(c).ok_or(Unusable::Syntax)?;
    }
    Ok(translator.out)
}

impl Translator<'_> {
    fn part(&mut self, c: char) -> Option<()> {
        match c {
            '\\' => self.escaped()?,
            '[' => self.class()?,
            '(' => return self.group(),
            '|' => {
                self.out.push(c);
                self.last = Last::Nothing;
                return Some(());
            }
            '*' | '+' | '?' => return self.repeat(&c.to_string()),
            '{' => match self.braces()? {
                Some(repetition) => return self.repeat(&repetition),
                None => self.out.push_str("\\{"),
            },
            '}' => self.out.push_str("\\}"),
            ']' => self.out.push_str("\\]"),
            c => self.out.push(c),
        }
        self.last = Last::Part;
        Some(())
    }

    /// A repetition, which can't follow another one.
    fn repeat(&mut self, repetition: &str) -> Option<()> {
        (self.last == Last::Part).then_some(())?;
        self.out.push_str(repetition);
        if self.rest.next_if_eq(&'?').is_some() {
            self.out.push('?');
        }
        self.last = Last::Repetition;
        Some(())
    }

    /// The repetition after `{`, without consuming anything if there is none.
    #[allow(clippy::option_option)] // an error, a literal brace, or a repetition
    fn braces(&mut self) -> Option<Option<String>> {
        let ahead: String = self
            .rest
            .clone()
            .take_while(|c| *c != '}')
            .take(12)
            .collect();
        let is_closed = self.rest.clone().nth(ahead.chars().count()) == Some('}');
        let (least, most) = match ahead.split_once(',') {
            Some((least, most)) => (least, Some(most)),
            None => (ahead.as_str(), None),
        };
        let is_number = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_digit())
                && (text == "0" || !text.starts_with('0'))
        };
        let is_repetition = is_closed
            && is_number(least)
            && most.is_none_or(|most| most.is_empty() || is_number(most));
        if !is_repetition {
            return Some(None);
        }
        let number = |text: &str| {
            text.parse::<u32>()
                .ok()
                .filter(|number| *number <= MOST_REPEATED)
        };
        let first = number(least)?;
        if let Some(most) = most.filter(|most| !most.is_empty()) {
            (number(most)? >= first).then_some(())?;
        }
        for _ in 0..=ahead.len() {
            self.rest.next();
        }
        Some(Some(format!("{{{ahead}}}")))
    }

    fn group(&mut self) -> Option<()> {
        self.out.push('(');
        self.last = Last::Nothing;
        if self.rest.next_if_eq(&'?').is_none() {
            return Some(());
        }
        let ahead: String = self.rest.clone().take(2).collect();
        let skipped = match ahead.as_str() {
            "P<" => 2,
            _ if ahead.starts_with('<') => 1,
            _ => 0,
        };
        if skipped > 0 {
            (0..skipped).for_each(|_| {
                self.rest.next();
            });
            let name: String = self.rest.by_ref().take_while(|c| *c != '>').collect();
            let is_name =
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            // Nobody asks for the names of groups.
            return is_name.then_some(());
        }
        self.out.push('?');
        loop {
            match self.rest.next()? {
                c @ ('i' | 'm' | 's' | 'U' | '-') => self.out.push(c),
                c @ (':' | ')') => {
                    self.out.push(c);
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    fn literal(&mut self, c: char) {
        self.out.push_str(&format!("\\x{{{:X}}}", u32::from(c)));
    }

    /// What follows a backslash outside of a class.
    fn escaped(&mut self) -> Option<()> {
        match *self.rest.peek()? {
            'Q' => {
                self.rest.next();
                self.quoted();
            }
            c @ ('A' | 'z') => {
                self.rest.next();
                self.out.push('\\');
                self.out.push(c);
            }
            c @ ('b' | 'B') => {
                self.rest.next();
                self.out.push_str(&format!("(?-u:\\{c})"));
            }
            'p' | 'P' => self.unicode()?,
            c => match ascii(c) {
                Some(class) => {
                    self.rest.next();
                    self.out.push_str(class);
                }
                None => {
                    let c = self.character()?;
                    self.literal(c);
                }
            },
        }
        Some(())
    }

    /// The text up to `\E`, which is literal.
    fn quoted(&mut self) {
        while let Some(c) = self.rest.next() {
            if c == '\\' && self.rest.next_if_eq(&'E').is_some() {
                return;
            }
            self.literal(c);
        }
    }

    /// A class of Unicode: `pL`, `p{Greek}`, `P{^Greek}`.
    fn unicode(&mut self) -> Option<()> {
        let mut is_negated = self.rest.next()? == 'P';
        let name = match self.rest.next()? {
            '{' => {
                let mut name: String = self.rest.by_ref().take_while(|c| *c != '}').collect();
                if let Some(other) = name.strip_prefix('^') {
                    is_negated = !is_negated;
                    name = other.to_owned();
                }
                name
            }
            c => c.to_string(),
        };
        let is_name =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        is_name.then_some(())?;
        let letter = if is_negated { 'P' } else { 'p' };
        self.out.push_str(&format!("\\{letter}{{{name}}}"));
        Some(())
    }

    /// The character that an escape stands for.
    fn character(&mut self) -> Option<char> {
        match self.rest.next()? {
            'a' => Some('\u{7}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\u{b}'),
            'x' => self.hexadecimal(),
            c @ '0'..='7' => {
                // A digit from 1 to 7 alone would refer to a group.
                let is_octal = |c: &char| matches!(c, '0'..='7');
                (c == '0' || self.rest.peek().is_some_and(is_octal)).then_some(())?;
                let mut number = c.to_digit(8)?;
                for _ in 0..2 {
                    let Some(digit) = self.rest.next_if(is_octal) else {
                        break;
                    };
                    number = number * 8 + digit.to_digit(8)?;
                }
                char::from_u32(number)
            }
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Some(c),
            _ => None,
        }
    }

    fn hexadecimal(&mut self) -> Option<char> {
        let digits: String = match self.rest.next()? {
            '{' => self.rest.by_ref().take_while(|c| *c != '}').collect(),
            first => [first, self.rest.next()?].iter().collect(),
        };
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
        is_number
            .then(|| u32::from_str_radix(&digits, 16).ok())?
            .and_then(char::from_u32)
    }

    fn class(&mut self) -> Option<()> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut is_first = true;
        loop {
            let c = *self.rest.peek()?;
            if c == ']' && !is_first {
                self.rest.next();
                self.out.push(']');
                return Some(());
            }
            is_first = false;
            let next = self.rest.clone().nth(1);
            match (c, next) {
                ('[', Some(':')) if self.named_class() => {}
                ('\\', Some('p' | 'P')) => {
                    self.rest.next();
                    self.unicode()?;
                }
                ('\\', Some(letter)) if let Some(class) = ascii(letter) => {
                    self.rest.next();
                    self.rest.next();
                    self.out.push_str(class);
                }
                _ => self.range()?,
            }
        }
    }

    /// A named class such as `[:alpha:]`, if there is one.
    fn named_class(&mut self) -> bool {
        let ahead: String = self.rest.clone().skip(2).take(12).collect();
        let Some((name, _)) = ahead.split_once(":]") else {
            return false;
        };
        self.out.push_str(&format!("[:{name}:]"));
        for _ in 0..name.chars().count() + 4 {
            self.rest.next();
        }
        true
    }

    /// A character in a class, or a range of them.
    fn range(&mut self) -> Option<()> {
        let start = self.class_character()?;
        self.literal(start);
        let mut ahead = self.rest.clone();
        if ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']') {
            self.rest.next();
            let end = self.class_character()?;
            (start <= end).then_some(())?;
            self.out.push('-');
            self.literal(end);
        }
        Some(())
    }

    fn class_character(&mut self) -> Option<char> {
        match self.rest.next()? {
            '\\' => self.character(),
            c => Some(c),
        }
    }
}

/// The classes that are of ASCII in Go.
fn ascii(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => "[\\t\\n\\f\\r ]",
        'S' => "[^\\t\\n\\f\\r ]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        _ => return None,
    })
}
