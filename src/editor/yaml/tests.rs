use super::*;

/// The entries of a text: pointer, key and value.
fn entries(text: &str) -> Vec<String> {
    let of = |range: &Option<Range<usize>>| match range {
        Some(range) => text
            .get(range.clone())
            .expect("a part of the text")
            .to_owned(),
        None => "-".to_owned(),
    };
    let outlines = outlines(text);
    let entries = outlines.iter().flat_map(|outline| &outline.entries);
    entries
        .map(|entry| format!("{} {} {}", entry.pointer, of(&entry.key), of(&entry.value)))
        .collect()
}

#[test]
fn keys_and_values_are_found_by_their_columns() {
    assert_eq!(
        entries(
            "a: 1 # one\nb:\n  - c: 'x: y'\n    d: \"e\"\n  - f\ng:\n- h\n-\n  i: 2\nj: |\n  k: 3\n\n  l\nm: n\n"
        ),
        [
            "/a a 1",
            "/b b -",
            "/b/0/c c 'x: y'",
            "/b/0/d d \"e\"",
            "/b/1 - f",
            "/g g -",
            "/g/0 - h",
            "/g/1 - -",
            "/g/1/i i 2",
            "/j j -",
            "/m m n"
        ]
    );
}

#[test]
fn brackets_and_json_are_read_too() {
    assert_eq!(
        entries("a: {b: c, d: [e, {f: g}], \"h\": \"i\"}\nj: [k,\n  l]\nm: n\n"),
        [
            "/a a -",
            "/a/b b c",
            "/a/d d -",
            "/a/d/0 - e",
            "/a/d/1 - -",
            "/a/d/1/f f g",
            "/a/h \"h\" \"i\"",
            "/j j -",
            "/j/0 - k",
            "/j/1 - l",
            "/m m n"
        ]
    );
    assert_eq!(
        entries("{\n  \"kind\": \"A\",\n  \"b\": [1, null]\n}\n"),
        [
            " - -",
            "/kind \"kind\" \"A\"",
            "/b \"b\" -",
            "/b/0 - 1",
            "/b/1 - null"
        ]
    );
}

#[test]
fn a_broken_line_hides_no_other() {
    let broken = "a: {b: c\nd: [\ne:\n  f: g\n  hi\n : x\nj: \"k\nl: m\n";
    let found = entries(broken);
    for wanted in ["/a/b b c", "/e/f f g", "/l l m"] {
        assert!(found.iter().any(|it| it == wanted), "{wanted}: {found:?}");
    }
}

/// The place of the mark `|` in a text: container, key and word.
fn at_mark(marked: &str) -> Option<String> {
    let at = marked.find('¦').expect("a mark");
    let text = marked.replace('¦', "");
    let cursor = cursor(&text, at)?;
    let word = text.get(cursor.word.clone()).expect("a word");
    Some(format!(
        "{} {} {word}",
        cursor.container,
        cursor.key.unwrap_or("-".to_owned())
    ))
}

#[test]
fn the_place_of_a_cursor_is_known_while_somebody_types() {
    for (marked, place) in [
        ("a:\n  b¦", "/a - b"),
        ("a:\n  ¦\nc: d\n", "/a - "),
        ("a:\n  b: c¦d\n", "/a b cd"),
        ("a:\n  b: ¦\n", "/a b "),
        ("a:\n  - ¦", "/a/0 - "),
        ("a:\n  - b: c\n    ¦", "/a/0 - "),
        ("a:\n  - b: c\n  - d¦", "/a/1 - d"),
        ("a:\n- b: c\n  e: f¦", "/a/0 e f"),
        ("a: {b: c, d¦", "/a - d"),
        ("a: {b: c, d: ¦}", "/a d "),
        ("a: [b, ¦]", "/a/1 - "),
        ("{\n  \"a\": {\n    \"b\": 1,\n    ¦\n  }\n}", "/a - "),
        ("a:\n  b:\n    c: d\n  e¦\n", "/a - e"),
        ("a: 1\n---\nb:\n  c¦", "/b - c"),
        ("¦", " - "),
        ("a: \"x¦y\"", " a \"xy\""),
    ] {
        assert_eq!(at_mark(marked).as_deref(), Some(place), "{marked}");
    }
    for nowhere in ["a: |\n  b¦", "# a¦", "a: b # c¦", "a:¦"] {
        assert_eq!(at_mark(nowhere), None, "{nowhere}");
    }
}

#[test]
fn nothing_that_is_typed_stops_the_reader() {
    let parts = [
        "a", ":", " ", "\n", "- ", "{", "}", "[", "]", ",", "\"", "'", "#", "|", "ä", "---\n",
        "\r\n", "\t",
    ];
    let mut state: usize = 7;
    for _ in 0..3000 {
        let mut text = String::new();
        for _ in 0..12 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            text.push_str(parts[(state >> 33) % parts.len()]);
        }
        for outline in outlines(&text) {
            for entry in outline.entries {
                for range in entry.key.iter().chain(&entry.value) {
                    assert!(text.get(range.clone()).is_some(), "{text:?}");
                }
            }
        }
        for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
            if let Some(cursor) = cursor(&text, at) {
                assert!(text.get(cursor.word.clone()).is_some(), "{text:?} {at}");
            }
        }
    }
}
