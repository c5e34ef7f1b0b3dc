//! Statements, and the types of the names that they set.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::machinery::Span;
use minijinja::machinery::ast::{Expr, Macro, Stmt};

use super::Contents::{Scalar, Value};
use super::{ENDLESS, Estimate, Refusal};

/// Computes what each name can contain, wherever in the template it is set.
pub(super) struct Reader<'a> {
    pub(super) context: &'a BTreeSet<&'a str>,
    /// What the template's own names can contain.
    pub(super) names: BTreeMap<&'a str, Estimate>,
    pub(super) macros: BTreeSet<&'a str>,
    /// What the arguments of macro calls can contain.
    pub(super) parameters: Estimate,
    /// The length of the longest string in the context.
    pub(super) longest: u64,
    /// Whether strings that still grow are treated as unlimited.
    pub(super) grows: bool,
    /// Whether the last pass found nothing new.
    pub(super) is_settled: bool,
}

pub(super) type Found<T = Estimate> = Result<T, Refusal>;

pub(super) fn refusal<T>(
    span: Span,
    message: impl Into<String>,
    help: impl Into<String>,
) -> Found<T> {
    Err(Refusal {
        message: message.into(),
        help: help.into(),
        range: span.start_offset as usize..span.end_offset as usize,
    })
}

impl<'a> Reader<'a> {
    pub(super) fn set(&mut self, name: &'a str, made: Estimate) {
        let known = self.names.get(name).copied();
        let grown = self.grown(known, made);
        if known != Some(grown) {
            self.names.insert(name, grown);
            self.is_settled = false;
        }
    }

    pub(super) fn grown(&self, known: Option<Estimate>, made: Estimate) -> Estimate {
        let Some(known) = known else { return made };
        let mut grown = known.or(made);
        if self.grows && grown.longest > known.longest {
            grown.longest = ENDLESS;
        }
        grown
    }

    pub(super) fn all(&mut self, statements: &'a [Stmt<'a>]) -> Found<()> {
        statements.iter().try_for_each(|one| self.statement(one))
    }

    pub(super) fn statement(&mut self, statement: &'a Stmt<'a>) -> Found<()> {
        match statement {
            Stmt::Template(it) => self.all(&it.children),
            Stmt::EmitExpr(it) => self.expression(&it.expr).map(|_| ()),
            Stmt::EmitRaw(_) => Ok(()),
            Stmt::ForLoop(it) => {
                if it.recursive {
                    return refusal(
                        it.span(),
                        "recursive loops are not allowed",
                        "write a separate loop for each level",
                    );
                }
                let over = self.expression(&it.iter)?;
                self.assign(&it.target, over.item())?;
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
                    let contents = self.expression(value)?;
                    self.assign(target, contents)?;
                }
                self.all(&it.body)
            }
            Stmt::Set(it) => {
                let contents = self.expression(&it.expr)?;
                self.assign(&it.target, contents)
            }
            Stmt::SetBlock(it) => {
                let contents = match &it.filter {
                    Some(filter) => self.expression(filter)?,
                    None => Estimate::new(Scalar, ENDLESS),
                };
                self.all(&it.body)?;
                self.assign(&it.target, contents)
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

    pub(super) fn macro_body(&mut self, it: &'a Macro<'a>) -> Found<()> {
        for default in &it.defaults {
            let contents = self.expression(default)?;
            self.pass(contents);
        }
        for parameter in &it.args {
            self.assign(parameter, self.parameters)?;
        }
        self.all(&it.body)
    }

    pub(super) fn pass(&mut self, made: Estimate) {
        let grown = self.grown(Some(self.parameters), made);
        if grown != self.parameters {
            self.parameters = grown;
            self.is_settled = false;
        }
    }

    pub(super) fn assign(&mut self, target: &'a Expr<'a>, made: Estimate) -> Found<()> {
        match target {
            Expr::Var(it) => {
                self.set(it.id, made);
                Ok(())
            }
            Expr::GetAttr(_) if made.contents > Value => refusal(
                target.span(),
                "a namespace can't contain a list or table that the template creates",
                "store only strings, numbers and values of `cluster.toml` in it",
            ),
            Expr::GetAttr(it) => {
                if let Expr::Var(namespace) = &it.expr {
                    let there = self.names.get(namespace.id).map_or(Value, |it| it.contents);
                    self.set(namespace.id, Estimate::new(there, made.longest));
                }
                Ok(())
            }
            Expr::List(it) => it
                .items
                .iter()
                .try_for_each(|one| self.assign(one, made.item())),
            Expr::Tuple(it) => it
                .items
                .iter()
                .try_for_each(|one| self.assign(one, made.item())),
            other => refusal(
                other.span(),
                format!("a {} can't be set", other.description()),
                "set a variable",
            ),
        }
    }
}
