//! The results of expressions.

use minijinja::machinery::Span;
use minijinja::machinery::ast::{BinOpKind, CallArg, CompareOpKind, Expr, UnaryOpKind};

use super::Contents::{List, Lists, Namespace, Scalar, Value};
use super::reader::{Found, Reader, refusal};
use super::tables::{LOOP_SCALARS, NUMBERS};
use super::{Contents, ENDLESS, Estimate, MOST_COMPARED, NUMBER};

const WRITE_OUT: &str = "print the items one by one with `{% for %}`";

impl<'a> Reader<'a> {
    /// Evaluates what an expression can contain, and refuses it if that is more than `most`.
    pub(super) fn at_most(
        &mut self,
        most: Contents,
        expression: &'a Expr<'a>,
        what: &str,
    ) -> Found {
        let made = self.expression(expression)?;
        if made.contents > most {
            return refusal(
                expression.span(),
                format!("{what} a list or table that the template creates"),
                WRITE_OUT,
            );
        }
        Ok(made)
    }

    /// Refuses a string that may be too long for an operation whose cost doesn't depend on the length.
    pub(super) fn check_length(&self, span: Span, made: Estimate) -> Found<()> {
        if made.longest <= self.longest.max(MOST_COMPARED) {
            return Ok(());
        }
        refusal(
            span,
            "a string of unlimited length is compared or sliced here",
            "compare or slice its parts before they are joined",
        )
    }

    /// Checks a comparison. Its work depends on the shorter of both operands.
    pub(super) fn compared(
        &mut self,
        left: &'a Expr<'a>,
        right: &'a Expr<'a>,
        most: Contents,
    ) -> Found<()> {
        let what = "a value can't be compared with";
        let left_made = self.at_most(Value, left, what)?;
        let right_made = self.at_most(most, right, what)?;
        let longest = left_made.longest.min(right_made.longest);
        self.check_length(right.span(), Estimate::new(Scalar, longest))
    }

    pub(super) fn expression(&mut self, expression: &'a Expr<'a>) -> Found {
        Ok(match expression {
            Expr::Const(it) => Estimate::new(Scalar, length(it.value.as_str())),
            Expr::Var(it) => {
                let made = self.variable(it.id);
                if made.contents == Namespace {
                    return refusal(
                        it.span(),
                        "a namespace can't be used as a value",
                        format!("use one of its attributes, such as `{}.name`", it.id),
                    );
                }
                made
            }
            Expr::Slice(it) => {
                if it.step.is_some() {
                    return refusal(
                        it.span(),
                        "a slice can't have a step here",
                        "remove the step",
                    );
                }
                for bound in [&it.start, &it.stop].into_iter().flatten() {
                    self.at_most(Value, bound, "the bound of a slice can't be")?;
                }
                let made = self.at_most(Value, &it.expr, "a slice can't be taken of")?;
                self.check_length(it.span(), made)?;
                let contents = if made.contents == Scalar {
                    Scalar
                } else {
                    List
                };
                Estimate::new(contents, made.longest)
            }
            Expr::UnaryOp(it) => {
                self.expression(&it.expr)?;
                match it.op {
                    UnaryOpKind::Not | UnaryOpKind::Neg => Estimate::number(),
                }
            }
            Expr::BinOp(it) => self.operator(it.op, expression.span(), &it.left, &it.right)?,
            Expr::Compare(it) => {
                let mut left = &it.expr;
                for one in &it.ops {
                    let most = match one.op {
                        CompareOpKind::In | CompareOpKind::NotIn => Lists,
                        _ => Value,
                    };
                    self.compared(left, &one.expr, most)?;
                    left = &one.expr;
                }
                Estimate::number()
            }
            Expr::IfExpr(it) => {
                self.expression(&it.test_expr)?;
                let contents = self.expression(&it.true_expr)?;
                match &it.false_expr {
                    Some(other) => contents.or(self.expression(other)?),
                    None => contents,
                }
            }
            Expr::Filter(it) => self.filter(it)?,
            Expr::Test(it) => self.test(it)?,
            Expr::GetAttr(it) => match &it.expr {
                Expr::Var(var) if self.variable(var.id).contents == Namespace => {
                    self.variable(var.id).item()
                }
                Expr::Var(var) if var.id == "loop" && LOOP_SCALARS.contains(&it.name) => {
                    Estimate::number()
                }
                below => self.expression(below)?.item(),
            },
            Expr::GetItem(it) => {
                let key = self.at_most(Value, &it.subscript_expr, "an index can't be")?;
                self.check_length(it.span(), key)?;
                self.expression(&it.expr)?.item()
            }
            Expr::Call(it) => self.call(it)?,
            Expr::List(it) => self.literal(&it.items)?,
            Expr::Tuple(it) => self.literal(&it.items)?,
            Expr::Map(it) => self.literal(&it.keys)?.or(self.literal(&it.values)?),
        })
    }

    pub(super) fn variable(&self, name: &str) -> Estimate {
        let given = Estimate::new(Value, self.longest.max(NUMBER));
        match self.names.get(name).copied() {
            Some(own) if !self.context.contains(name) => own,
            // A name of the context may be read before the template sets it.
            Some(own) => own.or(given),
            None => given,
        }
    }

    pub(super) fn operator(
        &mut self,
        op: BinOpKind,
        span: Span,
        left: &'a Expr<'a>,
        right: &'a Expr<'a>,
    ) -> Found {
        match op {
            BinOpKind::ScAnd | BinOpKind::ScOr => {
                return Ok(self.expression(left)?.or(self.expression(right)?));
            }
            BinOpKind::In => self.compared(left, right, Lists)?,
            BinOpKind::Concat => {
                let left = self.at_most(Value, left, "`~` can't join")?;
                let right = self.at_most(Value, right, "`~` can't join")?;
                let longest = left.longest.saturating_add(right.longest);
                return Ok(Estimate::new(Scalar, longest));
            }
            BinOpKind::Add => {
                // If one operand is not a list, the engine refuses a list as the other operand.
                let (made_left, made_right) = (self.expression(left)?, self.expression(right)?);
                if made_left.contents.min(made_right.contents) != Scalar {
                    return refusal(
                        span,
                        "`+` may join two lists, and their length would be unlimited",
                        "join strings with `~`, put `| int` after a number, and loop over lists one after the other",
                    );
                }
                // A number can only be added to a number.
                let is_number = is_number(left) || is_number(right);
                let longest = made_left.longest.saturating_add(made_right.longest);
                return Ok(Estimate::new(
                    Scalar,
                    if is_number { NUMBER } else { longest },
                ));
            }
            BinOpKind::Mul => {
                let made = self.expression(left)?.or(self.expression(right)?);
                if made.contents != Scalar {
                    return refusal(
                        span,
                        "`*` may repeat a list, and its length would be unlimited",
                        "put `| int` after the operands that are numbers",
                    );
                }
                let is_number = is_number(left) && is_number(right);
                return Ok(Estimate::new(
                    Scalar,
                    if is_number { NUMBER } else { ENDLESS },
                ));
            }
            BinOpKind::Eq
            | BinOpKind::Ne
            | BinOpKind::Lt
            | BinOpKind::Lte
            | BinOpKind::Gt
            | BinOpKind::Gte => self.compared(left, right, Value)?,
            BinOpKind::Sub
            | BinOpKind::Div
            | BinOpKind::FloorDiv
            | BinOpKind::Rem
            | BinOpKind::Pow => {
                self.expression(left)?;
                self.expression(right)?;
            }
        }
        Ok(Estimate::number())
    }

    pub(super) fn literal(&mut self, items: &'a [Expr<'a>]) -> Found {
        let mut made = Estimate::new(Value, 0);
        for item in items {
            if is_literal(item) {
                made.longest = made.longest.max(longest_in(item));
                continue;
            }
            let one = self.at_most(Value, item, "a list or table can't contain")?;
            made = made.or(Estimate::new(List, one.longest));
        }
        Ok(made)
    }

    pub(super) fn arguments(&mut self, arguments: &'a [CallArg<'a>], most: Contents) -> Found {
        let mut made = Estimate::new(Scalar, 0);
        for argument in arguments {
            let one = match argument {
                CallArg::Pos(one) | CallArg::Kwarg(_, one) => one,
                CallArg::PosSplat(one) | CallArg::KwargSplat(one) => {
                    return refusal(
                        one.span(),
                        "arguments can't be unpacked here",
                        "remove the star, and write the arguments one by one",
                    );
                }
            };
            made = made.or(self.at_most(most, one, "an argument can't be")?);
        }
        Ok(made)
    }
}

/// Whether an expression is a literal without variables.
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

/// Whether an expression is a number or a boolean if it doesn't fail.
fn is_number(expression: &Expr<'_>) -> bool {
    match expression {
        Expr::Const(it) => it.value.as_str().is_none(),
        Expr::UnaryOp(_) | Expr::Compare(_) | Expr::Test(_) => true,
        Expr::BinOp(it) => match it.op {
            BinOpKind::Concat => false,
            BinOpKind::Add => is_number(&it.left) || is_number(&it.right),
            BinOpKind::Mul | BinOpKind::ScAnd | BinOpKind::ScOr => {
                is_number(&it.left) && is_number(&it.right)
            }
            _ => true,
        },
        Expr::Filter(it) => NUMBERS.contains(&it.name),
        Expr::GetAttr(it) => {
            matches!(&it.expr, Expr::Var(var) if var.id == "loop")
                && LOOP_SCALARS.contains(&it.name)
        }
        _ => false,
    }
}

fn length(text: Option<&str>) -> u64 {
    text.map_or(NUMBER, |text| u64::try_from(text.len()).unwrap_or(ENDLESS))
}

/// The longest string in a literal, in bytes.
fn longest_in(expression: &Expr<'_>) -> u64 {
    let longest = |items: &[Expr<'_>]| items.iter().map(longest_in).max().unwrap_or_default();
    match expression {
        Expr::Const(it) => length(it.value.as_str()),
        Expr::List(it) => longest(&it.items),
        Expr::Tuple(it) => longest(&it.items),
        Expr::Map(it) => longest(&it.keys).max(longest(&it.values)),
        _ => NUMBER,
    }
}
