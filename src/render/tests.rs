//! Tests with malicious templates: each run ends, with an output or a diagnostic, and always with the same
//! one.

use std::fmt::Write as _;

use super::context::cost_of;
use super::engine::Engine;
use super::templates::Templates;
use manifest::diagnostic::{Diagnostic, Sources};
use manifest::value::Node;
use serde_json::json;

const NAME: &str = "gatewayclass.yaml.j2";

/// Renders a template with a name and twenty listeners.
fn render(text: &str) -> Result<Node, Box<Diagnostic>> {
    let mut templates = Templates::default();
    assert_eq!(
        templates.replace(NAME, "t/gatewayclass.yaml.j2", text.to_owned()),
        None
    );
    let listeners: Vec<_> = (0..20)
        .map(|at| json!({"name": format!("l{at}"), "port": at, "hosts": ["a.example.com", "b.example.com"]}))
        .collect();
    let values = Node::from_json(json!({
        "name": "envoy", "count": 3, "labels": {"a": "x", "b": "y"}, "listeners": listeners}));
    let mut sources = Sources::default();
    Engine::new(&templates).document(NAME, &values, &mut sources)
}

fn refused(text: &str) -> String {
    let Err(finding) = render(text) else {
        panic!("{text} was rendered");
    };
    let span = finding.span.expect("a place");
    assert!(
        span.range().end <= text.len() && finding.help.is_some(),
        "{finding:?}"
    );
    finding.message
}

fn made(text: &str) -> serde_json::Value {
    match render(text) {
        Ok(node) => node.to_json(),
        Err(finding) => panic!("{text}: {} {:?}", finding.message, finding.help),
    }
}

/// Constructs that people use in templates work.
#[test]
fn harmless_templates_are_rendered() {
    for (text, want) in [
        ("a: {{ name ~ '-tls' }}", json!({"a": "envoy-tls"})),
        ("a: {{ (name | string)[:3] }}", json!({"a": "env"})),
        ("a: {{ count + 1 }}", json!({"a": 4})),
        ("a: {{ count | int * 2 }}", json!({"a": 6})),
        (
            "a: {{ listeners | map(attribute='name') | first }}",
            json!({"a": "l0"}),
        ),
        ("a: {{ listeners | length }}", json!({"a": 20})),
        ("a: {{ [name, 'x'] | join('/') }}", json!({"a": "envoy/x"})),
        ("a: {{ ['x', 'y'] }}", json!({"a": ["x", "y"]})),
        ("a: {{ {'x': name} }}", json!({"a": {"x": "envoy"}})),
        (
            "a: {{ listeners[0].hosts }}",
            json!({"a": ["a.example.com", "b.example.com"]}),
        ),
        (
            "a: {% if name in ['envoy', 'x'] %}there{% endif %}",
            json!({"a": "there"}),
        ),
        (
            "{% for k, v in labels | items %}{{ k }}: {{ v }}\n{% endfor %}",
            json!({"a": "x", "b": "y"}),
        ),
        (
            "{% for k, v in labels | dictsort %}{{ k }}: {{ v | upper }}\n{% endfor %}",
            json!({"a": "X", "b": "Y"}),
        ),
        (
            "{% set ns = namespace(found=false) %}{% for one in listeners %}{% if one.port == 3 %}{% set ns.found = one.name %}{% endif %}{% endfor %}a: {{ ns.found }}",
            json!({"a": "l3"}),
        ),
        (
            "{% set ns = namespace(n=0) %}{% for one in listeners %}{% set ns.n = ns.n + 1 %}{% endfor %}a: {{ ns.n }}",
            json!({"a": 20}),
        ),
        (
            "{% macro host(of) %}{{ of }}.example.com{% endmacro %}a: {{ host(name) }}",
            json!({"a": "envoy.example.com"}),
        ),
        (
            "{% set all = listeners | selectattr('port', 'gt', 17) | list %}a:\n{% for one in all %}- {{ one.name }}\n{% endfor %}",
            json!({"a": ["l18", "l19"]}),
        ),
        ("a: {{ labels.c | default('z') }}", json!({"a": "z"})),
        (
            "a:\n{% for at in range(3) %}- {{ at }}{{ loop.index + 1 }}\n{% endfor %}",
            json!({"a": ["02", "13", "24"]}),
        ),
        (
            "a: {{ (listeners | first).hosts | last }}",
            json!({"a": "b.example.com"}),
        ),
        (
            "{% set x %}{{ name }}-{{ count }}{% endset %}a: {{ x }}",
            json!({"a": "envoy-3"}),
        ),
        ("a: {{ 'v%02d' | format(count) }}", json!({"a": "v03"})),
        (
            "{% with a = listeners %}a: {{ a | length }}{% endwith %}",
            json!({"a": 20}),
        ),
        (
            "a: {{ listeners[0] == listeners[0] }}{{ listeners[0] == listeners[1] }}",
            json!({"a": "truefalse"}),
        ),
    ] {
        assert_eq!(made(text), want, "{text}");
    }
}

/// Constructs whose work can't be limited are refused before the template runs.
#[test]
fn constructs_without_a_limit_are_refused_with_help() {
    for (text, want) in [
        (
            "{% set n=namespace() %}{% set n.n=n %}{{ n }}",
            "a namespace can't be used as a value",
        ),
        (
            "{% set n=namespace(a=[]) %}{% for i in range(9) %}{% set n.a=[n.a] %}{% endfor %}",
            "a namespace can't contain a list",
        ),
        (
            "{% set n=namespace(a=[1]) %}{% for i in range(9) %}{% set n.a=n.a+n.a %}{% endfor %}",
            "`+` may join two lists",
        ),
        (
            "{% set a=[name] %}{% set a=[a, a] %}",
            "a list or table can't contain",
        ),
        (
            "{% set a=[name] %}{% set b={'a': a} %}",
            "a list or table can't contain",
        ),
        ("{{ listeners * 100000000 }}", "`*` may repeat a list"),
        ("{{ range(99999) | list * 1000 }}", "`*` may repeat a list"),
        ("{{ [name] ~ '' }}", "`~` can't join a list"),
        (
            "{{ [name] == [name] }}",
            "a value can't be compared with a list",
        ),
        ("{{ listeners | batch(2) }}", "filter batch is unknown"),
        ("{{ listeners | zip(listeners) }}", "filter zip is unknown"),
        (
            "{{ listeners | map('list') }}",
            "`map` accepts only `attribute=`",
        ),
        ("{{ dict(a=1) }}", "function dict is unknown"),
        ("{{ name.upper() }}", "values have no method"),
        ("{{ name[::-1] }}", "a slice can't have a step"),
        (
            "{% for a in listeners recursive %}{{ loop(a) }}{% endfor %}",
            "recursive loops are not allowed",
        ),
        (
            "{% set a = 'é' * 300000 %}{{ a[-2:] }}",
            "a string of unlimited length",
        ),
        (
            "{% set n = namespace(a='x') %}{% for i in range(9) %}{% set n.a = n.a ~ n.a %}{% if n.a < n.a %}{% endif %}{% endfor %}",
            "a string of unlimited length",
        ),
        ("{{ range(*[1]) }}", "arguments can't be unpacked"),
        (
            "{% macro m(a) %}{% set b = [a] %}{% endmacro %}{{ m([name]) }}",
            "a list or table can't contain",
        ),
    ] {
        let message = refused(text);
        assert!(message.contains(want), "{text}\n{message}");
    }
}

/// Templates that exceed one of the limits are refused, with the line.
#[test]
fn templates_over_a_limit_are_refused_at_their_line() {
    let chain = |part: &str, by: &str| format!("{{{{ {} }}}}", vec![part; 50_000].join(by));
    for text in [
        chain("1", "+"),
        chain("'a'", "~"),
        chain("name", " and "),
        chain("name", " if name else "),
        chain("1", "<"),
        chain("1", ","),
        format!("{{{{ {}1 }}}}", "-".repeat(50_000)),
        format!("{{{{ {}name }}}}", "not ".repeat(50_000)),
        format!("{{{{ {}1{} }}}}", "(".repeat(50_000), ")".repeat(50_000)),
        format!("{{{{ {}1{} }}}}", "[".repeat(50_000), "]".repeat(50_000)),
        format!("{{{{ name{} }}}}", ".a".repeat(50_000)),
        format!("{{{{ name{} }}}}", "|upper".repeat(40_000)),
        format!("{{{{ name{} }}}}", "[0]".repeat(50_000)),
        format!("{{{{ name{} }}}}", " is string".repeat(20_000)),
        "{% if name %}".repeat(15_000),
        format!("{{% if name %}}{}{{% endif %}}", "{% elif name %}".repeat(15_000)),
        "x".repeat(300_000),
        "{{ '%99999999s' | format('x') }}".to_owned(),
        "{{ 'x' * 100000000 }}".to_owned(),
        "{{ name | indent(99999999, true) }}".to_owned(),
        "{{ name | replace('', 'x' * 100000) }}".to_owned(),
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}".to_owned(),
        "a:\n{% for a in range(99999) %}- {{ listeners }}\n{% endfor %}".to_owned(),
        "{% set x %}{{ listeners }}{% endset %}a:\n{% for a in range(3000) %}- {{ x }}\n{% endfor %}".to_owned(),
        "{% set n=namespace(a='xxxxxxxxxxxxxxxx') %}{% for i in range(99) %}{% set n.a=n.a~n.a %}{% endfor %}".to_owned(),
        "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}".to_owned(),
        "{% macro m() %}{{ caller() }}{% endmacro %}{% macro n() %}{% call m() %}{{ n() }}{% endcall %}{% endmacro %}{{ n() }}".to_owned(),
    ] {
        refused(&text);
    }
}

/// A small generator of malicious templates: random statements and expressions that enlarge values, nest
/// them, or do work.
struct Hostile {
    state: u64,
    text: String,
    /// Whether it uses only allowed constructs, so that the template gets further.
    is_tame: bool,
}

impl Hostile {
    fn below(&mut self, most: usize) -> usize {
        // Knuth's multiplier; the upper half is random enough.
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.state >> 33).unwrap_or_default() % most.max(1)
    }

    fn one_of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        let at = self.below(texts.len());
        texts[at]
    }

    fn expression(&mut self, depth: usize) -> String {
        const ATOMS: &[&str] = &[
            "a",
            "b",
            "n.a",
            "n.b",
            "n",
            "listeners",
            "labels",
            "name",
            "count",
            "[]",
            "1",
            "'xxxxxxxx'",
            "99999",
            "range(9999)",
            "listeners[0]",
            "loop",
            "x",
        ];
        if depth == 0 {
            return self.one_of(ATOMS).to_owned();
        }
        if self.is_tame {
            return self.tame(depth);
        }
        let left = self.expression(depth - 1);
        let below = self.below(depth);
        let right = self.expression(below);
        match self.below(12) {
            0 => format!("[{left}, {right}]"),
            1 => format!("{{'k': {left}, 'l': {right}}}"),
            2..5 => {
                let operator =
                    self.one_of(&["+", "~", "*", "==", "<", "in", "and", "or", "-", "**", "%"]);
                format!("({left} {operator} {right})")
            }
            5..8 => {
                let filter = self.one_of(&[
                    "list",
                    "join",
                    "sort",
                    "unique",
                    "reverse",
                    "string",
                    "upper",
                    "items",
                    "dictsort",
                    "map('list')",
                    "map(attribute='hosts')",
                    "batch(2)",
                    "slice(2)",
                    "groupby('name')",
                    "zip",
                    "chain",
                    "sum",
                    "first",
                    "last",
                    "min",
                    "max",
                    "length",
                    "replace('x', 'xxxxxxxxxxxxxxxx')",
                    "indent(9999)",
                    "format(999999)",
                    "split('')",
                    "default",
                    "select",
                    "pprint",
                    "tojson",
                    "safe",
                ]);
                format!("({left} | {filter})")
            }
            8 => format!("({left} if {right} else {left})"),
            9 => format!("{left}[{right}]"),
            10 => format!("m({left}, {right})"),
            _ => format!("({left})[1:]"),
        }
    }

    /// Strings that grow, and lists that are traversed again and again.
    fn tame(&mut self, depth: usize) -> String {
        let left = self.one_of(&["a", "b", "n.a", "n.b", "name", "'xxxxxxxx'", "x"]);
        let right = self.one_of(&["a", "b", "n.a", "name", "count", "x"]);
        let list = self.one_of(&["listeners", "range(9999)", "labels", "listeners[0].hosts"]);
        match self.below(6) + usize::from(depth > 2) {
            0 => format!("(({left} | string) ~ ({right} | string))"),
            1 => format!("({left} | string | replace('x', 'xxxxxxxxxxxxxxxx'))"),
            2 => format!("({left} if {right} in {list} else {right})"),
            3 => list.to_owned(),
            4 => format!("({list} | list | length)"),
            5 => format!("m({left}, {right})"),
            _ => format!("({left} | default({right}))"),
        }
    }

    fn statements(&mut self, depth: usize) {
        for _ in 0..=self.below(4) {
            let levels = self.below(4);
            let one = self.expression(levels);
            let name = self.one_of(&["a", "b", "n.a", "n.b", "x"]);
            match self.below(if depth == 0 { 4 } else { 7 }) {
                0 | 1 => write!(self.text, "{{% set {name} = {one} %}}").expect("a string"),
                2 => writeln!(self.text, "- {{{{ {one} }}}}").expect("a string"),
                3 => self.text.push_str("{% set n = namespace(a=1, b='x') %}"),
                4 => {
                    write!(self.text, "{{% for x in {one} %}}").expect("a string");
                    self.statements(depth - 1);
                    self.text.push_str("{% endfor %}");
                }
                5 => {
                    self.text.push_str("{% macro m(a, b) %}");
                    self.statements(depth - 1);
                    self.text.push_str("{% endmacro %}");
                }
                _ => {
                    self.text.push_str("{% set a %}");
                    self.statements(depth - 1);
                    self.text.push_str("{% endset %}");
                }
            }
        }
    }
}

fn hostile(seed: u64) -> String {
    let mut hostile = Hostile {
        state: seed,
        is_tame: seed.is_multiple_of(2),
        text: "{% set a = 'x' %}{% set b = name %}{% set n = namespace(a=1, b=2) %}{% set x = 1 %}"
            .to_owned(),
    };
    hostile
        .text
        .push_str("{% macro m(a, b) %}{{ a }}{{ b }}{% endmacro %}\n");
    for _ in 0..4 {
        hostile.statements(3);
    }
    hostile.text
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 200, ..Default::default() })]

    /// Every run ends, its output is small, and a second run gives the same result.
    #[test]
    fn no_template_exceeds_its_limits(seed in proptest::prelude::any::<u64>()) {
        let text = hostile(seed);
        let told = |made: Result<Node, Box<Diagnostic>>| match made {
            Ok(node) => (Some(node), None),
            Err(finding) => (None, Some((finding.message, finding.span))),
        };
        let (node, finding) = told(render(&text));
        if let Some(node) = &node {
            proptest::prop_assert!(cost_of(node) < 40_000, "{}", text);
        }
        if let Some((message, span)) = &finding {
            let is_placed = span.is_some_and(|span| span.range().end <= text.len());
            proptest::prop_assert!(!message.is_empty() && message.len() < 1_000 && is_placed, "{} {}", message, text);
        }
        proptest::prop_assert_eq!((node, finding), told(render(&text)));
    }
}

/// Checks that the generator produces templates that are rendered and templates that are refused for each
/// reason; otherwise the test above would prove nothing.
#[test]
fn the_generator_reaches_all_outcomes() {
    let outcomes: Vec<String> = (0..600)
        .map(|seed| match render(&hostile(seed)) {
            Ok(_) => "rendered".to_owned(),
            Err(finding) => finding.message,
        })
        .collect();
    for want in [
        "rendered",
        "namespace",
        "`+`",
        "`*`",
        "`~`",
        "is unknown",
        "can't contain",
        "too long",
    ] {
        let there = outcomes.iter().filter(|one| one.contains(want)).count();
        assert!(
            there > 0,
            "{want}: {:?}",
            outcomes.iter().take(40).collect::<Vec<_>>()
        );
    }
}
