//! Questions with both answers, and the folder with the data of others.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::common::agreement::Agreement;
use crate::conditions::Conditions;

/// Differences with their reasons, by a part of the question and a part of what is foretold.
pub type Reasons = &'static [(&'static str, &'static str, &'static str)];

/// A question with both answers.
#[derive(Debug)]
pub struct Compared {
    pub question: String,
    pub happened: String,
    pub foretold: Vec<String>,
}

impl Compared {
    /// Adds it to a table. What `trace` says not to know is a difference with a reason.
    pub fn add_to(&self, agreement: &mut Agreement, reasons: Reasons) {
        let foretold = self.foretold.join(" or ");
        let agrees = self.foretold.contains(&self.happened);
        let unknown = foretold.strip_prefix("unknown: ");
        let mut reasons = reasons.iter();
        let known = reasons.find(|(question, ours, _)| {
            self.question.contains(question) && foretold.contains(ours)
        });
        let reason = unknown.map(|why| format!("`trace` says that it is not known: {why}"));
        let reason = known.map(|it| it.2.to_owned()).or(reason);
        let ours = if agrees { &self.happened } else { &foretold };
        agreement.add(&self.question, &self.happened, ours, reason.as_deref());
    }
}

/// The conditions that the controller writes or `status` foretells.
pub fn conditions(of: &str, written: &Conditions, foretold: &Conditions) -> Vec<Compared> {
    let names: BTreeSet<&String> = written.keys().chain(foretold.keys()).collect();
    let value = |conditions: &Conditions, name: &String| match conditions.get(name) {
        Some(value) => value.clone(),
        None => "nothing".to_owned(),
    };
    let all = names.into_iter().map(|name| Compared {
        question: format!("{of}: {name}"),
        happened: value(written, name),
        foretold: vec![value(foretold, name)],
    });
    all.collect()
}

/// A folder with data of others, below the one that `GATEWAYCTL_SHARED` names, else below `../shared`. If it isn't there,
/// says that the test is skipped.
pub fn shared(name: &str) -> Option<PathBuf> {
    let given = std::env::var_os("GATEWAYCTL_SHARED").map(PathBuf::from);
    let own = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folder = given.unwrap_or_else(own).join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: there is no {}", folder.display());
    None
}
