//! Restricts what a user's template may contain, so that the work of running it is limited.
//! The engine charges fuel for each instruction and for each byte and item that is produced. For some work
//! it charges too little: comparing, sorting or printing a list costs one unit for each item, no matter how
//! large the items are. A list that contains the same list twice, which again contains another list twice,
//! and so on, is cheap to create but practically endless to print. So a template may not create such lists.
//! Before anything runs, this module computes what each expression can contain, from the same syntax tree
//! that the engine compiles.
//! - A *scalar* is a string, a number, a boolean or none. Its bytes were charged when it was created.
//! - A *value* is a part of `cluster.toml` (or of a literal without variables): a tree of limited size.
//! - A *list* is created by the template and contains values; *lists* contain such lists (`items` returns
//!   pairs).
//! - Lists are never put into other lists, never joined by an operator, and never stored in a namespace.
//! - Comparing, sorting and slicing strings costs one unit, no matter how long they are. So the maximum
//!   length of strings is computed, too, and these operations are refused for a string that can grow without
//!   limit.
//!
//! A refusal has the position in the template, and says what to write instead.

mod calls;
mod expressions;
mod reader;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use minijinja::machinery::{self, Token};
use minijinja::syntax::SyntaxConfig;

use reader::Reader;

/// The maximum size of a template, in bytes. The longest built-in template has 2,130.
const MOST_BYTES: usize = 256 * 1024;
/// The maximum number of tokens between `{{` and `}}`, or `{%` and `%}`.
const MOST_TOKENS: usize = 2_000;
/// The maximum number of operators there. Each makes the syntax tree one level deeper, and the compiler
/// recurses into it.
const MOST_OPERATORS: usize = 200;
/// The maximum number of `{% elif %}`. Each is nested in the one before it.
const MOST_BRANCHES: usize = 200;
/// The maximum number of passes over a template until the types of all names are known. Each name that is set
/// from another name may need one more pass.
const MOST_ROUNDS: usize = 16;

/// Why a template is refused.
#[derive(Debug)]
pub struct Refusal {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// The bytes in the template.
    pub range: Range<usize>,
}

/// What an expression can contain. Each variant includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Contents {
    /// A string, a number, a boolean or none.
    Scalar,
    /// A part of `cluster.toml`, or a literal without variables.
    Value,
    /// A list or table of values that the template creates.
    List,
    /// A list or table of such lists.
    Lists,
    /// The result of `namespace()`.
    Namespace,
}

use Contents::{List, Lists, Scalar, Value};

/// What an expression can contain, and the length in bytes of the longest string in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Estimate {
    contents: Contents,
    longest: u64,
}

/// The length of strings that can grow without limit.
const ENDLESS: u64 = u64::MAX;

/// The maximum length of a number or boolean as a string.
const NUMBER: u64 = 64;

/// The maximum length of strings that may be compared, sorted or sliced. Strings from `cluster.toml` may be
/// longer.
const MOST_COMPARED: u64 = 4096;

impl Estimate {
    const fn new(contents: Contents, longest: u64) -> Self {
        Estimate { contents, longest }
    }

    const fn number() -> Self {
        Estimate::new(Scalar, NUMBER)
    }

    fn or(self, other: Self) -> Self {
        Estimate::new(
            self.contents.max(other.contents),
            self.longest.max(other.longest),
        )
    }

    /// The result of taking an item or an attribute.
    fn item(self) -> Self {
        let contents = match self.contents {
            Lists => List,
            _ => Value,
        };
        Estimate::new(contents, self.longest)
    }
}

/// Checks whether a user's template may run. `context` are the top-level names of its context, and `longest`
/// is the length in bytes of the longest string there. A template that can't be parsed passes, because the
/// engine reports the error.
/// # Errors
/// Returns a refusal if the template is too long, or contains constructs whose work can't be limited.
pub fn check(
    source: &str,
    syntax: &SyntaxConfig,
    context: &BTreeSet<&str>,
    longest: usize,
) -> Result<(), Refusal> {
    if source.len() > MOST_BYTES {
        return Err(Refusal {
            message: format!(
                "the template has {} bytes, but at most {MOST_BYTES} are allowed",
                source.len()
            ),
            help: "move data into `cluster.toml`, or split the object".to_owned(),
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
        parameters: Estimate::new(Scalar, 0),
        longest: u64::try_from(longest).unwrap_or(ENDLESS),
        grows: false,
        is_settled: false,
    };
    for round in 0..MOST_ROUNDS {
        reader.is_settled = true;
        // A string that still grows in later passes has no limit.
        reader.grows = round >= MOST_ROUNDS / 2;
        reader.statement(&template)?;
        if reader.is_settled {
            return Ok(());
        }
    }
    Err(Refusal {
        message: "too many names are set from other names".to_owned(),
        help: "set names from values of the context, not from a chain of other names".to_owned(),
        range: 0..0,
    })
}

/// Checks that each `{{ … }}` and `{% … %}` is short enough to be parsed.
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
            format!("the expression has more than {MOST_TOKENS} tokens")
        } else if operators > MOST_OPERATORS {
            format!("the expression has more than {MOST_OPERATORS} operators")
        } else if branches > MOST_BRANCHES {
            format!("the template has more than {MOST_BRANCHES} `elif`")
        } else {
            continue;
        };
        return Err(Refusal {
            message,
            help: "split it with `{% set %}`, or put the value into `cluster.toml`".to_owned(),
            range: start
                ..start
                    + source
                        .get(start..)
                        .map_or(0, |rest| rest.find('\n').unwrap_or(rest.len()).min(80)),
        });
    }
    Ok(())
}
