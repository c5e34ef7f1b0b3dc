//! What a template of the user's own may say, so that running it is bounded.
//!
//! The engine charges fuel for each instruction and for each byte and item that is made. Some work it charges too
//! little: to compare, order or print a list costs one unit for each of its items, whatever the items hold. A list
//! that holds one list twice, which holds another one twice, and so on, is small to make and has no end. So a template
//! may not make such lists: what each expression can hold is worked out before anything runs, from the same syntax
//! tree that the engine compiles.
//!
//! - A *scalar* is text, a number, a boolean or nothing: its bytes were charged when it was made.
//! - A *value* is a part of what `cluster.toml` gave (or of a literal without variables): a tree of limited size.
//! - A *list* is made by the template, and holds values; *lists* hold such lists (`items` makes pairs).
//! - Lists are never put into other lists, never joined by an operator, and never kept in a namespace.
//! - Texts are compared, ordered and cut for one unit, however long they are. So it is worked out, too, how long a text
//!   can become; for one that can grow without end those are refused.
//!
//! What is refused is refused with its place, and with what to write instead.

mod calls;
mod expressions;
mod reader;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use minijinja::machinery::{self, Token};
use minijinja::syntax::SyntaxConfig;

use reader::Reader;

/// The longest template, in bytes. The longest that is built in has 2,130.
const MOST_BYTES: usize = 256 * 1024;
/// The most words and signs between `{{` and `}}`, or `{%` and `%}`.
const MOST_TOKENS: usize = 2_000;
/// The most operators there: each makes the tree of the expression one deeper, and the compiler follows it down.
const MOST_OPERATORS: usize = 200;
/// The most `{% elif %}`: each stands in the one before it.
const MOST_BRANCHES: usize = 200;
/// How often a template is read until it is known what its names hold. One name set from another takes one more.
const MOST_ROUNDS: usize = 16;

/// Why a template is refused.
#[derive(Debug)]
pub struct Refusal {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The bytes of the template.
    pub range: Range<usize>,
}

/// What an expression can hold; each of these can also be what stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Holds {
    /// Text, a number, a boolean or nothing.
    Scalar,
    /// A part of what `cluster.toml` gave, or a literal without variables.
    Value,
    /// A list or table that the template makes, of values.
    List,
    /// The same, of such lists.
    Lists,
    /// What `namespace` makes.
    Namespace,
}

use Holds::{List, Lists, Scalar, Value};

/// What an expression can hold, and the longest text in it, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Made {
    holds: Holds,
    longest: u64,
}

/// No text is known to be the longest.
const ENDLESS: u64 = u64::MAX;

/// The longest text of a number or boolean.
const NUMBER: u64 = 64;

/// The longest text that is compared, ordered or cut; what `cluster.toml` holds may be longer.
const MOST_COMPARED: u64 = 4096;

impl Made {
    const fn new(holds: Holds, longest: u64) -> Self {
        Made { holds, longest }
    }

    const fn number() -> Self {
        Made::new(Scalar, NUMBER)
    }

    fn or(self, other: Self) -> Self {
        Made::new(self.holds.max(other.holds), self.longest.max(other.longest))
    }

    /// One of its items or attributes.
    fn item(self) -> Self {
        let holds = match self.holds {
            Lists => List,
            _ => Value,
        };
        Made::new(holds, self.longest)
    }
}

/// Whether a template of the user's own may be run: `source` with a context whose outermost names are `context`, and whose
/// longest text has `longest` bytes. A template that can't be parsed may: the engine says what is wrong with it.
///
/// # Errors
/// Where it is too long, or says what can't be bounded.
pub fn check(
    source: &str,
    syntax: &SyntaxConfig,
    context: &BTreeSet<&str>,
    longest: usize,
) -> Result<(), Refusal> {
    if source.len() > MOST_BYTES {
        return Err(Refusal {
            message: format!(
                "the template has {} bytes; there may be {MOST_BYTES}",
                source.len()
            ),
            help: "move what is data into `cluster.toml`, or split the object".to_owned(),
            range: 0..source.find('\n').unwrap_or(source.len()),
        });
    }
    check_tags(source, syntax)?;
    let Ok(template) = machinery::parse(source, "", syntax.clone()) else {
        return Ok(());
    };
    let mut reader = Reader {
        context,
        names: BTreeMap::new(),
        macros: BTreeSet::new(),
        parameters: Made::new(Scalar, 0),
        longest: u64::try_from(longest).unwrap_or(ENDLESS),
        grows: false,
        is_settled: false,
    };
    for round in 0..MOST_ROUNDS {
        reader.is_settled = true;
        // A text that is still longer each time has no end.
        reader.grows = round >= MOST_ROUNDS / 2;
        reader.statement(&template)?;
        if reader.is_settled {
            return Ok(());
        }
    }
    Err(Refusal {
        message: "names are set from each other in too many steps".to_owned(),
        help: "set a name from what is given, not from a chain of others".to_owned(),
        range: 0..0,
    })
}

/// Whether each `{{ … }}` and `{% … %}` is short enough to be parsed.
fn check_tags(source: &str, syntax: &SyntaxConfig) -> Result<(), Refusal> {
    let (mut start, mut tokens, mut operators, mut branches) = (0, 0, 0, 0);
    for token in machinery::tokenize(source, false, syntax.clone()) {
        let Ok((token, span)) = token else {
            return Ok(());
        };
        tokens += 1;
        match token {
            Token::TemplateData(_) | Token::VariableStart | Token::BlockStart => {
                (start, tokens, operators) = (span.start_offset as usize, 1, 0);
            }
            Token::Ident("elif") if tokens == 2 => branches += 1,
            Token::Ident("and" | "or" | "not" | "in" | "is" | "if" | "else") => operators += 1,
            Token::Ident(_)
            | Token::Str(_)
            | Token::String(_)
            | Token::Int(_)
            | Token::Int128(_)
            | Token::Float(_)
            | Token::Comma
            | Token::Colon
            | Token::Assign
            | Token::VariableEnd
            | Token::BlockEnd
            | Token::BracketClose
            | Token::ParenClose
            | Token::BraceClose => {}
            _ => operators += 1,
        }
        let message = if tokens > MOST_TOKENS {
            format!("the expression has more than {MOST_TOKENS} words and signs")
        } else if operators > MOST_OPERATORS {
            format!("the expression has more than {MOST_OPERATORS} operators")
        } else if branches > MOST_BRANCHES {
            format!("the template has more than {MOST_BRANCHES} `elif`")
        } else {
            continue;
        };
        return Err(Refusal {
            message,
            help: "take it apart with `{% set %}`, or give the value in `cluster.toml`".to_owned(),
            range: start
                ..start
                    + source
                        .get(start..)
                        .map_or(0, |rest| rest.find('\n').unwrap_or(rest.len()).min(80)),
        });
    }
    Ok(())
}
