use super::*;
use crate::config::codes::{
    CONFIG_DUPLICATE, CONFIG_INVALID_VALUE, CONFIG_SYNTAX, CONFIG_UNKNOWN_KEY,
};
use crate::tree::codes::{TREE_EDITED, TREE_INTERRUPTED};
use crd_validate::codes::SCHEMA_VALUE;
use manifest::diagnostic::{ObjectRef, SourceId, Span};

const CONFIG: &str = r#"domain = "example.com"
certificate = "example-com-tls"

[chart]
version = "1.9.0"

[gateways.envoy-external]
adress = "10.10.30.26"

[gateways.envoy-internal]
address = "10.10.30.26"
"#;

const RENDERED: &str = "\
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: envoy-external
  namespace: network
spec:
  listeners:
    - name: https
      tls:
        mode: Terminat
";

/// The sources and findings of a test run.
#[derive(Default)]
struct Run {
    sources: Sources,
    findings: Vec<Diagnostic>,
    terminal: Terminal,
}

impl Run {
    fn file(&mut self, name: &str, text: &str) -> SourceId {
        self.sources.add(name, text)
    }

    /// The first position of `words` in a file.
    fn find(&self, file: SourceId, words: &str) -> Span {
        let start = self.sources.get(file).text().find(words);
        let start = start.expect("words of the file");
        Span::new(file, start, start + words.len())
    }

    fn report(&self) -> Report {
        Report::new(self.findings.clone(), 9, 23, &self.sources)
    }

    fn show(&self, format: Format) -> String {
        let mut out = Vec::new();
        let done = format.write(&self.report(), &self.sources, self.terminal, &mut out);
        done.expect("a vector takes all");
        String::from_utf8(out).expect("UTF-8")
    }

    fn human(&self) -> String {
        self.show(Format::Human)
    }
}

/// Shows one finding for `words` in a file with `text`.
fn shown(text: &str, words: &str) -> String {
    let mut run = Run::default();
    let file = run.file("cluster.toml", text);
    let finding = Diagnostic::new(CONFIG_INVALID_VALUE, "this value won't do");
    run.findings = vec![finding.at(run.find(file, words))];
    run.human()
}

fn gateway() -> Option<ObjectRef> {
    Some(ObjectRef {
        api_version: "gateway.networking.k8s.io/v1".to_owned(),
        kind: "Gateway".to_owned(),
        namespace: "network".to_owned(),
        name: "envoy-external".to_owned(),
    })
}

/// A run with findings that use all features.
fn full() -> Run {
    let mut run = Run::default();
    let config = run.file("cluster.toml", CONFIG);
    let path = "kubernetes/apps/network/envoy-gateway/config/envoy.yaml";
    let rendered = run.file(path, RENDERED);
    let mut value = Diagnostic::new(SCHEMA_VALUE, "`Terminat` is no TLS mode")
        .at(run.find(rendered, "Terminat"))
        .why("the API server refuses the Gateway, and Flux stops applying everything beside it")
        .help("one of `Terminate`, `Passthrough`");
    value.origin = Some(run.find(config, "[gateways.envoy-external]"));
    value.object = gateway();
    value.pointer = Some("/spec/listeners/0/tls/mode".to_owned());
    let unknown = Diagnostic::new(CONFIG_UNKNOWN_KEY, "unknown key `adress`")
        .at(run.find(config, "adress"))
        .help("did you mean `address`?");
    let twice = Diagnostic::new(
        crate::lint::network::duplicate_address::CODE,
        "10.10.30.26 is given twice",
    )
    .at(Span::new(config, CONFIG.len() - 14, CONFIG.len() - 1))
    .related(run.find(config, "\"10.10.30.26\""), "first given here")
    .related(
        run.find(rendered, "envoy-external"),
        "taken by this Gateway",
    )
    .severity(Severity::Warning);
    run.findings = vec![twice, value, unknown];
    run
}

macro_rules! snapshot {
    ($value:expr) => {
        insta::with_settings!({
            snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"),
            prepend_module_to_snapshot => true,
            omit_expression => true,
        }, { insta::assert_snapshot!($value) })
    };
}

mod formats;
mod sarif;

#[test]
fn a_finding_shows_its_line_with_a_mark() {
    snapshot!(shown(CONFIG, "\"1.9.0\""));
}

#[test]
fn related_places_and_rendered_places_are_shown() {
    snapshot!(full().human());
}

#[test]
fn colours_are_sent_where_asked_for() {
    let mut run = full();
    run.terminal.color = true;
    snapshot!(run.human().replace('\u{1b}', "ESC"));
}

#[test]
fn a_rendered_place_alone_is_shown_with_its_object() {
    let mut run = full();
    run.findings.retain(|finding| finding.object.is_some());
    for finding in &mut run.findings {
        finding.origin = None;
    }
    snapshot!(run.human());
}

#[test]
fn a_span_of_some_lines_is_bracketed() {
    snapshot!(shown(CONFIG, "[chart]\nversion = \"1.9.0\"\n"));
}

#[test]
fn a_span_of_many_lines_is_marked_on_its_first() {
    snapshot!(shown(CONFIG, CONFIG));
}

#[test]
fn a_span_that_begins_in_the_blanks_after_a_line_is_marked_there() {
    snapshot!(shown("a: 1  \nb: 2\n", " \n"));
}

#[test]
fn a_file_with_carriage_returns_is_shown_without() {
    snapshot!(shown(
        &CONFIG.replace('\n', "\r\n"),
        "\"example-com-tls\"\r\n"
    ));
}

#[test]
fn tabs_are_shown_as_wide_as_they_are_counted() {
    snapshot!(shown("[chart]\n\t\tversion\t= \"1.9\"\n", "\"1.9\""));
}

#[test]
fn marks_stand_under_wide_characters() {
    snapshot!(shown("label = \"日本語 🚀 é\" # 名\n", "🚀 é"));
}

#[test]
fn escape_characters_do_not_reach_the_terminal() {
    let mut run = Run::default();
    let file = run.file(
        "a\u{1b}]0;b.toml",
        "x = \"\u{1b}[2J\u{9b}31m\u{202e}\" # \u{7}\r!\n",
    );
    let finding = Diagnostic::new(CONFIG_SYNTAX, "found `\u{1b}[2J`\nand more")
        .at(run.find(file, "\u{1b}[2J\u{9b}31m"))
        .why("first\u{1b}[31m\nsecond\u{8}")
        .help("\u{9b}help")
        .related(run.find(file, "!"), "label\u{1b}[0m\nnext");
    run.findings = vec![finding];
    let text = run.human();
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    assert!(
        run.show(Format::Json)
            .chars()
            .all(|c| c == '\n' || !c.is_control())
    );
    snapshot!(text);
}

#[test]
fn a_huge_line_is_cut_around_its_mark() {
    let padding = "abcdefghi ".repeat(1000);
    let text = shown(&format!("x = \"{padding}HERE{padding}\"\n"), "HERE");
    assert!(
        text.lines().all(|line| line.chars().count() <= 150),
        "{text}"
    );
    snapshot!(text);
}

#[test]
fn a_huge_mark_is_cut_too() {
    let value = format!("\"{}\"", "abcdefghi ".repeat(1000));
    let text = shown(&format!("x = {value}\n"), &value);
    assert!(
        text.lines().all(|line| line.chars().count() <= 150),
        "{text}"
    );
    snapshot!(text);
}

#[test]
fn findings_without_a_place_are_shown_too() {
    let mut run = Run::default();
    let found = |message: &str| Diagnostic::new(TREE_EDITED, message);
    let mut object = found("an object, but no place").in_file("kubernetes/a.yaml");
    object.object = gateway();
    object.pointer = Some("/spec".to_owned());
    run.findings = vec![
        found("no place at all").help("look for it"),
        found("a file, but no place in it").in_file("kubernetes/flux/ks.yaml"),
        object,
    ];
    snapshot!(run.human());
}

#[test]
fn places_far_apart_in_one_file_get_headers_of_their_own() {
    let mut run = Run::default();
    let text = format!("first = 1\n{}last = 1\n", "\n".repeat(1000));
    let file = run.file("cluster.toml", &text);
    let finding = Diagnostic::new(CONFIG_DUPLICATE, "1 is given twice")
        .at(run.find(file, "last"))
        .related(run.find(file, "first"), "first given here");
    run.findings = vec![finding];
    snapshot!(run.human());
}

#[test]
fn an_empty_report_says_so() {
    let run = Run::default();
    assert_eq!(run.human(), "ok: 9 files, 23 objects, nothing found\n");
    snapshot!(run.show(Format::Json));
}

#[test]
fn the_json_report_has_every_key() {
    let mut run = full();
    run.findings
        .push(Diagnostic::new(TREE_INTERRUPTED, "no place"));
    snapshot!(run.show(Format::Json));
}

#[test]
fn the_evidence_has_every_key() {
    let run = full();
    let mut report = run.report();
    let record = &mut report.record;
    record.options = vec!["--strict".to_owned()];
    record.config = Some("cluster.toml".to_owned());
    record.add_file("cluster.toml", CONFIG);
    record.add_file("kubernetes/a.yaml", RENDERED);
    let uri = "pkg:generic/envoy-gateway@1.9.0".to_owned();
    record
        .against
        .insert(uri, "cluster.toml declares 1.9.0".to_owned());
    for _ in 0..2 {
        record.add_not_judged("objects", 1, "no schema describes example.com/v1 Widget");
    }
    record.add_not_judged("findings", 0, "none are left out");
    record.exposure = vec![evidence::ExposureSummary {
        cluster: Some("home".to_owned()),
        by_side: [("external", 2), ("internal", 3), ("unknown", 0)].into(),
        external_without_guard: vec!["www.example.com".to_owned()],
    }];
    let mut out = Vec::new();
    let done = Format::Evidence.write(&report, &run.sources, run.terminal, &mut out);
    done.expect("a vector takes all");
    snapshot!(String::from_utf8(out).expect("UTF-8"));
}

#[test]
fn findings_are_sorted_and_identical_ones_shown_once() {
    let mut run = Run::default();
    let b = run.file("b.toml", "one\ntwo\n");
    let a = run.file("a.toml", "one\n");
    let at = |span, code| Diagnostic::new(code, "found").at(span);
    let first = at(run.find(a, "one"), CONFIG_UNKNOWN_KEY);
    let second = at(run.find(b, "one"), CONFIG_DUPLICATE);
    let third = at(run.find(b, "one"), CONFIG_UNKNOWN_KEY);
    let last = at(run.find(b, "two"), CONFIG_DUPLICATE);
    let sorted = vec![first, second, third, last];
    run.findings = sorted.iter().rev().chain(&sorted).cloned().collect();
    assert_eq!(run.report().diagnostics, sorted);
}

#[test]
fn the_summary_counts_each_severity_in_words() {
    let mut run = Run::default();
    let found = |message: &str, severity| Diagnostic::new(TREE_EDITED, message).severity(severity);
    run.findings = vec![
        found("a", Severity::Error),
        found("b", Severity::Error),
        found("c", Severity::Warning),
        found("d", Severity::Note),
    ];
    let text = run.human();
    let last = text.lines().last();
    assert_eq!(
        last,
        Some("2 errors, 1 warning, 1 note in 9 files (23 objects)")
    );
    assert!(run.report().has_errors());
}

#[test]
fn any_place_can_be_shown() {
    let text = "\u{feff}a = \"日本\"\r\n\r\n\tb\u{200d}\u{301} = 1\n\n";
    let long = text.repeat(300).replace('\n', " ") + "\n" + text;
    for (text, step) in [
        (text, 1),
        (long.as_str(), 977),
        ("", 1),
        ("\n", 1),
        ("\r", 1),
        ("a:  \n \t\n  b: 日 \r\n\n c ", 1),
    ] {
        let mut run = Run::default();
        let file = run.file("a.toml", text);
        for start in (0..text.len() + 3).step_by(step) {
            for end in (start..text.len() + 3).step_by(step) {
                let other = Span::new(file, end, end + 1);
                let finding = Diagnostic::new(CONFIG_SYNTAX, "here")
                    .at(Span::new(file, start, end))
                    .related(other, "and here");
                run.findings = vec![finding];
                for width in [0, 140, usize::MAX] {
                    run.terminal.width = width;
                    assert!(run.human().contains("--> a.toml:"));
                }
            }
        }
    }
}

#[test]
fn an_unknown_format_is_refused_with_a_list_of_formats() {
    assert_eq!("json".parse(), Ok(Format::Json));
    let refused = "yaml".parse::<Format>().expect_err("no such format");
    assert_eq!(
        refused.to_string(),
        "no format is called `yaml`; the formats are human, json, sarif, github, junit, evidence"
    );
}
