//! Parses tokens to an expression.

use std::sync::Arc;

use super::expr::{Ask, Expr, Fold, Item, Operator};
use super::functions::{self, Form};
use super::lex::{Token, lex};
use super::value::{TYPES, Value};
use k8s_syntax::pattern::Pattern;
use k8s_syntax::time;

/// How deeply an expression may be nested: several times what any rule needs (cel-go stops at 250). It must fit into
/// the smallest stack of a thread.
const DEEPEST: usize = 80;

/// The maximum number of nodes of an expression, which limits the work of every pass over it.
const MOST_STEPS: usize = 4000;

/// The maximum length of an expression, in bytes.
const LONGEST: usize = 64 << 10;

/// Parses an expression.
///
/// # Errors
/// If the syntax is invalid, or a function doesn't exist; the message says which.
pub fn parse(text: &str) -> Result<Expr, String> {
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let mut parser = Parser {
        tokens: lex(text)?,
        at: 0,
        depth: 0,
        steps: 0,
    };
    let expr = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(expr),
        other => Err(format!("{} is not expected here", shown(other))),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    steps: usize,
}

type Parsed<T = Expr> = Result<T, String>;

fn shown(token: &Token) -> String {
    match token {
        Token::Name(name) => format!("`{name}`"),
        Token::Sign(sign) => format!("`{sign}`"),
        Token::End => "the end".to_owned(),
        Token::String(_) => "a string".to_owned(),
        Token::Bytes(_) => "bytes".to_owned(),
        Token::Int(_) | Token::Uint(_) | Token::Double(_) => "a number".to_owned(),
    }
}

/// Operators and their precedence.
const OPERATORS: &[(&str, Operator, u8)] = &[
    ("==", Operator::Equal, 0),
    ("!=", Operator::Unequal, 0),
    ("<", Operator::Less, 0),
    ("<=", Operator::LessEqual, 0),
    (">", Operator::Greater, 0),
    (">=", Operator::GreaterEqual, 0),
    ("in", Operator::In, 0),
    ("+", Operator::Add, 1),
    ("-", Operator::Subtract, 1),
    ("*", Operator::Multiply, 2),
    ("/", Operator::Divide, 2),
    ("%", Operator::Remainder, 2),
];

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).unwrap_or(&Token::End)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(there) if *there == sign)
    }

    fn take(&mut self, sign: &str) -> bool {
        let there = self.is(sign);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, sign: &str) -> Parsed<()> {
        if self.take(sign) {
            return Ok(());
        }
        Err(format!("`{sign}` is missing before {}", shown(self.peek())))
    }

    /// Counts one more node and one more level. The left-hand side of an operator chain counts too.
    fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        self.steps += 1;
        if self.depth > DEEPEST || self.steps > MOST_STEPS {
            return Err(format!(
                "it is nested deeper than {DEEPEST} levels, or has more than {MOST_STEPS} parts"
            ));
        }
        Ok(())
    }

    fn expression(&mut self) -> Parsed {
        let before = self.depth;
        self.deeper()?;
        let condition = self.any()?;
        let expr = if self.take("?") {
            let yes = self.any()?;
            self.expect(":")?;
            let no = self.expression()?;
            Expr::If(Box::new([condition, yes, no]))
        } else {
            condition
        };
        self.depth = before;
        Ok(expr)
    }

    fn any(&mut self) -> Parsed {
        let first = self.all()?;
        if !self.is("||") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.take("||") {
            parts.push(self.all()?);
        }
        Ok(Expr::Or(parts))
    }

    fn all(&mut self) -> Parsed {
        let first = self.binary(0)?;
        if !self.is("&&") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.take("&&") {
            parts.push(self.binary(0)?);
        }
        Ok(Expr::And(parts))
    }

    /// Parses operators with a precedence of at least `least`, by precedence climbing.
    fn binary(&mut self, least: u8) -> Parsed {
        let before = self.depth;
        let mut left = self.unary()?;
        while let Some((operator, binds)) = self.operator().filter(|(_, binds)| *binds >= least) {
            self.at += 1;
            self.deeper()?;
            let right = self.binary(binds + 1)?;
            left = Expr::Binary(operator, Box::new([left, right]));
        }
        self.depth = before;
        Ok(left)
    }

    fn operator(&self) -> Option<(Operator, u8)> {
        let word = match self.peek() {
            Token::Sign(sign) => *sign,
            Token::Name(name) => name,
            _ => return None,
        };
        let known = OPERATORS.iter().find(|(sign, _, _)| *sign == word);
        known.map(|(_, operator, binds)| (*operator, *binds))
    }

    fn unary(&mut self) -> Parsed {
        let before = self.depth;
        let expr = if self.take("!") {
            self.deeper()?;
            Expr::Not(Box::new(self.unary()?))
        } else if self.take("-") {
            self.deeper()?;
            match self.peek() {
                Token::Int(value) => {
                    let value = 0_i64.checked_sub_unsigned(*value);
                    let value = value.ok_or("a number is out of range")?;
                    self.at += 1;
                    self.members(Expr::Value(Value::Int(value)))?
                }
                _ => Expr::Negate(Box::new(self.unary()?)),
            }
        } else {
            let first = self.primary()?;
            self.members(first)?
        };
        self.depth = before;
        Ok(expr)
    }

    fn members(&mut self, mut of: Expr) -> Parsed {
        loop {
            if self.take(".") {
                self.deeper()?;
                let optional = self.take("?");
                let Token::Name(name) = self.next() else {
                    return Err("a field is missing after `.`".to_owned());
                };
                of = if !optional && self.take("(") {
                    self.method(of, &name)?
                } else {
                    field(of, name, optional)
                };
            } else if self.take("[") {
                self.deeper()?;
                let optional = self.take("?");
                let at = Box::new(self.expression()?);
                self.expect("]")?;
                of = Expr::Index {
                    of: Box::new(of),
                    at,
                    optional,
                };
            } else if self.is("{") {
                return Err("messages can't be built in rules".to_owned());
            } else {
                return Ok(of);
            }
        }
    }

    fn primary(&mut self) -> Parsed {
        Ok(match self.next() {
            Token::Int(value) => Expr::Value(Value::Int(
                i64::try_from(value).map_err(|_| "a number is out of range")?,
            )),
            Token::Uint(value) => Expr::Value(Value::Uint(value)),
            Token::Double(value) => Expr::Value(Value::Double(value)),
            Token::String(text) => Expr::Value(Value::string(text)),
            Token::Bytes(bytes) => Expr::Value(Value::Bytes(bytes.into())),
            Token::Sign("(") => {
                let inner = self.expression()?;
                self.expect(")")?;
                inner
            }
            Token::Sign("[") => Expr::List(self.items()?),
            Token::Sign("{") => Expr::Map(self.entries()?),
            Token::Sign(".") => return self.primary(),
            Token::Name(name) => match name.as_str() {
                "true" => Expr::Value(Value::Bool(true)),
                "false" => Expr::Value(Value::Bool(false)),
                "null" => Expr::Value(Value::Null),
                _ if self.take("(") => self.call(&name)?,
                _ => Expr::Name(name.into()),
            },
            other => return Err(format!("a value is expected instead of {}", shown(&other))),
        })
    }

    fn items(&mut self) -> Parsed<Vec<Item>> {
        let mut items = Vec::new();
        while !self.take("]") {
            let optional = self.take("?");
            let value = self.expression()?;
            items.push(Item { value, optional });
            if !self.take(",") && !self.is("]") {
                self.expect("]")?;
            }
        }
        Ok(items)
    }

    fn entries(&mut self) -> Parsed<Vec<(Expr, Item)>> {
        let mut entries = Vec::new();
        while !self.take("}") {
            let optional = self.take("?");
            let key = self.expression()?;
            self.expect(":")?;
            let value = self.expression()?;
            entries.push((key, Item { value, optional }));
            if !self.take(",") && !self.is("}") {
                self.expect("}")?;
            }
        }
        Ok(entries)
    }

    fn arguments(&mut self) -> Parsed<Vec<Expr>> {
        let mut arguments = Vec::new();
        while !self.take(")") {
            arguments.push(self.expression()?);
            if !self.take(",") && !self.is(")") {
                self.expect(")")?;
            }
        }
        Ok(arguments)
    }

    fn call(&mut self, name: &str) -> Parsed {
        let arguments = self.arguments()?;
        if name == "has" {
            let [
                Expr::Field {
                    of,
                    name,
                    ask: Ask::Value | Ask::Optional,
                },
            ] = arguments.as_slice()
            else {
                return Err("`has` takes a field".to_owned());
            };
            return Ok(Expr::Field {
                of: of.clone(),
                name: name.clone(),
                ask: Ask::Presence,
            });
        }
        function(name, Form::Global, arguments)
    }

    fn method(&mut self, of: Expr, name: &str) -> Parsed {
        let mut arguments = self.arguments()?;
        if let Expr::Name(space) = &of {
            let full = format!("{space}.{name}");
            if full == "cel.bind" {
                return bind(arguments);
            }
            if functions::is_known(&full) {
                return function(&full, Form::Global, arguments);
            }
        }
        if let Some(expr) = fold(&of, name, &arguments) {
            return Ok(expr);
        }
        if let ("optMap" | "optFlatMap", [Expr::Name(variable), body]) =
            (name, arguments.as_slice())
        {
            return Ok(Expr::OptMap {
                name: variable.clone(),
                value: Box::new(of),
                body: Box::new(body.clone()),
                flat: name == "optFlatMap",
            });
        }
        arguments.insert(0, of);
        function(name, Form::Member, arguments)
    }
}

/// A field, or a type whose name has dots.
fn field(of: Expr, name: String, optional: bool) -> Expr {
    let ask = if optional { Ask::Optional } else { Ask::Value };
    let field = Expr::Field {
        of: Box::new(of),
        name: name.into(),
        ask,
    };
    let type_ = qualified(&field).and_then(|full| TYPES.iter().find(|known| **known == full));
    match type_ {
        Some(type_) => Expr::Value(Value::Type(type_)),
        None => field,
    }
}

fn qualified(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Name(name) if matches!(&**name, "google" | "net" | "kubernetes") => {
            Some(name.to_string())
        }
        Expr::Field {
            of,
            name,
            ask: Ask::Value,
        } => Some(format!("{}.{name}", qualified(of)?)),
        _ => None,
    }
}

fn function(name: &str, form: Form, arguments: Vec<Expr>) -> Parsed {
    literals(name, &arguments)?;
    functions::find(name, form, arguments.len())
        .map(|function| Expr::Call(function, arguments))
        .ok_or_else(|| format!("there is no function `{name}` with these arguments"))
}

/// Checks the patterns, durations and times that are written in the expression, as the API server does (cel-go's
/// `ValidateRegexLiterals` and the like): an expression that can never be evaluated is none.
fn literals(name: &str, arguments: &[Expr]) -> Result<(), String> {
    let text = |at: usize| match arguments.get(at) {
        Some(Expr::Value(Value::String(text))) => Some(text.as_str()),
        _ => None,
    };
    match name {
        "matches" | "find" | "findAll" => match text(1).map(Pattern::new) {
            Some(Err(problem)) => Err(format!(
                "the pattern `{}` {problem}",
                text(1).unwrap_or_default()
            )),
            _ => Ok(()),
        },
        "duration" => match text(0).filter(|text| time::duration(text).is_none()) {
            Some(text) => Err(format!("`{text}` is not a duration")),
            None => Ok(()),
        },
        "timestamp" => match text(0).filter(|text| time::date_time(text).is_none()) {
            Some(text) => Err(format!("`{text}` is not a date with a time")),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

fn bind(arguments: Vec<Expr>) -> Parsed {
    let [Expr::Name(name), value, body] = arguments.as_slice() else {
        return Err("`cel.bind` takes a name, a value and an expression".to_owned());
    };
    Ok(Expr::Bind(
        name.clone(),
        Box::new([value.clone(), body.clone()]),
    ))
}

/// The macro that a method call stands for, if it is one.
fn fold(of: &Expr, name: &str, arguments: &[Expr]) -> Option<Expr> {
    let named = |expr: &Expr| match expr {
        Expr::Name(name) => Some(name.clone()),
        _ => None,
    };
    let of_name = |name: &str| {
        Some(match name {
            "all" => Fold::All,
            "exists" => Fold::Exists,
            "exists_one" | "existsOne" => Fold::ExistsOne,
            "filter" => Fold::Filter,
            "map" | "transformList" => Fold::Map,
            "transformMap" => Fold::MapValues,
            "transformMapEntry" => Fold::MapEntries,
            "sortBy" => Fold::SortBy,
            _ => return None,
        })
    };
    let fold = of_name(name)?;
    let is_transform = name.starts_with("transform");
    let (names, filter, body): (Vec<Arc<str>>, Option<&Expr>, &Expr) = match (fold, arguments) {
        (Fold::Map, [item, filter, body]) if !is_transform => {
            (vec![named(item)?], Some(filter), body)
        }
        (
            Fold::All | Fold::Exists | Fold::ExistsOne | Fold::Filter | Fold::Map | Fold::SortBy,
            [item, body],
        ) if !is_transform => (vec![named(item)?], None, body),
        (Fold::All | Fold::Exists | Fold::ExistsOne, [key, item, body]) => {
            (vec![named(key)?, named(item)?], None, body)
        }
        (Fold::Map | Fold::MapValues | Fold::MapEntries, [key, item, body]) => {
            (vec![named(key)?, named(item)?], None, body)
        }
        (Fold::Map | Fold::MapValues | Fold::MapEntries, [key, item, filter, body]) => {
            (vec![named(key)?, named(item)?], Some(filter), body)
        }
        _ => return None,
    };
    Some(Expr::Fold {
        fold,
        over: Box::new(of.clone()),
        names: names.into_iter().collect::<Vec<Arc<str>>>(),
        filter: filter.map(|filter| Box::new(filter.clone())),
        body: Box::new(body.clone()),
    })
}
