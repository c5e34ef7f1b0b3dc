//! Rules, each read once a run.

use std::sync::{Arc, PoisonError, RwLock};

use rustc_hash::FxHashMap;

use cel_k8s::expr::Expr;
use cel_k8s::lex::{Token, lex};
use cel_k8s::parse;

/// How many rules are kept: EnvoyProxy has about a hundred.
const MOST: usize = 2000;

/// A rule that was read.
#[derive(Debug)]
pub struct Program {
    /// What it says.
    pub expr: Expr,
    /// Whether it names `oldSelf`: a rule on changes.
    pub on_changes: bool,
}

impl Program {
    /// Reads a rule.
    ///
    /// # Errors
    /// Says what can't be read.
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

type Entry = Arc<Result<Program, String>>;

/// The rules of one run, by their text.
#[derive(Debug, Default)]
pub struct Programs {
    known: RwLock<FxHashMap<String, Entry>>,
}

impl Programs {
    /// A rule, read now or earlier.
    pub fn get(&self, text: &str) -> Entry {
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
