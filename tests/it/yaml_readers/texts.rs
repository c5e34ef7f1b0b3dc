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

/// Values that programs read differently, or that look as if they were.
#[rustfmt::skip]
const PECULIAR: &[&str] = &[
    "no", "off", "n", "N", "NO", "y", "Y", "yes", "Yes", "yEs", "on", "oN", "true", "True", "tRUE", "FALSE", "fALSE", "~", "null", "NULL", "nULL",
    "0", "-0", "+1", "007", "010", "08", "0o17", "0o8", "-0o17", "0x1F", "0X1f", "-0x1f", "0x", "0b11", "-0b11", "0b2", "1_000", "1_000.5", "_1", "1_", "1__0", "0x_1F", "+_1",
    "1.", "1.0", ".5", ".5_0", ".5__0", "-.5", "1e3", "1E3", "1e+3", "1e-3", "1e", "e3", "1.e3", "0.1_5", "1e400", ".inf", "-.INF", ".iNF", ".nan", ".Nan", "Infinity",
    "12:30", "12:30:45", "-1:30", "190:20:30.15", "2026-01-31", "2026-1-1", "2026-02-30", "2028-02-29", "2026-13-01", "2026-01-31T10:00:00Z", "2026-01-31t10:00:00z", "2026-01-31 10:00:00.50",
    "2026-01-31 10:00:00Z", "2026-01-31T10:00:00+01:00", "2026-01-31T10:00:00+0100", "2026-01-31T1:2:3.1234567891Z", "2026-01-31T24:00:00Z", "2026-01-31T10:00Z", "20260131", "2026-01",
    "9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616", "1e15", "1e21", "0.1", "1e-7", "16777217.0", "-1.0",
    "=", "<<", "-", "- a", "? a", ":", ":a", "a:", "a: b", "@a", "`a`", "%a", "! a", "! 12", "! \"12\"", "! yes",
    "!!str 1", "!!str yes", "!!str 2026-01-31", "!!int \"1\"", "!!int 0x1f", "!!int 1.0", "!!float 1", "!!float a", "!!bool yes", "!!bool \"true\"", "!!null ''", "!!null a", "!!timestamp \"2026-01-31\"",
    "!!timestamp a", "!!binary YQ==", "!!binary YQ", "!local a", "!local 1", "!<tag:yaml.org,2002:str> 1", "!!map {a: b}", "!!set {a, b}", "!!seq a", "!!foo 1", "!e!a b",
    "&x a", "&x yes", "&x &y a", "*x", "\"a\\/b\"", "\"\\x41\"", "\"\\ud83d\\ude00\"", "\"\\q\"", "\"\\e\\_\\N\\L\"", "\"a\tb\"", "'it''s'", "''", "\"yes\"",
    "[yes, 010, 1.0]", "[a, b,]", "[a,,b]", "[a: b]", "[\"a\":b]", "{a: b, c: }", "{a, b}", "{a:}", "{a:b}", "{\"a\":b}", "{yes: 1}", "{1: b}", "{? a : b}", "{: b}", "[]", "{",
    "a # c", "a#c", "a\t# c", "\ta", "a\t", "\"a\" b", "\"a\"# c", "[a]#c", "a\u{2028}b", "\"a\u{2028}b\"", "a # \u{2028}", "a\u{85}b", "a\u{a0}b", "a\u{feff}b", "a\u{7f}b", "\"\u{7}\"", "a\rb", "\u{1f6aa}",
    "a ? b", "a - b", "a : b", "a :b", "http://a.b/c", "::1", "10.10.30.0/24", "1.2.3", "*.example.com", "${A}", "{{ a }}", "\"{{ a }}\"",
    "|\n    a\n    b", "|-\n    a\n\n", "|+\n    a\n\n", "|2\n      a", "|1\n   a", "|\n\n    a", "|\n    a\n   # c", "|\n    \ta", "|\n\ta", "|0\n    a", "|\n    a\r\n    b", "|\n    a\u{2028}    b", "| # c\n    a", "|a\n    b",
];

/// Places of a value in an object.
const PLACES: &[(&str, &str)] = &[
    ("data:\n  k: ", "\n"),
    ("data:\n  k: ", ""),
    ("data:\n  k: ", "\r\n"),
    ("data:\n  k:\n  - ", "\n"),
    ("data:\n  k: [x, ", "]\n"),
    ("data:\n  k: {z: ", ", w: 1}\n"),
    ("data:\n  ", ": v\n"),
    ("data:\n  <<: ", "\n  z: y\n"),
    ("data:\n  b: &q ", "\n  c: *q\n"),
];

/// Merges, keys that are there twice, and marks of documents.
#[rustfmt::skip]
const MERGES: &[&str] = &[
    "a: &x {p: q}\nc: {<<: *x}\n", "a: &x {p: q}\nc: {<<: *x, p: z}\n", "a: &x {p: q}\nc: {p: z, <<: *x}\n", "a: &x {p: q}\nb: &y {r: s}\nc:\n  <<: *x\n  <<: *y\n", "a: &x {p: q}\nb: &y {p: s, t: u}\nc:\n  <<: [*x, *y]\n",
    "a: &x {p: ~}\nc: {<<: *x}\n", "c: {<<: ~}\n", "c: {<<: []}\n", "c: {<<: [[]]}\n", "c: {<<: {}}\n", "c: {<<: a}\n", "a: &x q\nc: {<<: *x}\n", "a: &x {p: q}\nc: {'<<': *x}\n", "a: &x {p: q}\nc: {!!merge <<: *x}\n", "a: &x {p: q}\n<<: *x\n",
    "a: &x {<<: {m: n}, p: q}\nc: {<<: {<<: *x, p: 3}}\n", "c: &x [*x]\n", "c: &x z\nd: {*x : e}\n", "c: &x z\nd: {*x: e}\n", "c: &x z\nd: &x y\ne: *x\n",
    "k: a\nk: b\n", "k: {a: 1, a: 1}\n", "k: {a: 1, \"a\": 1}\n", "k: {1: a, 0x1: b}\n", "k: {yes: a, on: b}\n", "k: {1e6: a, 1.5: b}\n", "k: {18446744073709551615: a}\n", "k: {.inf: a}\n",
    "k: a\n...\n", "k: a\n---\n", "k: a\n--- # c\n", "k: a\n  b\n\n  c\n", "k: a\n\tb: c\n", "k:\n\tb: c\n", "k:\n-\ta: b\n", "k: \"a\n  b\"\n", "# \u{2028}c: d\n", "k: a #\u{2029}\n",
];

/// Objects with values that programs read differently.
pub fn peculiar() -> Vec<String> {
    let head = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";
    let values = PLACES.iter().flat_map(|(before, after)| {
        let values = PECULIAR.iter();
        values.map(move |value| format!("{head}{before}{value}{after}"))
    });
    let merges = MERGES.iter().map(|text| format!("{head}{text}"));
    let marks = ["%YAML 1.1\n---\n", "%YAML 1.2\n---\n", "\u{feff}", "# c\n"];
    let marks = marks.iter().map(|mark| format!("{mark}{head}"));
    values.chain(merges).chain(marks).collect()
}
