//! How far gatewayctl agrees with the real programs, as rows of a table in docs/src/agreement.md. `UPDATE=1` writes the rows of the tests
//! that run.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The beginning of the table in docs/src/agreement.md.
const HEAD: &str =
    "| compared with | questions | agreed | reasons of the others |\n| --- | --- | --- | --- |\n";

/// A comparison with a real program.
#[derive(Debug)]
pub struct Agreement {
    title: String,
    asked: usize,
    agreed: usize,
    /// Each difference, with its reason if it has one.
    different: Vec<(String, Option<String>)>,
}

impl Agreement {
    /// A comparison with this name in the table.
    pub fn new(title: &str) -> Self {
        Agreement {
            title: title.to_owned(),
            asked: 0,
            agreed: 0,
            different: Vec::new(),
        }
    }

    /// Adds a question with both answers, and the reason if they may differ.
    pub fn add(&mut self, question: &str, theirs: &str, ours: &str, reason: Option<&str>) {
        self.asked += 1;
        if theirs == ours {
            self.agreed += 1;
            return;
        }
        let text = format!("{question}\n    really: {theirs}\n    foretold: {ours}");
        self.different.push((text, reason.map(str::to_owned)));
    }

    /// Prints the figures and every difference, and compares them with docs/src/agreement.md.
    ///
    /// # Panics
    /// If a difference has no reason, or that page has other figures.
    #[track_caller]
    pub fn conclude(&self) {
        let reasons = self.check();
        in_readme(&self.title, self.asked, self.agreed, &reasons);
    }

    /// Prints the figures and every difference, and returns the reasons. It is for what that page has no figures of.
    ///
    /// # Panics
    /// If a difference has no reason.
    #[track_caller]
    pub fn check(&self) -> String {
        println!(
            "{}: asked {}, agreed {}",
            self.title, self.asked, self.agreed
        );
        let mut reasons: Vec<(&str, usize)> = Vec::new();
        let mut unexplained = Vec::new();
        for (text, reason) in &self.different {
            match reason {
                None => unexplained.push(text.as_str()),
                Some(reason) => {
                    println!("  {text}\n    because {reason}");
                    match reasons.iter_mut().find(|(it, _)| it == reason) {
                        Some((_, count)) => *count += 1,
                        None => reasons.push((reason, 1)),
                    }
                }
            }
        }
        assert!(
            unexplained.is_empty(),
            "{}: without a reason:\n{}",
            self.title,
            unexplained.join("\n")
        );
        let reasons: Vec<String> = reasons
            .iter()
            .map(|(reason, count)| format!("{count}: {reason}"))
            .collect();
        reasons.join("; ")
    }
}

/// Compares a row of the table in docs/src/agreement.md with these figures.
#[track_caller]
pub fn in_readme(title: &str, asked: usize, agreed: usize, reasons: &str) {
    // Tests run at the same time.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/agreement.md");
    let readme = std::fs::read_to_string(&file).expect("docs/src/agreement.md");
    let row = format!("| {title} | {asked} | {agreed} | {reasons} |\n");
    if readme.contains(&row) {
        return;
    }
    assert!(
        std::env::var_os("UPDATE").is_some(),
        "docs/src/agreement.md should have this row (UPDATE=1 writes it):\n{row}"
    );
    let begin = readme
        .find(HEAD)
        .expect("docs/src/agreement.md has the table")
        + HEAD.len();
    let (before, rest) = readme.split_at(begin);
    let end = rest
        .split_inclusive('\n')
        .take_while(|line| line.starts_with('|'))
        .map(str::len)
        .sum();
    let (table, after) = rest.split_at(end);
    let mut rows: Vec<&str> = table.split_inclusive('\n').collect();
    let own = format!("| {title} |");
    rows.retain(|line| !line.starts_with(&own));
    rows.push(&row);
    rows.sort_unstable();
    let text = format!("{before}{}{after}", rows.concat());
    std::fs::write(file, text).expect("docs/src/agreement.md");
}
