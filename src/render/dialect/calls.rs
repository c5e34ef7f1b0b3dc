//! The results of filters, tests and calls.

use minijinja::machinery::Span;
use minijinja::machinery::ast::{Call, CallArg, Expr, Filter, Spanned, Test};

use super::Contents::{List, Lists, Namespace, Scalar, Value};
use super::reader::{Found, Reader, refusal};
use super::tables::{COMPARING, FILTERS, FilterResult, NUMBERS, TESTS_OF_KIND};
use super::{ENDLESS, Estimate, NUMBER};

impl<'a> Reader<'a> {
    pub(super) fn filter(&mut self, it: &'a Spanned<Filter<'a>>) -> Found {
        let Some((_, most, gives)) = FILTERS.iter().find(|(name, ..)| *name == it.name) else {
            return self.unknown(
                it.span(),
                "filter",
                it.name,
                FILTERS.iter().map(|(name, ..)| *name),
            );
        };
        let what = format!("`{}` doesn't accept", it.name);
        let given = match &it.expr {
            Some(given) => self.at_most(*most, given, &what)?,
            None => Estimate::new(Scalar, ENDLESS),
        };
        let most_arguments = if *gives == FilterResult::Either {
            Lists
        } else {
            Value
        };
        let with = self.arguments(&it.args, most_arguments)?;
        if it.name == "map" {
            self.check_map(it)?;
        }
        if *gives != FilterResult::Either {
            self.check_length(it.span(), with)?;
        }
        if COMPARING.contains(&it.name) {
            self.check_length(it.span(), given)?;
        }
        let longest = match it.name {
            name if NUMBERS.contains(&name) => NUMBER,
            "capitalize" | "lower" | "title" | "upper" => given.longest.saturating_mul(3),
            "e" | "escape" | "format" | "indent" | "join" | "replace" => ENDLESS,
            _ => given.longest.max(with.longest).max(NUMBER),
        };
        let contents = match gives {
            FilterResult::Scalar => Scalar,
            FilterResult::List => given.contents.max(List),
            FilterResult::Lists => Lists,
            FilterResult::Item => given.item().contents,
            FilterResult::Either => given.contents.max(with.contents),
            FilterResult::Reversed if given.contents == Scalar => Scalar,
            FilterResult::Reversed => List,
        };
        Ok(Estimate::new(contents, longest))
    }

    /// Checks that `map` gets an attribute, or a filter that returns a string or a number.
    pub(super) fn check_map(&self, it: &'a Spanned<Filter<'a>>) -> Found<()> {
        match it.args.first() {
            Some(CallArg::Kwarg(..)) => Ok(()),
            Some(CallArg::Pos(Expr::Const(name)))
                if FILTERS.iter().any(|(filter, most, gives)| {
                    name.value.as_str() == Some(*filter)
                        && *gives == FilterResult::Scalar
                        && *most == Value
                }) =>
            {
                Ok(())
            }
            _ => refusal(
                it.span(),
                "`map` accepts only `attribute=`, or the name of a filter that returns a string or a number",
                "write a loop with `{% for %}`",
            ),
        }
    }

    pub(super) fn test(&mut self, it: &'a Spanned<Test<'a>>) -> Found {
        let most = match TESTS_OF_KIND.contains(&it.name) {
            true => Lists,
            false => Value,
        };
        let given = self.at_most(most, &it.expr, "the test doesn't accept")?;
        let most = if it.name == "in" { Lists } else { Value };
        let with = self.arguments(&it.args, most)?;
        if !TESTS_OF_KIND.contains(&it.name) {
            let longest = given.longest.min(with.longest);
            self.check_length(it.span(), Estimate::new(Scalar, longest))?;
        }
        Ok(Estimate::number())
    }

    pub(super) fn call(&mut self, it: &'a Spanned<Call<'a>>) -> Found {
        match &it.expr {
            Expr::Var(name) if name.id == "caller" || self.macros.contains(name.id) => {
                let made = self.arguments(&it.args, Lists)?;
                self.pass(made);
                Ok(Estimate::new(Scalar, ENDLESS))
            }
            Expr::Var(name) if name.id == "range" => {
                self.arguments(&it.args, Value)?;
                Ok(Estimate::new(List, NUMBER))
            }
            Expr::Var(name) if name.id == "namespace" => {
                let made = self.arguments(&it.args, Value)?;
                let is_by_name = |one: &CallArg<'_>| matches!(one, CallArg::Kwarg(..));
                match it.args.iter().all(is_by_name) {
                    true => Ok(Estimate::new(Namespace, made.longest)),
                    false => refusal(
                        it.span(),
                        "`namespace` accepts only named arguments",
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
                    let made = self.arguments(&it.args, Value)?;
                    Ok(Estimate::new(Value, made.longest))
                }
                Expr::Var(name) if name.id == "loop" && method.name == "changed" => {
                    let made = self.arguments(&it.args, Value)?;
                    self.check_length(it.span(), made)?;
                    Ok(Estimate::number())
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

    pub(super) fn unknown<'n>(
        &self,
        span: Span,
        what: &str,
        name: &str,
        known: impl Iterator<Item = &'n str>,
    ) -> Found {
        let known: Vec<&str> = known.collect();
        let message = format!("{what} {name} is unknown");
        let help = match manifest::diagnostic::suggest::nearest(name, known.iter().copied()) {
            Some(near) => format!("write `{near}`"),
            None => format!("the known names are {}", known.join(", ")),
        };
        refusal(span, message, help)
    }
}
