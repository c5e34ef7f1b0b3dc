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
//!
//! What is refused is refused with its place, and with what to write instead.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use minijinja::machinery::ast::{
    BinOpKind, Call, CallArg, CompareOpKind, Expr, Filter, Macro, Spanned, Stmt, Test, UnaryOpKind,
};
use minijinja::machinery::{self, Span, Token};
use minijinja::syntax::SyntaxConfig;

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

use Holds::{List, Lists, Namespace, Scalar, Value};

/// What a filter gives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gives {
    Scalar,
    /// A list, or lists where it was given lists.
    List,
    Lists,
    /// One of the items.
    Item,
    /// What it was given, or its argument.
    Either,
    /// A reversed text or list.
    Reversed,
}

/// The filters: what they take at most, and what they give. A filter that is not here can make lists of lists, or
/// works through them without being charged for it.
const FILTERS: &[(&str, Holds, Gives)] = &[
    ("abs", Value, Gives::Scalar),
    ("attr", Lists, Gives::Item),
    ("bool", Lists, Gives::Scalar),
    ("capitalize", Value, Gives::Scalar),
    ("count", Lists, Gives::Scalar),
    ("d", Lists, Gives::Either),
    ("default", Lists, Gives::Either),
    ("dictsort", Value, Gives::Lists),
    ("e", Value, Gives::Scalar),
    ("escape", Value, Gives::Scalar),
    ("first", Lists, Gives::Item),
    ("float", Value, Gives::Scalar),
    ("format", Value, Gives::Scalar),
    ("indent", Value, Gives::Scalar),
    ("int", Value, Gives::Scalar),
    ("items", Value, Gives::Lists),
    ("join", List, Gives::Scalar),
    ("last", List, Gives::Item),
    ("length", Lists, Gives::Scalar),
    ("lines", Value, Gives::List),
    ("list", Lists, Gives::List),
    ("lower", Value, Gives::Scalar),
    ("map", Lists, Gives::List),
    ("max", List, Gives::Item),
    ("min", List, Gives::Item),
    ("reject", List, Gives::List),
    ("rejectattr", List, Gives::List),
    ("replace", Value, Gives::Scalar),
    ("reverse", Value, Gives::Reversed),
    ("round", Value, Gives::Scalar),
    ("safe", Value, Gives::Scalar),
    ("select", List, Gives::List),
    ("selectattr", List, Gives::List),
    ("sort", List, Gives::List),
    ("split", Value, Gives::List),
    ("string", Value, Gives::Scalar),
    ("title", Value, Gives::Scalar),
    ("trim", Value, Gives::Scalar),
    ("unique", List, Gives::List),
    ("upper", Value, Gives::Scalar),
];

/// Tests that look at what a value is, and not at what is in it.
const TESTS_OF_KIND: &[&str] = &[
    "boolean",
    "defined",
    "false",
    "float",
    "int",
    "integer",
    "iterable",
    "mapping",
    "none",
    "number",
    "sequence",
    "string",
    "true",
    "undefined",
];

/// What `loop` has that is a number or a boolean.
const LOOP_SCALARS: &[&str] = &[
    "depth",
    "depth0",
    "first",
    "index",
    "index0",
    "last",
    "length",
    "revindex",
    "revindex0",
];

const WRITE_OUT: &str = "write the parts out one by one with `{% for %}`";

/// Whether a template of the user's own may be run: `source` with a context whose outermost names are `context`. A
/// template that can't be parsed may: the engine says what is wrong with it.
///
/// # Errors
/// Where it is too long, or says what can't be bounded.
pub fn check(source: &str, syntax: &SyntaxConfig, context: &BTreeSet<&str>) -> Result<(), Refusal> {
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
        parameters: Scalar,
        is_settled: false,
    };
    for _ in 0..MOST_ROUNDS {
        reader.is_settled = true;
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

/// Works out what each name can hold, wherever in the template it is set.
struct Reader<'a> {
    context: &'a BTreeSet<&'a str>,
    /// What the template's own names can hold.
    names: BTreeMap<&'a str, Holds>,
    macros: BTreeSet<&'a str>,
    /// What macros are called with.
    parameters: Holds,
    /// Whether the last round found nothing new.
    is_settled: bool,
}

type Found<T = Holds> = Result<T, Refusal>;

fn refusal<T>(span: Span, message: impl Into<String>, help: impl Into<String>) -> Found<T> {
    Err(Refusal {
        message: message.into(),
        help: help.into(),
        range: span.start_offset as usize..span.end_offset as usize,
    })
}

/// What an item of it can hold.
fn item_of(holds: Holds) -> Holds {
    match holds {
        Lists => List,
        _ => Value,
    }
}

impl<'a> Reader<'a> {
    fn set(&mut self, name: &'a str, holds: Holds) {
        let known = self.names.get(name).copied();
        if known.is_none_or(|known| known < holds) {
            self.names.insert(name, holds);
            self.is_settled = false;
        }
    }

    fn all(&mut self, statements: &'a [Stmt<'a>]) -> Found<()> {
        statements.iter().try_for_each(|one| self.statement(one))
    }

    fn statement(&mut self, statement: &'a Stmt<'a>) -> Found<()> {
        match statement {
            Stmt::Template(it) => self.all(&it.children),
            Stmt::EmitExpr(it) => self.expression(&it.expr).map(|_| ()),
            Stmt::EmitRaw(_) => Ok(()),
            Stmt::ForLoop(it) => {
                if it.recursive {
                    return refusal(
                        it.span(),
                        "a loop can't call itself here",
                        "write a loop for each level",
                    );
                }
                let over = self.expression(&it.iter)?;
                self.assign(&it.target, item_of(over))?;
                if let Some(only) = &it.filter_expr {
                    self.expression(only)?;
                }
                self.all(&it.body)?;
                self.all(&it.else_body)
            }
            Stmt::IfCond(it) => {
                self.expression(&it.expr)?;
                self.all(&it.true_body)?;
                self.all(&it.false_body)
            }
            Stmt::WithBlock(it) => {
                for (target, value) in &it.assignments {
                    let holds = self.expression(value)?;
                    self.assign(target, holds)?;
                }
                self.all(&it.body)
            }
            Stmt::Set(it) => {
                let holds = self.expression(&it.expr)?;
                self.assign(&it.target, holds)
            }
            Stmt::SetBlock(it) => {
                let holds = match &it.filter {
                    Some(filter) => self.expression(filter)?,
                    None => Scalar,
                };
                self.all(&it.body)?;
                self.assign(&it.target, holds)
            }
            Stmt::AutoEscape(it) => {
                self.expression(&it.enabled)?;
                self.all(&it.body)
            }
            Stmt::FilterBlock(it) => {
                self.expression(&it.filter)?;
                self.all(&it.body)
            }
            Stmt::Macro(it) => {
                if self.macros.insert(it.name) {
                    self.is_settled = false;
                }
                self.macro_body(it)
            }
            Stmt::CallBlock(it) => {
                self.call(&it.call)?;
                self.macro_body(&it.macro_decl)
            }
            Stmt::Do(it) => self.call(&it.call).map(|_| ()),
        }
    }

    fn macro_body(&mut self, it: &'a Macro<'a>) -> Found<()> {
        for default in &it.defaults {
            let holds = self.expression(default)?;
            self.pass(holds);
        }
        for parameter in &it.args {
            self.assign(parameter, self.parameters)?;
        }
        self.all(&it.body)
    }

    fn pass(&mut self, holds: Holds) {
        if self.parameters < holds {
            self.parameters = holds;
            self.is_settled = false;
        }
    }

    fn assign(&mut self, target: &'a Expr<'a>, holds: Holds) -> Found<()> {
        match target {
            Expr::Var(it) => {
                self.set(it.id, holds);
                Ok(())
            }
            Expr::GetAttr(_) if holds > Value => refusal(
                target.span(),
                "a namespace can't keep a list or table that the template makes",
                "keep text, numbers and values of `cluster.toml` in it",
            ),
            Expr::GetAttr(_) => Ok(()),
            Expr::List(it) => it
                .items
                .iter()
                .try_for_each(|one| self.assign(one, item_of(holds))),
            Expr::Tuple(it) => it
                .items
                .iter()
                .try_for_each(|one| self.assign(one, item_of(holds))),
            other => refusal(
                other.span(),
                format!("a {} can't be set", other.description()),
                "set a name",
            ),
        }
    }

    /// What an expression holds, which is no more than `most`.
    fn at_most(&mut self, most: Holds, expression: &'a Expr<'a>, what: &str) -> Found {
        let holds = self.expression(expression)?;
        if holds > most {
            return refusal(
                expression.span(),
                format!("{what} a list or table that the template makes"),
                WRITE_OUT,
            );
        }
        Ok(holds)
    }

    fn expression(&mut self, expression: &'a Expr<'a>) -> Found {
        Ok(match expression {
            Expr::Const(_) => Scalar,
            Expr::Var(it) => match self.variable(it.id) {
                Namespace => {
                    return refusal(
                        it.span(),
                        "a namespace stands by itself",
                        format!("write one of its attributes, such as `{}.name`", it.id),
                    );
                }
                holds => holds,
            },
            Expr::Slice(it) => {
                if it.step.is_some() {
                    return refusal(
                        it.span(),
                        "a part of a text or list is taken in order here",
                        "leave out the step",
                    );
                }
                for bound in [&it.start, &it.stop].into_iter().flatten() {
                    self.at_most(Value, bound, "a part can't begin or end at")?;
                }
                match self.at_most(Value, &it.expr, "no part can be taken of")? {
                    Scalar => Scalar,
                    _ => List,
                }
            }
            Expr::UnaryOp(it) => {
                self.expression(&it.expr)?;
                match it.op {
                    UnaryOpKind::Not | UnaryOpKind::Neg => Scalar,
                }
            }
            Expr::BinOp(it) => self.operator(it.op, expression.span(), &it.left, &it.right)?,
            Expr::Compare(it) => {
                self.at_most(Value, &it.expr, "nothing can be compared with")?;
                for one in &it.ops {
                    let most = match one.op {
                        CompareOpKind::In | CompareOpKind::NotIn => Lists,
                        _ => Value,
                    };
                    self.at_most(most, &one.expr, "nothing can be compared with")?;
                }
                Scalar
            }
            Expr::IfExpr(it) => {
                self.expression(&it.test_expr)?;
                let holds = self.expression(&it.true_expr)?;
                match &it.false_expr {
                    Some(other) => holds.max(self.expression(other)?),
                    None => holds,
                }
            }
            Expr::Filter(it) => self.filter(it)?,
            Expr::Test(it) => self.test(it)?,
            Expr::GetAttr(it) => match &it.expr {
                Expr::Var(var) if self.variable(var.id) == Namespace => Value,
                Expr::Var(var) if var.id == "loop" && LOOP_SCALARS.contains(&it.name) => Scalar,
                below => item_of(self.expression(below)?),
            },
            Expr::GetItem(it) => {
                self.at_most(Value, &it.subscript_expr, "nothing stands at")?;
                item_of(self.expression(&it.expr)?)
            }
            Expr::Call(it) => self.call(it)?,
            Expr::List(it) => self.literal(&it.items)?,
            Expr::Tuple(it) => self.literal(&it.items)?,
            Expr::Map(it) => self.literal(&it.keys)?.max(self.literal(&it.values)?),
        })
    }

    fn variable(&self, name: &str) -> Holds {
        let own = self.names.get(name).copied();
        match own {
            Some(holds) if !self.context.contains(name) => holds,
            // A name of the context may be read where the template has not set it.
            Some(holds) => holds.max(Value),
            None => Value,
        }
    }

    fn operator(
        &mut self,
        op: BinOpKind,
        span: Span,
        left: &'a Expr<'a>,
        right: &'a Expr<'a>,
    ) -> Found {
        match op {
            BinOpKind::ScAnd | BinOpKind::ScOr => {
                return Ok(self.expression(left)?.max(self.expression(right)?));
            }
            BinOpKind::In => {
                self.at_most(Value, left, "nothing contains")?;
                self.at_most(Lists, right, "nothing is in")?;
            }
            BinOpKind::Concat => {
                self.at_most(Value, left, "`~` can't join")?;
                self.at_most(Value, right, "`~` can't join")?;
            }
            BinOpKind::Add => {
                // Where one of both is no list, the engine refuses a list on the other side.
                if self.expression(left)?.min(self.expression(right)?) != Scalar {
                    return refusal(
                        span,
                        "`+` may join two lists, which has no bound",
                        "write `~` to join texts, `| int` after a number, and one loop after the other for lists",
                    );
                }
            }
            BinOpKind::Mul => {
                if self.expression(left)?.max(self.expression(right)?) != Scalar {
                    return refusal(
                        span,
                        "`*` may repeat a list, which has no bound",
                        "write `| int` after what is a number",
                    );
                }
            }
            BinOpKind::Sub
            | BinOpKind::Div
            | BinOpKind::FloorDiv
            | BinOpKind::Rem
            | BinOpKind::Pow
            | BinOpKind::Eq
            | BinOpKind::Ne
            | BinOpKind::Lt
            | BinOpKind::Lte
            | BinOpKind::Gt
            | BinOpKind::Gte => {
                self.at_most(Value, left, "nothing can be compared with")?;
                self.at_most(Value, right, "nothing can be compared with")?;
            }
        }
        Ok(Scalar)
    }

    fn literal(&mut self, items: &'a [Expr<'a>]) -> Found {
        let mut holds = Value;
        for item in items {
            if is_literal(item) {
                continue;
            }
            self.at_most(Value, item, "a list or table can't hold")?;
            holds = List;
        }
        Ok(holds)
    }

    fn arguments(&mut self, arguments: &'a [CallArg<'a>], most: Holds) -> Found {
        let mut holds = Scalar;
        for argument in arguments {
            let one = match argument {
                CallArg::Pos(one) | CallArg::Kwarg(_, one) => one,
                CallArg::PosSplat(one) | CallArg::KwargSplat(one) => {
                    return refusal(
                        one.span(),
                        "arguments are written one by one here",
                        "leave out the star",
                    );
                }
            };
            holds = holds.max(self.at_most(most, one, "an argument can't be")?);
        }
        Ok(holds)
    }

    fn filter(&mut self, it: &'a Spanned<Filter<'a>>) -> Found {
        let Some((_, most, gives)) = FILTERS.iter().find(|(name, ..)| *name == it.name) else {
            return self.unknown(
                it.span(),
                "filter",
                it.name,
                FILTERS.iter().map(|(name, ..)| *name),
            );
        };
        let what = format!("`{}` doesn't take", it.name);
        let given = match &it.expr {
            Some(given) => self.at_most(*most, given, &what)?,
            None => Scalar,
        };
        let most_arguments = if *gives == Gives::Either {
            Lists
        } else {
            Value
        };
        let with = self.arguments(&it.args, most_arguments)?;
        if it.name == "map" {
            self.check_map(it)?;
        }
        Ok(match gives {
            Gives::Scalar => Scalar,
            Gives::List => given.max(List),
            Gives::Lists => Lists,
            Gives::Item => item_of(given),
            Gives::Either => given.max(with),
            Gives::Reversed if given == Scalar => Scalar,
            Gives::Reversed => List,
        })
    }

    /// `map` with an attribute, or with a filter that gives text or a number.
    fn check_map(&self, it: &'a Spanned<Filter<'a>>) -> Found<()> {
        match it.args.first() {
            Some(CallArg::Kwarg(..)) => Ok(()),
            Some(CallArg::Pos(Expr::Const(name)))
                if FILTERS.iter().any(|(filter, most, gives)| {
                    name.value.as_str() == Some(*filter)
                        && *gives == Gives::Scalar
                        && *most == Value
                }) =>
            {
                Ok(())
            }
            _ => refusal(
                it.span(),
                "`map` takes `attribute=` here, or the name of a filter that gives text or a number",
                "write a loop with `{% for %}`",
            ),
        }
    }

    fn test(&mut self, it: &'a Spanned<Test<'a>>) -> Found {
        let most = match TESTS_OF_KIND.contains(&it.name) {
            true => Lists,
            false => Value,
        };
        self.at_most(most, &it.expr, "the test doesn't take")?;
        let most = if it.name == "in" { Lists } else { Value };
        self.arguments(&it.args, most)?;
        Ok(Scalar)
    }

    fn call(&mut self, it: &'a Spanned<Call<'a>>) -> Found {
        match &it.expr {
            Expr::Var(name) if name.id == "caller" || self.macros.contains(name.id) => {
                let holds = self.arguments(&it.args, Lists)?;
                self.pass(holds);
                Ok(Scalar)
            }
            Expr::Var(name) if name.id == "range" => {
                self.arguments(&it.args, Value)?;
                Ok(List)
            }
            Expr::Var(name) if name.id == "namespace" => {
                self.arguments(&it.args, Value)?;
                let is_by_name = |one: &CallArg<'_>| matches!(one, CallArg::Kwarg(..));
                match it.args.iter().all(is_by_name) {
                    true => Ok(Namespace),
                    false => refusal(
                        it.span(),
                        "a namespace takes names with values",
                        "write `namespace(found=false)`",
                    ),
                }
            }
            Expr::Var(name) => self.unknown(
                it.span(),
                "function",
                name.id,
                ["namespace", "range"]
                    .into_iter()
                    .chain(self.macros.iter().copied()),
            ),
            Expr::GetAttr(method) => match &method.expr {
                Expr::Var(name) if name.id == "loop" && method.name == "cycle" => {
                    self.arguments(&it.args, Value)?;
                    Ok(Value)
                }
                Expr::Var(name) if name.id == "loop" && method.name == "changed" => {
                    self.arguments(&it.args, Value)?;
                    Ok(Scalar)
                }
                _ => refusal(
                    it.span(),
                    format!("values have no method `{}`", method.name),
                    "use a filter, such as `| items` or `| upper`",
                ),
            },
            other => refusal(
                other.span(),
                "this can't be called",
                "call a macro of the template, `range` or `namespace`",
            ),
        }
    }

    fn unknown<'n>(
        &self,
        span: Span,
        what: &str,
        name: &str,
        known: impl Iterator<Item = &'n str>,
    ) -> Found {
        let known: Vec<&str> = known.collect();
        let message = format!("{what} {name} is unknown");
        let help = match crate::diagnostic::suggest::nearest(name, known.iter().copied()) {
            Some(near) => format!("write `{near}`"),
            None => format!("there are {}", known.join(", ")),
        };
        refusal(span, message, help)
    }
}

/// Whether an expression is written out whole: no name is in it.
fn is_literal(expression: &Expr<'_>) -> bool {
    match expression {
        Expr::Const(_) => true,
        Expr::UnaryOp(it) => matches!(it.expr, Expr::Const(_)),
        Expr::List(it) => it.items.iter().all(is_literal),
        Expr::Tuple(it) => it.items.iter().all(is_literal),
        Expr::Map(it) => it.keys.iter().chain(&it.values).all(is_literal),
        _ => false,
    }
}
