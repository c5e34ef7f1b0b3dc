//! What an upgrade changes, for people and for programs.

use std::io::Write;

use serde_json::{Map, Value, json};

use super::edit::Edit;
use super::{Outlook, targets};
use crate::cli::output::Stream;
use crate::lint::upgrade::Upgrade;
use crate::report::{self, Report};
use crd_validate::schema::bundle::{ENVOY_GATEWAY, GATEWAY_API};
use crd_validate::schema::set::title;
use crd_validate::schema::{Reason, Selection};
use manifest::diagnostic::printable::printable;
use manifest::diagnostic::{Diagnostic, Sources};

/// The value of `schema`. The keys `breaks`, `warns`, `changes` and `deprecated` hold findings as in
/// `gatewayctl/report/v1`.
const SCHEMA: &str = "gatewayctl/upgrade/v1";

/// The projects whose version changes with the upgrade: name, version before if something says it, version after.
fn moved(outlook: &Outlook) -> Vec<(String, Option<String>, String)> {
    let asked = outlook.running.iter().map(|it| {
        let (project, to) = (it.step.project.clone(), it.step.to.to_string());
        (project, it.shown.clone(), to)
    });
    let mut all: Vec<_> = asked.collect();
    let of = |selection: &Selection| {
        let version = &selection.of(GATEWAY_API)?.set.version;
        Some(version.to_string())
    };
    let is_asked = |project: &str| outlook.running.iter().any(|it| it.step.project == project);
    if is_asked(ENVOY_GATEWAY) && !is_asked(GATEWAY_API) {
        let known = outlook.running.iter().any(|it| it.shown.is_some());
        let before = of(&outlook.before).filter(|_| known);
        all.extend(of(&outlook.after).map(|after| (GATEWAY_API.to_owned(), before, after)));
    }
    all
}

/// The groups of findings: the key in JSON, the title, and the findings.
fn sections(upgrade: &Upgrade) -> [(&'static str, &'static str, &Vec<Diagnostic>); 4] {
    [
        ("breaks", "What breaks", &upgrade.breaks),
        ("warns", "New warnings", &upgrade.warns),
        ("changes", "What behaves differently", &upgrade.changes),
        ("deprecated", "What is deprecated", &upgrade.deprecated),
    ]
}

fn part(findings: &[Diagnostic], sources: &Sources) -> Report {
    Report::new(findings.to_vec(), 0, 0, sources)
}

pub(super) fn human(outlook: &Outlook, is_fixed: bool, out: &mut Stream) -> anyhow::Result<()> {
    let versions: Vec<String> = moved(outlook)
        .into_iter()
        .map(|(project, before, after)| {
            let title = outlook
                .running
                .iter()
                .find(|it| it.step.project == project)
                .map_or_else(
                    || title(&project).to_owned(),
                    |it| targets::title(&it.step.project).to_owned(),
                );
            match before {
                Some(before) if before == after => format!("{title} {after}, as before"),
                Some(before) => format!("{title} {before} to {after}"),
                None => format!("{title} to {after}"),
            }
        })
        .collect();
    writeln!(
        out,
        "{}
",
        versions.join("; ")
    )?;
    for note in outlook.running.iter().filter_map(|it| it.note.as_ref()) {
        writeln!(out, "note: {}\n", printable(note))?;
    }
    let asked = |project: &str| {
        outlook
            .running
            .iter()
            .any(|it| it.step.project == project && it.shown.is_some())
    };
    for chosen in outlook.before.all().filter(|it| asked(&it.set.project)) {
        if matches!(chosen.reason, Reason::Like { .. }) {
            let told = printable(&chosen.clause());
            writeln!(
                out,
                "note: {told}; what seems broken already may only break with the new version\n"
            )?;
        }
    }
    for (_, title, findings) in sections(&outlook.upgrade) {
        if !findings.is_empty() {
            writeln!(
                out,
                "{title}:
"
            )?;
            let report = part(findings, &outlook.sources);
            let terminal = out.terminal();
            report.write_part(&outlook.sources, terminal, &mut out.styled())?;
        }
    }
    let is_written = |edit: &&Edit| is_fixed && edit.fix.is_some();
    let (written, left): (Vec<&Edit>, Vec<&Edit>) = outlook.edits.iter().partition(is_written);
    for (title, edits) in [("What was changed", written), ("What to change", left)] {
        if edits.is_empty() {
            continue;
        }
        writeln!(
            out,
            "{title}:
"
        )?;
        for Edit {
            file, line, what, ..
        } in edits
        {
            writeln!(out, "  {}:{line}: {}", printable(file), printable(what))?;
        }
        writeln!(out)?;
    }
    if !outlook.rendered.is_empty() {
        writeln!(
            out,
            "What is rendered otherwise, by itself:
"
        )?;
        for line in &outlook.rendered {
            writeln!(out, "  {}", printable(line))?;
        }
        writeln!(out)?;
    }
    let upgrade = &outlook.upgrade;
    let summary = match (upgrade.breaks.len(), upgrade.already_broken) {
        (0, 0) => "nothing breaks".to_owned(),
        (0, already) => format!(
            "nothing more would break; {already} broken already (see `gatewayctl validate`)"
        ),
        (breaks, 0) => format!("{breaks} would break"),
        (breaks, already) => format!(
            "{breaks} would break, in addition to {already} broken already (see `gatewayctl validate`)"
        ),
    };
    writeln!(out, "{summary}")?;
    Ok(())
}

pub(super) fn document(outlook: &Outlook, is_fixed: bool) -> anyhow::Result<Value> {
    let versions = moved(outlook).into_iter();
    let versions: Value = versions
        .map(|(project, before, after)| json!({"project": project, "before": before, "after": after}))
        .collect();
    let edits = outlook.edits.iter();
    let edits: Value = edits
        .map(|it| {
            let can_be_fixed = it.fix.is_some();
            json!({"file": it.file, "line": it.line, "what": it.what, "fixable": can_be_fixed, "fixed": is_fixed && can_be_fixed})
        })
        .collect();
    let mut document = Map::new();
    document.insert("schema".to_owned(), json!(SCHEMA));
    document.insert("versions".to_owned(), versions);
    for (key, _, findings) in sections(&outlook.upgrade) {
        let report = part(findings, &outlook.sources);
        let findings = report::json::findings(&report, &outlook.sources)?;
        document.insert(key.to_owned(), findings);
    }
    document.insert("edits".to_owned(), edits);
    document.insert("rendered".to_owned(), json!(outlook.rendered));
    let already = json!(outlook.upgrade.already_broken);
    document.insert("already_broken".to_owned(), already);
    Ok(Value::Object(document))
}
