//! The user's own templates: errors in them, and values that try to break out of them.

use super::refusal;
use crate::common::{MINIMAL, Project};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// A project with a template of its own.
fn templated(name: &str, text: &str) -> Project {
    Project::new()
        .minimal("[layout]\ntemplates = \"templates\"")
        .file(&format!("templates/{name}"), text)
}

#[test]
fn a_template_that_fails_is_shown_at_its_line() {
    let head = "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata:\n  name: {{ name }}\n";
    let class = "gatewayclass.yaml.j2";
    let gateway = "gateway.yaml.j2";
    let long =
        "{% for a in range(10000) %}\n{% for b in range(10000) %}\n{% endfor %}\n{% endfor %}\n";
    let rows = [
        (
            "an undefined name",
            class,
            format!("{head}spec:\n  controllerName: {{{{ controler }}}}\n"),
        ),
        (
            "an undefined name below another",
            gateway,
            "apiVersion: v1\nkind: Gateway\nmetadata:\n  name: {{ name.first.second }}\n"
                .to_owned(),
        ),
        (
            "an unknown filter",
            class,
            format!("{head}  x: {{{{ name | shout }}}}\n"),
        ),
        (
            "a block without its end",
            class,
            format!("{head}{{% if name %}}\n"),
        ),
        (
            "broken syntax",
            class,
            format!("{head}  x: {{{{ name +  }}}}\n"),
        ),
        (
            "broken YAML",
            class,
            format!("{head}spec:\n  a: [1\n  b: 2\n"),
        ),
        (
            "broken YAML in a loop",
            gateway,
            "a:\n{% for listener in listeners %}\n   - {{ listener.name }}\n b: 1\n{% endfor %}\n"
                .to_owned(),
        ),
        (
            "a tab",
            class,
            format!("{head}spec:\n\tcontrollerName: x\n"),
        ),
        ("a key twice", class, format!("{head}kind: Other\n")),
        (
            "a list as a key",
            gateway,
            "{{ listeners }}: x\n".to_owned(),
        ),
        (
            "a list inside text",
            gateway,
            "a: x {{ listeners }}\n".to_owned(),
        ),
        ("a loop that takes too long", class, format!("{head}{long}")),
        (
            "itself again and again",
            class,
            "{% macro a() %}{{ a() }}{% endmacro %}\nx: {{ a() }}\n".to_owned(),
        ),
        (
            "a file of another folder",
            class,
            "{% include \"../../etc/passwd\" %}\n".to_owned(),
        ),
        ("nothing", class, String::new()),
        ("no object", class, "- 1\n".to_owned()),
        (
            "no kind",
            class,
            "apiVersion: v1\nmetadata: {}\n".to_owned(),
        ),
        ("two documents", class, format!("{head}---\n{head}")),
        (
            "a character that marks values",
            class,
            format!("{head}  x: \u{F0000}0\u{F0001}\n"),
        ),
        (
            "a typo in its file name",
            "gatewayclas.yaml.j2",
            head.to_owned(),
        ),
    ];
    let mut said = String::new();
    for (what, name, text) in &rows {
        let stderr = refusal(templated(name, text), what);
        assert!(
            stderr.contains(&format!("templates/{name}")) || stderr.contains("rendered to"),
            "{what}\n{stderr}"
        );
        write!(said, "== {what}\n\n{stderr}\n").expect("a string");
    }
    snapshot!("templates", said);
}

#[test]
fn a_template_that_is_no_text_is_refused() {
    let said = refusal(
        templated("gateway.yaml.j2", "").file("templates/redirect.yaml.j2", b"\xff\xfe"),
        "two",
    );
    assert!(
        said.contains("templates/redirect.yaml.j2 can't be read"),
        "{said}"
    );
}

#[test]
fn a_template_that_writes_too_much_is_refused() {
    let class = "gatewayclass.yaml.j2";
    let rows = [
        ("text again and again", format!("x: |\n{{% for a in range(100000) %}}\n  {}\n{{% endfor %}}\n", "x".repeat(100_000))),
        ("a text doubled and doubled", "{% set ns = namespace(x=\"xxxxxxxxxxxxxxxx\") %}\n{% for a in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}\nx: {{ ns.x }}\n".to_owned()),
        ("a text a billion times", "x: {{ \"x\" * 9000000000 }}\n".to_owned()),
        ("a list doubled and doubled", "{% set ns = namespace(x=[1]) %}\n{% for a in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}\nx: {{ ns.x }}\n".to_owned()),
        ("spaces", "x: {{ \"%1000000000s\" | format(name) }}\n".to_owned()),
        ("an indentation", "x: {{ name | indent(9000000000, true) }}\n".to_owned()),
        ("a long range", "x: {{ range(9000000000) | list }}\n".to_owned()),
        ("a list repeated", "x: {{ range(99999) | list * 1000 }}\n".to_owned()),
        ("a namespace in itself", "{% set n = namespace() %}{% set n.n = n %}\nx: {{ n }}\n".to_owned()),
        ("lists in each other", "{% set n = namespace(a=[]) %}{% for i in range(99999) %}{% set n.a = [n.a] %}{% endfor %}\nx: {{ n.a }}\n".to_owned()),
        ("lists in each other, written out", format!("x: {{% set a = [name] %}}\n{}", "{% set a = [a, a] %}\n".repeat(60))),
        ("a list added to itself", "{% set n = namespace(a=[1]) %}{% for i in range(60) %}{% set n.a = n.a + n.a %}{% endfor %}\nx: {{ n.a }}\n".to_owned()),
        ("a long sum", format!("x: {{{{ 1{} }}}}\n", "+1".repeat(200_000))),
        ("a long text in parts", format!("x: {{{{ 'a'{} }}}}\n", "~'a'".repeat(100_000))),
        ("brackets in each other", format!("x: {{{{ {}1{} }}}}\n", "[".repeat(100_000), "]".repeat(100_000))),
        ("a long chain of filters", format!("x: {{{{ name{} }}}}\n", "|upper".repeat(50_000))),
        ("a long chain of branches", format!("x: {{% if name %}}{}{{% endif %}}\n", "{% elif name %}".repeat(50_000))),
        ("blocks in each other", format!("x: {}\n", "{% if name %}".repeat(50_000))),
        ("a block that is written often", format!("{{% set a %}}{{{{ name }}}}{{% endset %}}\nx:\n{}", "  - {{ a }}{{ a }}{{ a }}{{ a }}\n".repeat(4_000))),
        ("a macro that calls itself twice", "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}\nx: {{ m() }}\n".to_owned()),
        ("anchors in each other", format!("a0: &a0 [x]\n{}", (1..60).map(|at| format!("a{at}: &a{at} [*a{0}, *a{0}]\n", at - 1)).collect::<String>())),
        ("half a megabyte of text", "x: y\n".repeat(100_000)),
    ];
    for (what, text) in rows {
        let project = templated(class, &text);
        let run = super::bounds::bounded(&project, "render");
        assert_eq!(run.code, Some(1), "{what}\n{run}");
        let run = run.warns(&format!("templates/{class}:"));
        assert_eq!(project.files().len(), 2, "{what}");
        let again = super::bounds::bounded(&project, "render");
        assert_eq!(again.stderr, run.stderr, "{what}: the same each time");
    }
}

/// Texts that would change the structure of YAML if they were pasted into it.
const HOSTILE: &[&str] = &[
    "\"",
    "'",
    "\" }, evil: {",
    "it's \"quoted\"",
    "a\nb",
    "a\n  evil: true",
    "a\n---\nkind: Evil",
    "---",
    "...",
    "a: b",
    ": ",
    "# no comment",
    "a # b",
    "${EVIL}",
    "$(evil)",
    "{{ name }}",
    "{% raw %}",
    "- a",
    "? a",
    "&a",
    "*a",
    "!!binary x",
    "|",
    ">-",
    "%YAML 1.1",
    "@a",
    "`a`",
    "[a, b",
    "{a: b",
    "yes",
    "on",
    "null",
    "~",
    "12:30",
    "0x10",
    "010",
    "1e3",
    ".inf",
    " a ",
    "\ta",
    "a\\nb",
    "\\",
    "a\r\nb",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{e000}",
    "\u{7f}",
    "\u{1b}[31m",
    "\u{200b}",
    "🦀",
];

const EVERYWHERE: &str = r#"apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: {{ name }}
spec:
  interval: 1h
  chartRef: { kind: OCIRepository, name: x }
  values:
    plain: {{ folder }}
    double: "{{ folder }}"
    single: '{{ folder }}'
    inside: before {{ folder }} after
    quoted: "before {{ folder }} after"
    twice: {{ folder }}{{ folder }}
    "k-{{ folder }}": key
    block: |
      first
      {{ folder }}
      last
    folded: >-
      first
      {{ folder }}
    flow: { a: {{ folder }}, "b": "{{ folder }}" }
    list: [{{ folder }}, x{{ folder }}]
    filtered: {{ folder | upper | lower }}
    set: {% set x = folder ~ "!" %}{{ x }}
    # {{ folder }}
    last: last
"#;

#[test]
fn a_value_never_changes_the_shape() {
    let mut config = format!("{MINIMAL}\n[layout]\ntemplates = \"templates\"\n");
    for (at, text) in HOSTILE.iter().enumerate() {
        let text = toml::Value::from(*text);
        write!(
            config,
            "[monitoring.dashboards.d{at}]\nurl = \"https://example.com\"\nfolder = {text}\n"
        )
        .expect("a string");
    }
    let project = Project::new()
        .config(&config)
        .file("templates/grafanadashboard.yaml.j2", EVERYWHERE);
    project.run(["render"]).success();
    let text = project.read(&format!("{}/grafanadashboard.yaml", crate::common::APP));
    let documents: Vec<Value> = serde_yaml::from_multiple(&text).expect("YAML");
    assert_eq!(documents.len(), HOSTILE.len());
    for (at, hostile) in HOSTILE.iter().enumerate() {
        let mut want = json!({
            "plain": hostile,
            "double": hostile,
            "single": hostile,
            "inside": format!("before {hostile} after"),
            "quoted": format!("before {hostile} after"),
            "twice": format!("{hostile}{hostile}"),
            "block": format!("first\n{hostile}\nlast\n"),
            "folded": format!("first {hostile}"),
            "flow": { "a": hostile, "b": hostile },
            "list": [hostile, format!("x{hostile}")],
            "filtered": hostile.to_uppercase().to_lowercase(),
            "set": format!("{hostile}!"),
            "last": "last",
        });
        want[format!("k-{hostile}")] = "key".into();
        let name = format!("d{at}");
        let document = documents
            .iter()
            .find(|document| document["metadata"]["name"] == name.as_str());
        let document = document.unwrap_or_else(|| panic!("{name} in {text}"));
        assert_eq!(document["spec"]["values"], want, "{hostile:?}");
    }
}
