//! What was compared, as a table: what gatewayctl foretold, and what happened.

use crate::common::agreement::in_readme;
use crate::request::Outcome;

/// Disagreements that are known, by a part of the question, each with its reason. A disagreement that is not listed here
/// fails the test, and so does a line of this list that no longer disagrees.
const KNOWN: &[(&str, &str)] = &[];

/// One comparison.
#[derive(Clone, Debug)]
pub struct Row {
    /// The files, and the gateway.
    pub input: String,
    /// What was asked.
    pub question: String,
    /// What gatewayctl says may happen.
    pub foretold: Vec<String>,
    /// What happened.
    pub happened: String,
}

impl Row {
    fn agrees(&self) -> bool {
        self.foretold.contains(&self.happened)
    }

    fn reason(&self) -> Option<&'static str> {
        let mut known = KNOWN.iter();
        known
            .find(|(part, _)| self.question.contains(part))
            .map(|(_, reason)| *reason)
    }
}

/// All comparisons of a test.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Row>,
}

impl Table {
    /// Adds a comparison.
    pub fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Adds all comparisons of another table.
    pub fn extend(&mut self, other: Table) {
        self.rows.extend(other.rows);
    }

    /// Prints the figures and every disagreement, and fails if one has no known reason, or if docs/src/agreement.md has
    /// other figures.
    #[track_caller]
    pub fn conclude(&self, title: &str) {
        let agreed = self.check(title);
        let known = KNOWN.iter().map(|(_, reason)| *reason);
        let known: Vec<&str> = known.filter(|_| agreed < self.rows.len()).collect();
        in_readme(title, self.rows.len(), agreed, &known.join("; "));
    }

    /// Prints the figures and every disagreement, and fails if one has no known reason. Returns how many agree.
    #[track_caller]
    pub fn check(&self, title: &str) -> usize {
        let agreed = self.rows.iter().filter(|row| row.agrees()).count();
        println!("{title}: compared {}, agreed {agreed}", self.rows.len());
        let mut unexpected = Vec::new();
        for row in &self.rows {
            let foretold = row.foretold.join(" or ");
            let line = format!(
                "{}: {}\n    foretold: {foretold}\n    happened: {}",
                row.input, row.question, row.happened
            );
            match (row.agrees(), row.reason()) {
                (true, None) => {}
                (false, Some(reason)) => println!("  {line}\n    because {reason}"),
                (true, Some(_)) => unexpected.push(format!("{line}\n    which agrees by now")),
                (false, None) => unexpected.push(line),
            }
        }
        assert!(unexpected.is_empty(), "{title}:\n{}", unexpected.join("\n"));
        agreed
    }
}

/// What happened, in the words in which `trace` foretells it: a backend, a status, a redirect, or no answer.
pub fn happened(outcome: &Outcome) -> String {
    let Outcome::Answered(answer) = outcome else {
        return "no answer".to_owned();
    };
    if let Some(backend) = answer.backend() {
        return backend;
    }
    match answer.header("location") {
        Some(location) => format!("{} to {location}", answer.status),
        None => answer.status.to_string(),
    }
}
