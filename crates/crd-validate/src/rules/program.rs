//! Parsed rules. Each is parsed once a run.

use std::sync::{Arc, PoisonError, RwLock};

use rustc_hash::FxHashMap;

use cel_k8s::expr::Expr;
use cel_k8s::lex::{Token, lex};
use cel_k8s::parse;

/// How many rules are cached: EnvoyProxy has about a hundred.
const MOST: usize = 2000;

/// A parsed rule.
#[derive(Debug)]
pub struct Program {
    /// The expression.
    pub expr: Expr,
    /// Whether it uses `oldSelf`, so that it is a transition rule.
    pub on_changes: bool,
}

impl Program {
    /// Parses a rule.
    ///
    /// # Errors
    /// If it can't be parsed; the message says why.
    pub fn read(text: &str) -> Result<Program, String> {
        let on_changes = text.contains("oldSelf")
            && lex(text)?
                .iter()
                .any(|token| matches!(token, Token::Name(name) if name == "oldSelf"));
        Ok(Program {
            expr: parse(text)?,
            on_changes,
        })
    }
}

type CachedProgram = Arc<Result<Program, String>>;

/// The rules of one run, by their text.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    known: RwLock<FxHashMap<String, CachedProgram>>,
}

impl Programs {
    /// A rule, parsed now or earlier.
    pub(crate) fn get(&self, text: &str) -> CachedProgram {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = known.get(text) {
            return entry.clone();
        }
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        let entry = Arc::new(Program::read(text));
        known.insert(text.to_owned(), entry.clone());
        entry
    }
}
