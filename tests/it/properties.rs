//! Properties that hold for any input.

use crd_validate::schema::Catalogue;
use gatewayctl::compile::{Compiled, World, compile};
use gatewayctl::render::Kind;
use gatewayctl::render::files::Inputs;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

const REFERENCE: &str = include_str!("../../cluster.toml");

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::embedded);

/// A file system without files.
struct Nothing;

impl Inputs for Nothing {
    fn read(&self, _: &str) -> Option<String> {
        None
    }
}

impl World for Nothing {
    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

fn compiled(text: &str) -> Compiled {
    compile("cluster.toml", text, &Nothing, &CATALOGUE)
}

/// The number of cases for each property. Failures are not stored in a file, because a failing case should become a
/// test.
fn cases(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..Config::default()
    }
}

/// Strings of all kinds: any characters, those with a meaning in YAML, TOML, Lua, Flux or Go templates, and long
/// strings.
fn text() -> impl Strategy<Value = String> {
    const SPECIAL: &[&str] = &[
        "\"",
        "'",
        "\\",
        "\n",
        "\r\n",
        "\r",
        "\t",
        "\0",
        ": ",
        ":",
        " #",
        "#",
        "---",
        "...",
        "- ",
        "? ",
        "| ",
        ">",
        "&a",
        "*a",
        "!!str",
        "%",
        "@",
        "`",
        "{",
        "}",
        "[",
        "]",
        ",",
        "${",
        "}",
        "$(",
        "{{",
        "}}",
        "{%",
        "yes",
        "no",
        "on",
        "null",
        "~",
        "0x1",
        "010",
        "1e3",
        "1_0",
        "12:30",
        "2026-01-01",
        ".inf",
        "=",
        "<<",
        " ",
        "\u{85}",
        "\u{2028}",
        "\u{2029}",
        "\u{feff}",
        "\u{e000}",
        "\u{fffe}",
        "\u{10ffff}",
        "\u{7f}",
        "\u{1b}",
        "\u{a0}",
        "é",
        "🦀",
        "a",
        "Z",
    ];
    prop_oneof![
        3 => prop::collection::vec(prop::sample::select(SPECIAL), 0..8).prop_map(|parts| parts.concat()),
        3 => prop::collection::vec(any::<char>(), 0..12).prop_map(String::from_iter),
        2 => "[ -~]{0,24}",
        1 => (prop::sample::select(SPECIAL), 1..3000usize).prop_map(|(part, times)| part.repeat(times)),
    ]
}

/// Whether a string has one of the private-use characters that the renderer uses to mark values in templates.
fn is_kept(text: &str) -> bool {
    text.contains(['\u{F0000}', '\u{F0001}'])
}

fn quoted(text: &str) -> String {
    // JSON strings are TOML basic strings, except for one control character that JSON doesn't escape.
    Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

/// All documents of all manifests, as another YAML parser reads them.
fn documents(compiled: &Compiled) -> Vec<Value> {
    let manifests = compiled
        .files
        .iter()
        .filter(|file| file.kind != Kind::Script);
    let read = |text: &str| serde_yaml::from_multiple::<Value>(text).expect("YAML");
    manifests.flat_map(|file| read(&file.text)).collect()
}

fn object<'a>(documents: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found = documents
        .iter()
        .find(|document| document["kind"] == kind && document["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

/// The string that Lua 5.1 reads at the start of a text: in double quotes, with decimal escapes. Also returns the
/// rest of the text.
fn lua_string(source: &str) -> (Vec<u8>, &str) {
    let mut bytes = Vec::new();
    let mut rest = source.strip_prefix('"').expect("a quote");
    loop {
        let c = rest.chars().next().expect("a quote at the end");
        rest = &rest[c.len_utf8()..];
        match c {
            '"' => return (bytes, rest),
            '\\' => {
                let (digits, after) = rest.split_at(3);
                bytes.push(digits.parse().expect("three digits of a byte"));
                rest = after;
            }
            '\n' | '\r' => panic!("a string over several lines"),
            c => bytes.extend(c.to_string().bytes()),
        }
    }
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn any_string_survives(mut texts in prop::collection::vec(text(), 8)) {
        // The limits in CRDs: the length of an annotation and of a body, and the beginning and lines of a URL.
        texts[4] = texts[4].chars().take(1000).collect();
        texts[5] = texts[5].chars().take(1000).collect();
        texts[6] = format!("https://{}", texts[6].replace('\n', "x")) + "x";
        prop_assume!(!texts.iter().any(|text| is_kept(text)));
        let q: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
        let config = format!(
            "domain = \"example.com\"\ncertificates = \"a\"\n[chart]\nversion = \"1.9.0\"\n[chart.values]\nfree = {}\n{} = {{ list = [{}] }}\n\
             [gateways.a]\naddress = \"10.10.30.26\"\nannotations = {{ own = {} }}\ninfrastructure = {{ annotations = {{ infra = {} }} }}\n\
             [backend_traffic.spec]\nresponseOverride = [{{ match = {{ statusCodes = [{{ value = 404 }}] }}, response = {{ body = {{ inline = {} }} }} }}]\n\
             [monitoring.dashboards.d]\nurl = {}\nfolder = {}\n",
            q[0], quoted(&format!("k{}", texts[1])), q[2], q[3], q[4], q[5], q[6], q[7],
        );
        let compiled = compiled(&config);
        prop_assert!(!compiled.has_errors(), "{:?}", compiled.diagnostics);
        let documents = documents(&compiled);
        let release = &object(&documents, "HelmRelease", "envoy-gateway")["spec"]["values"];
        prop_assert_eq!(&release["free"], texts[0].as_str());
        prop_assert_eq!(&release[format!("k{}", texts[1])]["list"][0], texts[2].as_str());
        let gateway = object(&documents, "Gateway", "a");
        prop_assert_eq!(&gateway["metadata"]["annotations"]["own"], texts[3].as_str());
        prop_assert_eq!(&gateway["spec"]["infrastructure"]["annotations"]["infra"], texts[4].as_str());
        let policy = documents.iter().find(|document| document["kind"] == "BackendTrafficPolicy").expect("a policy");
        prop_assert_eq!(&policy["spec"]["responseOverride"][0]["response"]["body"]["inline"], texts[5].as_str());
        let dashboard = &object(&documents, "GrafanaDashboard", "d")["spec"];
        prop_assert_eq!(&dashboard["url"], texts[6].as_str());
        prop_assert_eq!(&dashboard["folder"], texts[7].as_str());
    }

    #[test]
    fn any_pattern_is_what_lua_reads(patterns in prop::collection::vec(text(), 1..6)) {
        prop_assume!(patterns.iter().all(|pattern| !pattern.is_empty() && !is_kept(pattern)));
        let list: Vec<String> = patterns.iter().map(|pattern| quoted(pattern)).collect();
        let config = format!(
            "domain = \"example.com\"\ncertificates = \"a\"\n[chart]\nversion = \"1.9.0\"\n[gateways.a]\naddress = \"10.10.30.26\"\n\
             [lua]\nblock_user_agents = [{}]\n", list.join(", "));
        let compiled = compiled(&config);
        prop_assert!(!compiled.has_errors(), "{:?}", compiled.diagnostics);
        let script = compiled.files.iter().find(|file| file.kind == Kind::Script).expect("a script");
        prop_assert!(script.text.is_ascii(), "nothing to be mistaken");
        prop_assert!(!script.text.contains("${"), "nothing for Flux");
        let (_, table) = script.text.split_once("local blocked = {\n").expect("the table");
        let (table, _) = table.split_once("\n}\n").expect("its end");
        let read: Vec<Vec<u8>> = table.lines().map(|line| {
            let (bytes, rest) = lua_string(line.trim_start());
            assert_eq!(rest, ",");
            bytes
        }).collect();
        let want: Vec<Vec<u8>> = patterns.into_iter().map(String::into_bytes).collect();
        prop_assert_eq!(read, want);
    }
}

/// Asserts what must hold for every result of compiling.
fn holds(compiled: &Compiled) {
    for finding in &compiled.diagnostics {
        let related = finding.related.iter().map(|related| related.span);
        for span in [finding.span, finding.origin]
            .into_iter()
            .flatten()
            .chain(related)
        {
            let text = compiled.sources.get(span.source).text();
            let range = span.range();
            assert!(
                range.start <= range.end && range.end <= text.len(),
                "{range:?} of {}: {finding:?}",
                text.len()
            );
            assert!(
                text.is_char_boundary(range.start) && text.is_char_boundary(range.end),
                "{finding:?}"
            );
            let place = compiled.sources.locate(span);
            assert!(place.line >= 1 && place.column >= 1);
        }
        assert!(!finding.message.is_empty());
    }
    for file in &compiled.files {
        let parts = file.path.split('/');
        assert!(
            compiled.has_errors() || parts.clone().all(|part| !matches!(part, "" | "." | "..")),
            "{}",
            file.path
        );
    }
    if compiled.has_errors() {
        return;
    }
    // kustomize builds one folder at a time.
    let mut identities: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for object in &compiled.objects {
        let folder = object
            .file
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        let is_new = identities
            .entry(folder)
            .or_default()
            .insert(format!("{:?}", object.identity()));
        assert!(is_new, "{} is twice in {folder}", object.identity());
    }
}

/// A change to a text, as by a typo, a bad merge or a program.
#[derive(Clone, Debug)]
enum Slip {
    DeleteLine(usize),
    RepeatLine(usize, usize),
    SwapLines(usize, usize),
    DeleteToken(usize),
    RepeatToken(usize),
    ReplaceToken(usize, String),
    MoveToken(usize, usize),
    Cut(usize),
    Insert(usize, String),
}

fn slip() -> impl Strategy<Value = Slip> {
    let at = || 0..10_000usize;
    let words = prop::sample::select(vec![
        "0",
        "-1",
        "65536",
        "99999999999999999999",
        "1.5",
        "true",
        "false",
        "\"\"",
        "\"x\"",
        "\"${X}\"",
        "\"../x\"",
        "[]",
        "{}",
        "[[]]",
        "[[[1]]]",
        "{ a = 1 }",
        "nan",
        "2026-01-01",
        "'''",
        "\"\"\"",
        "=",
        ".",
        "[",
        "]",
        "\"é🦀\"",
        "spec",
        "name",
        "gateways",
        "enabled = false",
    ]);
    let new = prop_oneof![
        words.prop_map(str::to_owned),
        text().prop_map(|text| quoted(&text)),
        text()
    ];
    prop_oneof![
        1 => at().prop_map(Slip::DeleteLine),
        1 => (at(), at()).prop_map(|(from, to)| Slip::RepeatLine(from, to)),
        1 => (at(), at()).prop_map(|(a, b)| Slip::SwapLines(a, b)),
        1 => at().prop_map(Slip::DeleteToken),
        1 => at().prop_map(Slip::RepeatToken),
        4 => (at(), new.clone()).prop_map(|(at, new)| Slip::ReplaceToken(at, new)),
        1 => (at(), at()).prop_map(|(from, to)| Slip::MoveToken(from, to)),
        1 => at().prop_map(Slip::Cut),
        1 => (at(), new).prop_map(|(at, new)| Slip::Insert(at, new)),
    ]
}

/// The tokens of a text: words, numbers, strings without blanks, single characters. Together they are the text.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    for c in text.chars() {
        let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        match tokens.last_mut() {
            Some(last) if word(c) && last.chars().next_back().is_some_and(word) => last.push(c),
            _ => tokens.push(c.to_string()),
        }
    }
    tokens
}

fn slipped(text: String, slip: &Slip) -> String {
    let by_lines = matches!(
        slip,
        Slip::DeleteLine(_) | Slip::RepeatLine(..) | Slip::SwapLines(..)
    );
    let mut parts: Vec<String> = if by_lines {
        text.split_inclusive('\n').map(str::to_owned).collect()
    } else {
        tokens(&text)
    };
    if parts.is_empty() {
        return text;
    }
    let count = parts.len();
    match slip {
        Slip::DeleteLine(at) | Slip::DeleteToken(at) => drop(parts.remove(at % count)),
        Slip::RepeatLine(from, to) => parts.insert(to % count, parts[from % count].clone()),
        Slip::SwapLines(a, b) => parts.swap(a % count, b % count),
        Slip::RepeatToken(at) => parts.insert(at % count, parts[at % count].clone()),
        Slip::ReplaceToken(at, new) => parts[at % count] = new.clone(),
        Slip::MoveToken(from, to) => {
            let token = parts.remove(from % count);
            parts.insert(to % count, token);
        }
        Slip::Cut(at) => parts.truncate(at % count),
        Slip::Insert(at, new) => parts.insert(at % count, new.clone()),
    }
    parts.concat()
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn no_slip_of_the_hand_panics(slips in prop::collection::vec(slip(), 1..4)) {
        let text = slips.iter().fold(REFERENCE.to_owned(), slipped);
        holds(&compiled(&text));
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn no_text_panics(text in prop_oneof![any::<String>(), text(), "[a-z\\[\\]={}\"'., \n#0-9]{0,200}"]) {
        holds(&compiled(&text));
    }
}

#[test]
fn the_reference_is_rendered_the_same_each_time() {
    let first = compiled(REFERENCE);
    assert!(!first.has_errors());
    holds(&first);
    let texts = |compiled: &Compiled| -> Vec<(String, String)> {
        let files = compiled.files.iter();
        files
            .map(|file| (file.path.clone(), file.text.clone()))
            .collect()
    };
    for _ in 0..5 {
        assert_eq!(texts(&compiled(REFERENCE)), texts(&first));
    }
}

#[test]
fn each_line_of_the_reference_may_be_missing() {
    let lines: Vec<&str> = REFERENCE.split_inclusive('\n').collect();
    let matters = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
    let skipped = (0..lines.len()).filter(|at| matters(&lines[*at]));
    for at in skipped {
        let text: String = lines
            .iter()
            .enumerate()
            .filter(|(there, _)| *there != at)
            .map(|(_, line)| *line)
            .collect();
        holds(&compiled(&text));
    }
}
