use super::*;
use crate::value::Pointer;

fn read_text(text: &str) -> (Sources, Vec<Document>, Vec<Diagnostic>) {
    let mut sources = Sources::default();
    let id = sources.add("a.yaml", text);
    let (documents, problems) = read(&sources, id);
    (sources, documents, problems)
}

#[test]
fn a_broken_document_does_not_hide_the_others() {
    let (sources, documents, problems) =
        read_text("---\na: 1\n---\nb: [1\nc: d\n--- # third\nd: 2\n---\n");
    assert_eq!(documents.len(), 2);
    assert_eq!(problems.len(), 1);
    let place = sources.locate(problems[0].span.expect("a place"));
    assert!((4..=6).contains(&place.line), "{place:?}");
}

#[test]
fn every_node_knows_its_bytes() {
    let text = "---\nspec:\n  ports:\n    - name: \"é\"\n      port: 80\n";
    let (sources, documents, _) = read_text(text);
    let at = |pointer: &str| {
        let pointer = Pointer::parse(pointer).expect("a pointer");
        let span = documents[0].node.nearest_span(&pointer).expect("a place");
        let place = sources.locate(span);
        (place.line, place.column, text[span.range()].to_owned())
    };
    assert_eq!(at("/spec/ports/0/name"), (4, 13, "\"é\"".to_owned()));
    assert_eq!(at("/spec/ports/0/port"), (5, 13, "80".to_owned()));
    assert_eq!(at("/spec/ports/0/nothing").0, 4);
}

/// What a reader makes of a text, as JSON, or why it refuses the text.
fn as_read_by(reader: Reader, text: &str) -> Result<String, String> {
    let mut sources = Sources::default();
    let id = sources.add("a.yaml", text);
    let documents = read_as(reader, &sources, id).map_err(|problem| problem.message)?;
    let json = documents.iter().map(|it| it.node.to_json().to_string());
    Ok(json.collect::<Vec<_>>().join("\n"))
}

#[test]
fn each_reader_gives_its_own_values_to_scalars() {
    for (text, kustomize, kubectl) in [
        (
            "[on, 'on', y, NO, tRUE]",
            r#"["on","on","y","NO","tRUE"]"#,
            r#"[true,"on",true,false,"tRUE"]"#,
        ),
        (
            "[2026-1-31, 2026-02-30, 2026-01-31T1:2:3Z]",
            r#"["2026-01-31T00:00:00Z","2026-02-30","2026-01-31T1:2:3Z"]"#,
            r#"["2026-1-31","2026-02-30","2026-01-31T1:2:3Z"]"#,
        ),
        (
            "- 2026-01-31T1:2:3.50+01:00",
            r#"["2026-01-31T01:02:03.5+01:00"]"#,
            r#"["2026-01-31T1:2:3.50+01:00"]"#,
        ),
        (
            "a: {b: , c: ~}\nd:",
            r#"{"a":{"b":"","c":null},"d":null}"#,
            r#"{"a":{"b":null,"c":null},"d":null}"#,
        ),
        (
            "- ! \n- ! 12\n- ! '12'",
            r#"[null,12,"12"]"#,
            r#"["","12","12"]"#,
        ),
        (
            "a: {\"<<\": b, c: d}",
            r#"{"a":{"c":"d"}}"#,
            r#"{"a":{"<<":"b","c":"d"}}"#,
        ),
    ] {
        assert_eq!(
            as_read_by(Reader::Kustomize, text),
            Ok(kustomize.to_owned())
        );
        assert_eq!(as_read_by(Reader::Kubectl, text), Ok(kubectl.to_owned()));
    }
    let alike = "[010, 08, 0x1F, 0b11, 0o17, 12:30, ~, 1.0, 1e3, '1', 1_000.5, .5_0, 1_a, '1_0.5', 1e400, !!float 1, \
                     !!binary YQ==, !local a, -0, 18446744073709551615]";
    let read = r#"[8,8,31,3,15,"12:30",null,1,1000,"1",1000.5,0.5,"1_a","1_0.5","1e400",1,"a","a",0,18446744073709551615]"#;
    assert_eq!(as_read_by(Reader::Kustomize, alike), Ok(read.to_owned()));
    assert_eq!(as_read_by(Reader::Kubectl, alike), Ok(read.to_owned()));
}

#[test]
fn each_reader_refuses_and_merges_in_its_own_way() {
    let object = |text: &str| format!("apiVersion: v1\nkind: A\na: {text}\n");
    for (text, kustomize, kubectl) in [
        ("{1: b}", None, Some(r#"{"1":"b"}"#)),
        ("{010: b, .5: c}", None, Some(r#"{"8":"b","0.5":"c"}"#)),
        (
            "{1e6: b, yes: c}",
            None,
            Some(r#"{"1e+06":"b","true":"c"}"#),
        ),
        ("{yes: b, on: c}", Some(r#"{"yes":"b","on":"c"}"#), None),
        ("{~: b}", None, None),
        ("{[b]: c}", None, None),
        ("{b: 1, b: 2}", None, None),
        ("{<<: ~}", None, None),
        ("{<<: {b: 1}, <<: {c: 2}}", None, Some(r#"{"b":1,"c":2}"#)),
        (
            "{<<: [{b: 1}, {b: 2, c: 3}], d: 4}",
            Some(r#"{"d":4,"b":1,"c":3}"#),
            None,
        ),
        ("{b: 1, <<: {b: 2}}", Some(r#"{"b":1}"#), None),
        (r#""\/""#, None, None),
        ("&x [*x]", None, None),
        ("*x", None, None),
        (".inf", None, None),
        (
            "b # \u{2028}\nc: d",
            Some(r#""b","c":"d""#),
            Some(r#""b","c":"d""#),
        ),
    ] {
        let all = |json: &str| format!(r#"{{"apiVersion":"v1","kind":"A","a":{json}}}"#);
        let text = object(text);
        let read = |reader| as_read_by(reader, &text).ok();
        assert_eq!(read(Reader::Kustomize), kustomize.map(all), "{text}");
        assert_eq!(read(Reader::Kubectl), kubectl.map(all), "{text}");
    }
}

#[test]
fn what_kubectl_reads_otherwise_is_a_note() {
    let (sources, documents, _) = read_text(
        "apiVersion: v1\nkind: A\na: yes\nb: [{c: }, 2026-01-31]\non: &x {1a: n}\nd: *x\ne: 'yes'\nf: ! 1\n",
    );
    let notes = documents[0].differences.iter().map(|note| {
        let place = sources.locate(note.span.expect("a place"));
        let (help, code) = (note.help.clone().unwrap_or_default(), note.code);
        format!(
            "{code} {}:{} {}; {help}",
            place.line, place.column, note.message
        )
    });
    assert_eq!(
        notes.collect::<Vec<_>>(),
        [
            "yaml/kubectl-differs 3:4 kustomize and Flux read `yes` as the string \"yes\", kubectl as `true`; \
                 write `true`, or \"yes\" for the string",
            "yaml/kubectl-differs 4:7 kustomize and Flux read this missing value as the string \"\", kubectl as \
                 null; write `null` or `\"\"`, whichever is meant",
            "yaml/kubectl-differs 4:12 kustomize and Flux read `2026-01-31` as the string \
                 \"2026-01-31T00:00:00Z\", kubectl as the string \"2026-01-31\"; put it in quotes, as it is written",
            "yaml/kubectl-differs 5:1 kubectl reads the key `on` as \"true\"; put the key in quotes",
            "yaml/kubectl-differs 5:13 kustomize and Flux read `n` as the string \"n\", kubectl as `false`; \
                 write `false`, or \"n\" for the string",
            "yaml/kubectl-differs 8:6 kustomize and Flux read `1` as `1`, kubectl as the string \"1\"; put it in \
                 quotes, as it is written",
        ]
    );
    for text in [
        "a: yes\n",
        "apiVersion: v1\nkind: A\na: 'yes'\nb: 1_0\nc: &x {d: e}\nf: {<<: *x, d: g}\n",
    ] {
        assert!(read_text(text).1.iter().all(|it| it.differences.is_empty()));
    }
    let mut sources = Sources::default();
    let id = sources.add("a/kustomization.yaml", "apiVersion: v1\nkind: A\na: yes\n");
    let (documents, _) = read(&sources, id);
    assert!(documents[0].differences.is_empty());
    let read = documents[0].node.to_json();
    assert_eq!(
        read["a"], true,
        "kustomize reads its own files as kubectl does"
    );
}

/// The first problem of a text: its line, its column and its message.
fn problem(text: &str) -> Option<(usize, usize, String)> {
    let (sources, _, problems) = read_text(text);
    let problem = problems.first()?;
    assert!(problem.why.is_some() && problem.help.is_some());
    let place = sources.locate(problem.span.expect("a place"));
    Some((place.line, place.column, problem.message.clone()))
}

#[test]
fn invisible_line_ends_are_refused_outside_of_quotes() {
    for end in ["\u{2028}", "\u{2029}", "\u{85}", "\r"] {
        let code = end.chars().map(u32::from).next().unwrap_or_default();
        for (line, column, text) in [
            (2, 13, format!("a:\n  - b: c # x{end}    - b: d\n")),
            (1, 5, format!("a: b{end}c\n")),
            (1, 6, format!("# a b{end}c: d\ne: f\n")),
            (2, 4, format!("a: |\n  b{end}  c\n")),
            (1, 6, format!("a: [b{end}, c]\n")),
            (1, 4, format!("a: {end}  b\n")),
        ] {
            let said = format!(
                "programs read this YAML differently: U+{code:04X}, which ends a line for kustomize but not for other programs"
            );
            assert_eq!(problem(&text).map(|it| it.2), Some(said), "{text:?}");
            assert_eq!(
                problem(&text).map(|it| (it.0, it.1)),
                Some((line, column)),
                "{text:?}"
            );
        }
    }
    // As an escape, or where both kinds of parser agree, it is a normal character.
    assert_eq!(problem("a: \"b\\u2028\\u0085c\"\nd: 'e\u{2028}f'\n"), None);
    assert!(
        problem("a: 'b \u{2028} c'\n").is_some(),
        "blanks around it are kept, or not"
    );
    assert!(
        problem("a: \"b\u{85}c\"\n").is_some(),
        "it is a blank, or itself"
    );
    assert_eq!(problem("a: b\r\nc: d\r\n"), None);
}

#[test]
fn texts_that_parsers_read_differently_are_refused() {
    for text in [
        "a: {b:}\n",
        "a: [{b:}]\n",
        "a:\n-\tb: c\n",
        "a: \"\u{7f}\"\n",
        "a: b\n--- c\nd: e\n",
        "a: b\n---\nc: d\n----\n",
        "a: b\n...\nc: d\n",
        "%YAML 1.2\n---\na: b\n",
        "a: {<<: }\n",
        "apiVersion: v1\nkind: A\na: {1: b}\n",
        "apiVersion: v1\nkind: A\na: \"\\/\"\n",
        "a: !!int b\n",
        "a: \u{feff}b\n\u{feff}c: d\n",
    ] {
        assert!(problem(text).is_some(), "{text:?}");
    }
}

#[test]
fn ordinary_manifests_are_read() {
    for text in [
        "\u{feff}a: b\n",
        "---\n# a\n---\na: b\n",
        "a: |\n  b",
        "a:\n- b\n-\n- c\n",
        "a: b\t# c\n",
        "a: {b: c, d: [e, f], \"g\": \"h\"}\n",
        "{\n\t\"a\": [1, null],\n\t\"b\": {}\n}\n",
        "a: http://b.c/d?e#f\nb: [http://b.c/d]\n",
        "a: &x {b: c}\nd: *x\ne:\n  <<: *x\nf:\n  <<: [*x, {g: h}]\n",
        "a:\n  !!merge <<: {b: c}\napiVersion: v1\nkind: A\n",
        "a: \"\\ud83d\\ude00\"\n",
        "1: b\n",
        "a: b\n...\n",
    ] {
        assert_eq!(problem(text), None, "{text:?}");
    }
    let (_, documents, _) = read_text("a: |\n  b");
    assert_eq!(documents[0].node.to_json().to_string(), r#"{"a":"b"}"#);
}

#[test]
fn bombs_are_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let below = format!("*a{}, ", level - 1).repeat(9);
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    assert_eq!(read_text(&bomb).2.len(), 1);
    let deep = "[".repeat(100_000);
    assert_eq!(read_text(&deep).2.len(), 1);
    let deep = "a:\n".to_owned()
        + &(0..5000)
            .map(|n| " ".repeat(n) + "a:\n")
            .collect::<String>();
    assert_eq!(read_text(&deep).2.len(), 1);
}
