use super::*;

fn entries(text: &str) -> Vec<String> {
    let of = |range: &Option<Range<usize>>| match range {
        Some(range) => text
            .get(range.clone())
            .expect("a part of the text")
            .to_owned(),
        None => "-".to_owned(),
    };
    let entries = outline(text).entries;
    let entries = entries.iter();
    entries
        .map(|entry| format!("{} {} {}", entry.pointer, of(&entry.key), of(&entry.value)))
        .collect()
}

#[test]
fn keys_are_found_below_their_tables() {
    assert_eq!(
        entries(
            "a = 1 # one\n[b.\"c.d\"]\ne.f = \"g\"\nh = { i = 2.5, j = [\"k\", { l = 3 }] }\n[[m]]\nn = 1\n[[m]]\nn = 2\n[m.o]\np = 1\n"
        ),
        [
            "/a a 1",
            "/b b -",
            "/b/c.d \"c.d\" -",
            "/b/c.d/e e -",
            "/b/c.d/e/f f \"g\"",
            "/b/c.d/h h -",
            "/b/c.d/h/i i 2.5",
            "/b/c.d/h/j j -",
            "/b/c.d/h/j/0 - \"k\"",
            "/b/c.d/h/j/1 - -",
            "/b/c.d/h/j/1/l l 3",
            "/m m -",
            "/m/0/n n 1",
            "/m m -",
            "/m/1/n n 2",
            "/m m -",
            "/m/1/o o -",
            "/m/1/o/p p 1",
        ]
    );
}

#[test]
fn a_broken_line_hides_no_other() {
    let found = entries("a\nb =\n= c\nd = { e = 1\n[f]\ng = \"h\ni = 2\n");
    for wanted in ["/a a -", "/d/e e 1", "/f f -", "/f/i i 2"] {
        assert!(found.iter().any(|it| it == wanted), "{wanted}: {found:?}");
    }
}

#[test]
fn the_place_of_a_cursor_is_known_while_somebody_types() {
    for (marked, place) in [
        ("¦", Some(" - ")),
        ("a¦", Some(" - a")),
        ("[a]\n¦", Some("/a - ")),
        ("[a]\nb = 1\nc¦\n[d]\n", Some("/a - c")),
        ("[a]\nb = ¦", Some("/a b ")),
        ("[a]\nb = \"c¦d\"\n", Some("/a b \"cd\"")),
        ("[a]\nb.c¦", Some("/a/b - c")),
        ("[a.¦", Some("/a - ")),
        ("[a.b¦]\n", Some("/a - b")),
        ("[¦]", Some(" - ")),
        ("a = { b = 1, c¦ }", Some("/a - c")),
        ("a = { b = ¦", Some("/a b ")),
        ("a = [\"b\", \"¦\"]", Some("/a/1 - \"\"")),
        ("[[a]]\nb = 1\n[[a]]\nc¦", Some("/a/1 - c")),
        ("# a¦", None),
        ("a = 1 # b¦", None),
    ] {
        let at = marked.find('¦').expect("a mark");
        let text = marked.replace('¦', "");
        let found = cursor(&text, at).map(|cursor| {
            let word = text.get(cursor.word.clone()).expect("a word");
            format!(
                "{} {} {word}",
                cursor.container,
                cursor.key.unwrap_or("-".to_owned())
            )
        });
        assert_eq!(found.as_deref(), place, "{marked}");
    }
}

#[test]
fn nothing_that_is_typed_stops_the_reader() {
    let parts = [
        "a", "=", " ", "\n", ".", "{", "}", "[", "]", ",", "\"", "'''", "#", "1", "ä", "[[", "\r\n",
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
        for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
            if let Some(cursor) = cursor(&text, at) {
                assert!(text.get(cursor.word.clone()).is_some(), "{text:?} {at}");
            }
        }
        outline(&text);
    }
}
