//! Tests of the formats for services that show findings beside the code.

use super::*;
use crate::report::github::{LARGEST_SUMMARY, step_summary};
use crate::tree::codes::TREE_EDITED;
use crd_validate::codes::SCHEMA_VALUE;

/// [`full`], and one finding for each case in which a position is missing.
fn every_place() -> Run {
    let mut run = full();
    let found = |message: &str| Diagnostic::new(TREE_EDITED, message);
    run.findings.push(found("no place at all"));
    let in_file = found("a file, but no place in it").in_file("kubernetes/a.yaml");
    run.findings.push(in_file);
    let rendered = found("a rendered file").in_file("kubernetes/b.yaml");
    let config = run.file("cluster.toml", CONFIG);
    let config = Span::new(config, 0, 40);
    run.findings.push(Diagnostic {
        origin: Some(config),
        severity: Severity::Note,
        ..rendered
    });
    run
}

/// Everything that a format has to escape, in each part of a finding.
fn hostile() -> Run {
    let words = "\u{1b}[31m 100% a:b,c ::error::x\r\n| `a|b` <b> & \"q\" *x* [l](http://x) @me ${V} ]]> \u{fffe}";
    let mut run = Run::default();
    let file = run.file("a:b,100% é.yaml", "x: 1\n");
    let mut finding = Diagnostic::new(SCHEMA_VALUE, words)
        .at(run.find(file, "1"))
        .why(words)
        .help(words)
        .related(run.find(file, "x"), words);
    finding.object = Some(ObjectRef {
        name: words.to_owned(),
        ..gateway().expect("an object")
    });
    finding.pointer = Some(format!("/{words}"));
    run.findings = vec![finding];
    run
}

fn summary(run: &Run, most: usize) -> String {
    step_summary(&run.report(), &run.sources, most)
}

/// The document, checked by an XML parser.
fn xml(run: &Run) -> String {
    let text = run.show(Format::Junit);
    let document = roxmltree::Document::parse(&text).expect("well-formed");
    let cases = |node: roxmltree::Node, name: &str| {
        let found = node.descendants().filter(|it| it.has_tag_name(name));
        found.count().to_string()
    };
    let suites = document
        .descendants()
        .filter(|it| it.has_tag_name("testsuite") || it.has_tag_name("testsuites"));
    for suite in suites {
        assert_eq!(suite.attribute("tests"), Some(&*cases(suite, "testcase")));
        assert_eq!(suite.attribute("failures"), Some(&*cases(suite, "failure")));
    }
    text
}

#[test]
fn the_github_report_has_a_command_for_each_finding() {
    snapshot!(every_place().show(Format::Github));
}

#[test]
fn nothing_in_a_finding_ends_or_begins_a_github_command() {
    let text = hostile().show(Format::Github);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    let (properties, _) = lines[0][2..].split_once("::").expect("a command");
    assert_eq!(
        properties,
        "error file=a%3Ab%2C100%25 é.yaml,line=1,col=4,endLine=1,endColumn=5,title=schema/value"
    );
    snapshot!(text);
}

#[test]
fn the_github_summary_has_a_row_for_each_finding_and_errors_first() {
    snapshot!(summary(&every_place(), LARGEST_SUMMARY));
}

#[test]
fn nothing_in_a_finding_is_markdown_or_html() {
    let text = summary(&hostile(), LARGEST_SUMMARY);
    let row = text.lines().last().expect("a row");
    assert_eq!(row.matches('|').count(), 4, "{row}");
    snapshot!(text);
}

#[test]
fn a_github_summary_has_a_maximum_size_and_says_what_is_omitted() {
    let mut run = Run::default();
    let found = |at| Diagnostic::new(TREE_EDITED, format!("{at} {}", "|".repeat(900)));
    run.findings = (0..1000).map(found).collect();
    let text = summary(&run, LARGEST_SUMMARY);
    assert!(text.len() <= LARGEST_SUMMARY && text.len() > LARGEST_SUMMARY - 10_000);
    let rows = text
        .lines()
        .filter(|line| line.starts_with("| error |"))
        .count();
    let last = format!("| … | | {} more, listed in the log |\n", 1000 - rows);
    assert!(rows > 100 && text.ends_with(&last));
    for most in (0..3000).step_by(7) {
        assert!(summary(&run, most).len() <= most);
    }
}

#[test]
fn a_clean_run_is_a_summary_and_a_case_that_passed() {
    let run = Run::default();
    let ok = "ok: 9 files, 23 objects, nothing found\n";
    assert_eq!(run.show(Format::Github), ok);
    assert_eq!(
        summary(&run, LARGEST_SUMMARY),
        format!("### gatewayctl validate\n\n{ok}")
    );
    snapshot!(xml(&run));
}

#[test]
fn the_junit_report_has_a_suite_for_each_file_and_a_case_for_each_finding() {
    snapshot!(xml(&every_place()));
}

#[test]
fn nothing_in_a_finding_is_xml_and_what_xml_cannot_hold_is_left_out() {
    let text = xml(&hostile());
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    snapshot!(text);
    let mut run = Run::default();
    let every: String = ('\0'..=char::MAX).step_by(61).collect();
    let chars: Vec<char> = every.chars().chain('\0'..'\u{a0}').collect();
    let parts = chars
        .chunks(900)
        .map(|part| part.iter().collect::<String>());
    run.findings = parts
        .map(|part| Diagnostic::new(TREE_EDITED, &*part).in_file(part))
        .collect();
    xml(&run);
}

#[test]
fn files_are_named_from_the_repositorys_root() {
    let run = every_place();
    let base = Base {
        repository: "/repo".to_owned(),
        folder: "/repo/clusters/main".to_owned(),
    };
    let report = run.report().based(base);
    for format in [Format::Sarif, Format::Github, Format::Junit] {
        let mut out = Vec::new();
        let done = format.write(&report, &run.sources, run.terminal, &mut out);
        done.expect("a vector takes all");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.contains("clusters/main/cluster.toml"), "{text}");
        assert!(text.contains("clusters/main/kubernetes/apps"), "{text}");
        for before in ["\"", "=", ": "] {
            for file in [
                "cluster.toml:",
                "cluster.toml\"",
                "cluster.toml,",
                "kubernetes/",
            ] {
                let bare = format!("{before}{file}");
                assert!(!text.contains(&bare), "{bare} in {text}");
            }
        }
    }
}
