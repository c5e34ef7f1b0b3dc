//! How far gatewayctl agrees with the real programs: runs all comparisons and prints one table of what they compared, each
//! disagreement with its reason.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// Arguments of `cargo test`, and a variable for it.
type Run = (
    &'static [&'static str],
    Option<(&'static str, &'static str)>,
);

/// The tests that compare, each with the variable that makes them compare more.
const RUNS: &[Run] = &[
    (
        &["--test", "it", "--", "conformance::", "controller_"],
        None,
    ),
    (&["--test", "reality", "--", "cases::"], None),
    (
        &["--test", "reality", "--", "cases::front_doors"],
        Some(("REPOSITORIES", "all")),
    ),
];

/// A comparison, as its test printed it.
#[derive(Debug, PartialEq, Eq)]
struct Comparison {
    title: String,
    compared: String,
    agreed: String,
    /// The disagreements, with their reasons.
    lines: Vec<String>,
}

/// Runs the comparisons. With `random`, so many random front doors.
///
/// # Errors
/// If a comparison can't be run, or fails.
pub fn run(random: Option<&str>) -> anyhow::Result<()> {
    let mut found = Vec::new();
    let mut failed = Vec::new();
    for (arguments, variable) in RUNS {
        let mut cargo = Command::new("cargo");
        cargo.arg("test").args(*arguments);
        // One after the other, so that what they print is not mixed.
        cargo.args(["--nocapture", "--test-threads=1"]);
        cargo.envs(*variable);
        cargo.envs(random.map(|count| ("FRONT_DOORS", count)));
        let mut tests = cargo.stdout(Stdio::piped()).spawn().context("cargo")?;
        let said = BufReader::new(tests.stdout.take().context("its output")?);
        let mut lines = Vec::new();
        for line in said.lines() {
            let line = line?;
            eprintln!("{line}");
            lines.push(line);
        }
        if !tests.wait()?.success() {
            failed.push(format!("cargo test {}", arguments.join(" ")));
        }
        found.extend(comparisons(&lines));
    }
    print(&found)?;
    if !failed.is_empty() {
        bail!("failed, so the table is not whole: {}", failed.join(", "));
    }
    Ok(())
}

fn print(found: &[Comparison]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:>9} {:>9}  compared with", "questions", "agreed")?;
    for one in found {
        let Comparison {
            title,
            compared,
            agreed,
            lines,
        } = one;
        writeln!(out, "{compared:>9} {agreed:>9}  {title}")?;
        for line in lines {
            writeln!(out, "{:21}{line}", "")?;
        }
    }
    Ok(())
}

/// What tests printed: `TITLE: asked 3, agreed 2`, and the disagreements below it, indented.
fn comparisons(lines: &[String]) -> Vec<Comparison> {
    let mut found: Vec<Comparison> = Vec::new();
    let mut is_below = false;
    for line in lines {
        if let Some(comparison) = comparison(line) {
            found.push(comparison);
            is_below = true;
        } else if let (true, Some(last)) = (is_below && line.starts_with("  "), found.last_mut()) {
            last.lines.push(line.trim_start().to_owned());
        } else {
            is_below = false;
        }
    }
    found
}

fn comparison(line: &str) -> Option<Comparison> {
    let (before, agreed) = line.rsplit_once(", agreed ")?;
    let asked = before.rsplit_once(": asked ");
    let (title, compared) = asked.or_else(|| before.rsplit_once(": compared "))?;
    Some(Comparison {
        title: title.to_owned(),
        compared: compared.to_owned(),
        agreed: agreed.to_owned(),
        lines: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_are_read_with_their_disagreements() {
        let said = "running 2 tests
timeouts: compared 4, agreed 4
scripts: asked 2, agreed 1
  a: GET /
    really: 500
    because of b
test scripts ... ok
  not part of it";
        let lines: Vec<String> = said.lines().map(str::to_owned).collect();
        let one = |title: &str, compared: &str, agreed: &str, lines: &[&str]| Comparison {
            title: title.to_owned(),
            compared: compared.to_owned(),
            agreed: agreed.to_owned(),
            lines: lines.iter().map(|it| (*it).to_owned()).collect(),
        };
        let expected = [
            one("timeouts", "4", "4", &[]),
            one(
                "scripts",
                "2",
                "1",
                &["a: GET /", "really: 500", "because of b"],
            ),
        ];
        assert_eq!(comparisons(&lines), expected);
    }
}
