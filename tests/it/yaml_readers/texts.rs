//! Texts that are nearly YAML: lines of fragments, and manifests with fragments inserted, removed and doubled.

use proptest::prelude::*;
use proptest::sample::select;

/// The indentation of lines.
const INDENTS: &[&str] = &[
    "", "", "  ", "  ", "    ", "    ", "      ", " ", "\t", "  \t",
];

/// Text before a value.
#[rustfmt::skip]
const HEADS: &[&str] = &[
    "", "a: ", "b: ", "name: ", "- ", "- a: ", "- - ", "? ", ": ", "\"a\": ", "\"c\":", "'d' : ", "a:", "-", "-\t", "a:\t", "a :", "e\t: ", "<<: ",
    "1: ", "yes: ", "~: ", "on: ", "&k a: ", "*x : ", "*x: ", "!!str f: ", "? a\n: ", "[a]: ", "{a: b}: ", ": a: ", "\"a\nb\": ", "a b: ", "a#: ", "-a: ", "a\u{a0}: ",
    "--- ", "---", "... ", "...", "%YAML 1.1", "# ", "#",
];

/// Values, and beginnings of values.
#[rustfmt::skip]
const VALUES: &[&str] = &[
    "", "a", "b c", "text", "1", "80", "true", "no", "010", "12:30", "1e3", "~", "null", "2026-01-01", "1_000", "0x1F", ".5", "=", "-", "-a", "--", "a-", "?", "?a", ":", ":a", "a:b", "a: b", "a:", "a :b", "a # c", "a#c", "a\t# c", "#c", " # c",
    "\"a\"", "\"a\\n\\\n  b\"", "\"a\\/b\"", "\"\\x41\\u00e9\"", "\"\\q\"", "\"a\n  b\n\n  c\"", "\"a\nb\"", "\"a\t\"", "\"\t\n \t b\"", "\"a\" b", "\"a\"b", "\"a\"#c", "\"a", "\"\\e\\0\\_\\N\\L\"", "\"\\ud83d\\ude00\"", "\"\\\tb\"",
    "'a'", "'it''s'", "'a\n  b'", "'a\n\n\n  b '", "'a' 'b'", "'a", "'a\\'", "''",
    "|", "|-", "|+", ">", ">-", ">+", "|2", "|1-", "|-1", "|0", "|9", "| # c", "|# c", "|a", ">2", "|\n  a\n   b\n  c", "|\n\n  a\n", "|\n    \n  a", "|-\n  a\n\n", "|+\n  a\n\n", ">\n  a\n  b\n\n  c\n   d\n  e", ">\n a\n\tb", "|\n\ta", "|2\n   a", "|\n  a\n # c\n  b", "|\n   a\n  b", ">-\n\n  a\n  b\n",
    "[", "]", "[]", "[a, b]", "[a,b]", "[a, b,]", "[,]", "[a,,b]", "[a: b]", "[a: b, c: d]", "[\"a\":b]", "[a:b]", "[? a : b]", "[: b]", "[a\n  b, c]", "[a, # c\n  b]", "[a#b]", "[a\n]", "[-]", "[- a]", "[-, a]", "[?]", "[a]b", "[a] # c", "[a]: b", "[|]", "[http://a.b/c, d]", "[a:, b]",
    "{", "}", "{}", "{a: b}", "{a: b, c: d}", "{a: b,}", "{a}", "{a, b: c}", "{a:b}", "{a: }", "{a:}", "{\"a\":b}", "{\"a\":\"b\"}", "{'a':b}", "{a: [b, {c: d}]}", "{? a : b}", "{: b}", "{a: b, a: c}", "{a\n: b}", "{a:\n  b}", "{\n  a: b\n}", "{a: b\n}", "{<<: {a: b}}", "{a: *x}", "{{ a }}", "{% a %}", "{a: b:c}", "{a: -1, b: - }", "{a: ?b}", "{1: 2}", "{a:\"b\"}",
    "&x", "&x a", "&x {a: b}", "&x [a]", "&x\n  a: b", "&x &y a", "& a", "&x:y a", "&x, a", "&a-b_1 c", "&é a", "*x", "*y", "* a", "*x a", "*x, b", "[*x, *x]", "{*x : a}", "{*x: a}",
    "!!str 1", "!!int \"1\"", "!!bool yes", "!!null ''", "!!map {a: b}", "!!seq [a]", "!!set {a, b}", "!!binary YQ==", "!!float 1", "!!timestamp 2026-01-01", "!!merge a", "!local a", "! a", "!<tag:yaml.org,2002:str> 1", "!e!x a", "!!str", "!!omap [a: b]", "!!str &x 1", "&x !!str 1", "!", "!!str,a", "!a,b c",
    "@a", "`a", "%a", ",a", "|a", ">a", "a, b", "a]", "a}", "a [b]", "${A}", "$a", "a &b", "a *b", "a !b", "a\"b\"", "a'b", "*.example.com", "a\\b", "/a",
];

/// Fragments that may be anywhere.
#[rustfmt::skip]
const BITS: &[&str] = &[
    "\n", "\n", "\r", "\r\n", "\u{85}", "\u{2028}", "\u{2029}", "\u{b}", "\u{c}", "\u{0}", "\u{7f}", "\u{9f}", "\u{a0}", "\u{feff}", "\u{fffe}", "\u{200b}", "\u{e000}", "\u{1f6aa}", "é",
    " ", " ", "  ", "    ", "\t", " \t", "\t ", "\n ", "\n  ", "\n    ", "\n\n", "\n\t", " \n",
    "#", " #", "# ", " # c", "\n# c\n", "\n  # c", ":", ": ", " :", " : ", "::", ":\n", ":\t", "-", "- ", "\n- ", "\n  - ", "-\n", "--", "?", "? ", "\n? ", "\n: ", ",", ", ", "[", "]", "{", "}", "[]", "{}", "&", "&a ", "*", "*a", "*a ", "!", "!!str ", "!a ", "|", "|\n", ">", "> ", "|2\n", "'", "''", "\"", "\\", "\\\n", "%", "@", "`", "=", "~", "<<: ", "<<: *a\n",
    "\n---\n", "---", "\n---", "--- ", "\n--- # c\n", "\n---\t\n", "\n--- a\n", "\n...\n", "...", "\n%YAML 1.2\n", "\n---\n---\n", "\n----\n",
    "a", "b: c", "a: b\n", "\na: b\n", "\n  a: b\n", "x", "0", "1", "null", "true",
];

/// Manifests as people write them, to start with.
pub const MANIFESTS: &[&str] = &[
    "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata:\n  name: app\n  namespace: web\n  annotations: {example.com/note: \"on\", other: 'it''s'}\nspec:\n  hostnames: [app.example.com, \"*.example.com\"]\n  parentRefs:\n    - name: envoy-internal # inside\n      sectionName: https\n  rules:\n    - backendRefs:\n        - name: app\n          port: 80\n      matches:\n        - path: {type: PathPrefix, value: /}\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels: &labels\n    app: a\n    \"on\": 'yes'\ndata:\n  script.lua: |\n    function f()\n      return 1\n    end\n\n    # comment\n  folded: >-\n    one\n    two\n\n    three\n  plain: a text\n    of two lines\n  quoted: \"a \\\n    b\"\n  <<: *labels\n",
    "---\n# first\nkind: A\nitems:\n- a\n- b: 1\n  c: 2\n-   - x\n    - y\n---\n\nkind: B\nlist: [1, 2,\n  3]\nmap: {a: {b: c}, d: [e]}\n# last\n",
    "{\"kind\": \"A\", \"items\": [{\"a\": 1, \"b\": null}, \"c\"],\n\t\"d\": {\"e\": \"f\\u00e9\\/\\n\"}}\n",
];

/// A text of lines with fragments.
fn lines() -> impl Strategy<Value = String> {
    let line = (
        select(INDENTS),
        select(HEADS),
        select(VALUES),
        select(
            &[
                "\n", "\n", "\n", "\n", " \n", " # c\n", "\t\n", "", "\r\n", "\n\n",
            ][..],
        ),
    );
    let line = line.prop_map(|(indent, head, value, end)| [indent, head, value, end].concat());
    let heading = select(&["", "", "apiVersion: v1\nkind: A\n"][..]);
    (heading, proptest::collection::vec(line, 1..6))
        .prop_map(|(heading, lines)| heading.to_owned() + &lines.concat())
}

/// A change to a text: the position, the number of bytes to remove, and the text to insert.
type Edit = (prop::sample::Index, usize, &'static str);

/// A text with changes at a few places.
fn changed(text: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let edit = (
        any::<prop::sample::Index>(),
        prop_oneof![3 => Just(0_usize), 1 => 0..6_usize],
        select(BITS),
    );
    (text, proptest::collection::vec(edit, 1..4)).prop_map(
        |(mut text, edits): (String, Vec<Edit>)| {
            for (place, length, bit) in edits {
                let places: Vec<usize> = text
                    .char_indices()
                    .map(|(at, _)| at)
                    .chain([text.len()])
                    .collect();
                let at = place.index(places.len());
                let end = places[(at + length).min(places.len() - 1)];
                text.replace_range(places[at]..end, bit);
            }
            text
        },
    )
}

/// Texts that are nearly YAML.
pub fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        lines(),
        changed(lines()),
        changed(select(MANIFESTS).prop_map(str::to_owned)),
        changed(select(MANIFESTS).prop_map(str::to_owned)),
        proptest::collection::vec(select(BITS), 1..12).prop_map(|bits| bits.concat()),
    ]
}
