//! The picture of what changes in exposure, as a Mermaid flowchart for a comment on a pull request.

use std::collections::BTreeMap;

use crate::page::escape::mermaid as safe;
use envoy_gateway::exposure::{Change, Direction};

/// The maximum number of lines from gateways to what changed. A picture with more can't be read.
const MOST_LINES: usize = 60;

/// With more lines than this, the picture is folded.
const OPEN: usize = 12;

/// The picture as Markdown: a code block that GitHub draws, folded if it is large. Empty if nothing changes.
pub(super) fn picture(changes: &[Change]) -> String {
    let drawn = changes.iter().flat_map(|change| {
        let subjects = change.subjects.iter();
        subjects.map(move |subject| (change, subject.as_str()))
    });
    let drawn: Vec<(&Change, &str)> = drawn.collect();
    if drawn.is_empty() {
        return String::new();
    }
    let left_out = drawn.len().saturating_sub(MOST_LINES);
    let mut chart = Chart::default();
    for (change, subject) in drawn.iter().take(MOST_LINES) {
        chart.add(change, subject);
    }
    if left_out > 0 {
        chart.lines.push(format!("  more[\"and {left_out} more\"]"));
    }
    let block = format!("```mermaid\n{}```\n", chart.text());
    match drawn.len() > OPEN {
        true => format!(
            "\n<details><summary>picture of {} changes</summary>\n\n{block}\n</details>\n",
            drawn.len()
        ),
        false => format!("\n{block}"),
    }
}

#[derive(Default)]
struct Chart<'c> {
    /// The nodes of gateways by cluster and name, and those of what changed at them by gateway and name.
    nodes: BTreeMap<(&'c str, &'c str), String>,
    lines: Vec<String>,
}

impl<'c> Chart<'c> {
    fn add(&mut self, change: &'c Change, subject: &'c str) {
        let cluster = change.cluster.as_deref().unwrap_or_default();
        let name = match cluster {
            "" => change.gateway.clone(),
            cluster => format!("{cluster}: {}", change.gateway),
        };
        let gateway = self.node((cluster, &change.gateway), |id| {
            format!("{id}[\"{}\"]", safe(&name))
        });
        let class = change.direction.as_str();
        if subject == change.gateway {
            let kind = change.kind.as_str();
            let id = format!("k{}", self.lines.len());
            self.lines
                .push(format!("  {gateway} --- {id}[/\"{kind}\"/]:::{class}"));
            return;
        }
        let to = self.node((&change.gateway, subject), |id| {
            format!("{id}(\"{}\")", safe(subject))
        });
        let kind = change.kind.as_str();
        let arrow = match change.direction {
            Direction::Wider => format!("== \"{kind}\" ==>"),
            Direction::Other => format!("-- \"{kind}\" -->"),
            Direction::Narrower if kind.ends_with("removed") => format!("-. \"{kind}\" .-x"),
            Direction::Narrower => format!("-. \"{kind}\" .->"),
        };
        self.lines
            .push(format!("  {gateway} {arrow} {to}:::{class}"));
    }

    /// The node of a key, which is declared when it is used first.
    fn node(&mut self, key: (&'c str, &'c str), declared: impl Fn(&str) -> String) -> String {
        if let Some(id) = self.nodes.get(&key) {
            return id.clone();
        }
        let id = format!("n{}", self.nodes.len());
        self.lines.push(format!("  {}", declared(&id)));
        self.nodes.insert(key, id.clone());
        id
    }

    fn text(&self) -> String {
        let classes = [
            ("wider", "stroke:#d1242f,stroke-width:2px"),
            ("other", "stroke:#9a6700"),
            ("narrower", "stroke:#1a7f37"),
        ];
        let classes = classes.map(|(name, style)| format!("  classDef {name} {style}"));
        let all = self.lines.iter().chain(&classes);
        let all: Vec<&str> = all.map(String::as_str).collect();
        format!("flowchart LR\n{}\n", all.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use envoy_gateway::exposure::compare::ChangeKind;

    fn change(direction: Direction, kind: ChangeKind, subjects: &[&str]) -> Change {
        Change {
            cluster: Some("home".to_owned()),
            direction,
            kind,
            gateway: "network/external".to_owned(),
            subjects: subjects.iter().map(|it| (*it).to_owned()).collect(),
            description: String::new(),
        }
    }

    #[test]
    fn gateways_and_what_changes_at_them_are_drawn() {
        let changes = [
            change(
                Direction::Wider,
                ChangeKind::MovedExternal,
                &["a.example.com", "\"]```"],
            ),
            change(
                Direction::Other,
                ChangeKind::AddressMoved,
                &["network/external"],
            ),
            change(
                Direction::Narrower,
                ChangeKind::HostnameRemoved,
                &["b.example.com"],
            ),
        ];
        let want = "
```mermaid
flowchart LR
  n0[\"home: network/external\"]
  n1(\"a.example.com\")
  n0 == \"moved-external\" ==> n1:::wider
  n2(\"#34;#93;#96;#96;#96;\")
  n0 == \"moved-external\" ==> n2:::wider
  n0 --- k5[/\"address-moved\"/]:::other
  n3(\"b.example.com\")
  n0 -. \"hostname-removed\" .-x n3:::narrower
  classDef wider stroke:#d1242f,stroke-width:2px
  classDef other stroke:#9a6700
  classDef narrower stroke:#1a7f37
```
";
        assert_eq!(picture(&changes), want);
        assert_eq!(picture(&[]), "");
    }

    #[test]
    fn a_large_picture_is_folded_and_a_huge_one_is_cut() {
        let names: Vec<String> = (0..100).map(|at| format!("a{at}.example.com")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let large = picture(&[change(Direction::Wider, ChangeKind::HostnameAdded, &names)]);
        assert!(large.starts_with("\n<details><summary>picture of 100 changes</summary>"));
        assert!(large.contains("and 40 more"), "{large}");
    }
}
