//! Tests of the general parser.

use super::*;
use crate::value::Pointer;

fn read(text: &str) -> Result<Node, ReadProblem> {
    crate::read::parse_any(text, SourceId(0), 0)
}

/// The kind of the problem, its message, and the text from its position to the end of the line.
fn problem(text: &str) -> Option<(ReadProblemKind, String, &str)> {
    let problem = read(text).err()?;
    let rest = text.get(problem.span.range().start..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    Some((problem.wrong, problem.message, line))
}

#[test]
fn an_alias_is_a_key() {
    for (text, json) in [
        (
            "a: &x b\n*x:\n  c: *x\n*x : d\n",
            None, // The key is there twice.
        ),
        (
            "é: &x b\n*x:\n  c: *x\nd: é\n",
            Some(r#"{"é":"b","b":{"c":"b"},"d":"é"}"#),
        ),
        (
            // In braces, kustomize makes an empty string of a missing value.
            "a: &x b\nc: {*x: é, d: {*x:}}\ne: [*x: 1]\nf: {*x:2}\n",
            Some(r#"{"a":"b","c":{"b":"é","d":{"b":""}},"e":[{"b":1}],"f":{"b":2}}"#),
        ),
        (
            "a: &x b\nc:\n- *x: &y {d: e}\n- <<: *y\n  *x: |\n    *x: f",
            Some(r#"{"a":"b","c":[{"b":{"d":"e"}},{"b":"*x: f","d":"e"}]}"#),
        ),
    ] {
        let node = read(text).ok();
        // The order of merged keys doesn't matter.
        let parsed = |json: &str| serde_json::from_str::<serde_json::Value>(json).ok();
        assert_eq!(
            node.map(|node| node.to_json()),
            json.and_then(parsed),
            "{text}"
        );
    }
}

#[test]
fn positions_after_aliases_as_keys_are_exact() {
    let text = "é: &x b\nc: {*x: é, d: {*x:}, e: [*x:1]}\n*x:\n  - f\n  - g: [*x]\n";
    let node = read(text).expect("valid YAML");
    for (pointer, written) in [
        ("/c", "{"),
        ("/c/b", "é"),
        ("/c/e/0/b", "1"),
        ("/b/0", "f"),
        ("/b/1/g/0", "*x"),
    ] {
        let pointer = Pointer::parse(pointer).expect("a pointer");
        let span = node.at(&pointer).and_then(|node| node.span);
        assert_eq!(span.map(|span| &text[span.range()]), Some(written));
    }
    let entry = node.as_map().and_then(|map| map.entry("b"));
    let key = entry.and_then(|entry| entry.key_span).expect("a position");
    assert_eq!(
        (&text[key.range()], key.range().start),
        ("*x", text.len() - 22)
    );

    // Errors as well, of both parsers.
    let said = problem("a: &x b\nc: {*x: {*x: e}, b: c}\n").expect("a duplicate");
    assert_eq!(
        (said.0, said.2),
        (ReadProblemKind::Syntax, "b: c}"),
        "{}",
        said.1
    );
    let said = problem("a: &x b\nc: {*x: {*x: e}, d:}\n").expect("a difference");
    assert_eq!(
        (said.0, said.2),
        (ReadProblemKind::Readers, "d:}"),
        "{}",
        said.1
    );
    // An alias of a name that ends with a colon is read differently.
    assert!(problem("a: &x: b\n*x:\n  c\n").is_some());
    assert!(problem("a: b\n*x: c\n").is_some());
}

#[test]
fn an_anchor_may_be_used_often() {
    let uses = |count: usize, item: &str| {
        let uses = "*x, ".repeat(count);
        format!("a: &x {item}\nb: [{uses}]\n")
    };
    let node = read(&uses(5000, "{c: d}")).expect("5000 uses");
    let list = node.get("b").map(|node| node.to_json());
    assert_eq!(
        list.and_then(|list| Some(list.as_array()?.len())),
        Some(5000)
    );
    let merges: String = (0..500).map(|at| format!("b{at}: {{<<: *x}}\n")).collect();
    assert_eq!(problem(&format!("a: &x {{c: d}}\n{merges}")), None);

    // Too many values, too many aliases, and too long a text.
    let large = format!("[{}]", "y, ".repeat(1000));
    for text in [
        uses(300, &large),
        uses(60_000, "c"),
        uses(100, &"y".repeat(1_000_000)),
    ] {
        let message = problem(&text).map(|it| it.1).unwrap_or_default();
        assert!(message.contains("more values than any object"), "{message}");
    }
}

#[test]
fn there_may_be_many_comments_in_a_row() {
    let comments = "  # a\n# b: *c\n\n".repeat(500);
    for text in [
        format!("a: &b\n{comments}  - c\n{comments}  - d\n{comments}e: *b\n"),
        format!("{comments}a: &b [\n{comments}c,\n{comments}  d]\ne: *b\n{comments}"),
    ] {
        let node = read(&text).map(|node| node.to_json().to_string());
        assert_eq!(
            node.ok().as_deref(),
            Some(r#"{"a":["c","d"],"e":["c","d"]}"#)
        );
    }
}

#[test]
fn keys_that_are_not_strings_are_refused_in_plain_words() {
    let null = "a key that is null, which kustomize refuses";
    let list = "a key that is a list, which kustomize refuses";
    let map = "a key that is a map, which kustomize refuses";
    let empty =
        "an empty key, which kustomize reads as an empty string, but other programs read as null";
    let missing = "a colon without a key before it, which kustomize refuses";
    for (text, message, line) in [
        ("a:\n  ~: b\n", null, "~: b"),
        ("é: {null: b}\n", null, "null: b}"),
        ("a:\n  Null : b\n", null, "Null : b"),
        ("a:\n  !!null ~: b\n", null, "!!null ~: b"),
        ("a: &x ~\n*x: b\n", null, "*x: b"),
        ("a: &x ~\nb: {*x : b}\n", null, "*x : b}"),
        ("a: {? : b}\n", empty, ": b}"),
        ("a: &x\n*x: b\n", empty, "*x: b"),
        ("a:\n  ?\n  : b\n", empty, ""),
        ("a:\n  : b\n", missing, ": b"),
        ("a:\n  ? : b\n", missing, ": b"),
        ("a: {: b}\n", missing, ": b}"),
        ("a: [: b]\n", missing, ": b]"),
        ("a:\n  ? [b]\n  : c\n", list, "[b]"),
        ("a: {[b]: c}\n", list, "[b]: c}"),
        ("a: &x {b: c}\n*x: d\n", map, "*x: d"),
    ] {
        let expected = (ReadProblemKind::Readers, message.to_owned(), line);
        assert_eq!(problem(text), Some(expected), "{text:?}");
    }
    for text in ["a: {\"\": b, !!str ~: c, 'null': d}\n", "? a\n: b\n"] {
        assert_eq!(problem(text), None, "{text:?}");
    }
    // An alias of a number is a number.
    let object = "apiVersion: v1\nkind: A\na: &x 1\nb: {*x : c}\n";
    assert!(problem(object).is_some_and(|it| it.2 == "*x : c}"));
}

proptest::proptest! {
    /// An alias is read alike with and without a blank before the colon, and every position has its text.
    #[test]
    fn aliases_as_keys_are_read_with_and_without_a_blank(
        lines in proptest::collection::vec((0..3_usize, "(- )?(\\*x|[abé]|\\{\\*x)[:][ \n](\\*x|\\{\\*x: [ab]\\}|\\[\\*x, é\\]|[bé]|\\|)?\\}?"), 0..6)
    ) {
        let lines: String = lines
            .iter()
            .map(|(depth, line)| format!("{}{line}\n", " ".repeat(*depth)))
            .collect();
        let tight = format!("k: &x z\n{lines}");
        let loose = tight.replace("*x:", "*x :");
        match (read(&tight), read(&loose)) {
            (Ok(tight_node), Ok(loose_node)) => {
                // In a block, it is a part of the text.
                let loose_json = loose_node.to_json().to_string().replace(" :", ":");
                proptest::prop_assert_eq!(tight_node.to_json().to_string(), loose_json);
                let texts = |node: &Node, text: &str| {
                    let mut texts = Vec::new();
                    written(node, text, &mut texts);
                    texts
                };
                proptest::prop_assert_eq!(
                    texts(&tight_node, &tight),
                    texts(&loose_node, &loose)
                );
            }
            (Err(_), Err(_)) => {}
            _ => proptest::prop_assert!(false, "only one is valid: {tight}"),
        }
    }
}

/// The texts at the positions of all keys and values, without the blanks before colons.
fn written(node: &Node, text: &str, texts: &mut Vec<String>) {
    let at = |span: Option<Span>| {
        let range = span.map(|span| span.range()).unwrap_or_default();
        text.get(range).map(|text| text.replace(" :", ":"))
    };
    texts.extend(at(node.span));
    match &node.kind {
        Kind::List(items) => items.iter().for_each(|item| written(item, text, texts)),
        Kind::Map(map) => {
            for (_, entry) in map.entries() {
                texts.extend(at(entry.key_span));
                written(&entry.value, text, texts);
            }
        }
        _ => {}
    }
}
