use std::path::Path;

use super::*;

/// Whether the text is simple. If so, checks that both parsers give the same tree and the same positions.
fn is_plain(text: &str) -> bool {
    let Some(node) = parse(text, SourceId(0), 7) else {
        return false;
    };
    let other = crate::read::parse_any(text, SourceId(0), 7).map(|node| format!("{node:#?}"));
    assert_eq!(
        Ok(format!("{node:#?}")),
        other.map_err(|it| it.message),
        "{text}"
    );
    true
}

#[test]
fn manifests_are_plain_and_mean_the_same() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let files = ["tests", "snapshots"].map(|folder| walkdir::WalkDir::new(root.join(folder)));
    let (mut all, mut plain) = (0, 0);
    for file in files.into_iter().flatten().filter_map(Result::ok) {
        if file
            .path()
            .extension()
            .is_some_and(|ending| ending == "yaml")
            && let Ok(text) = std::fs::read_to_string(file.path())
        {
            let documents = text.split("\n---\n").filter(|it| it.contains("\nkind: "));
            let documents: Vec<bool> = documents.map(is_plain).collect();
            all += documents.len();
            plain += documents.iter().filter(|is_plain| **is_plain).count();
        }
    }
    assert!(all > 50 && plain * 10 > all * 8, "{plain} of {all}");
}

#[test]
fn scalars_are_plain_only_where_no_second_look_is_needed() {
    for scalar in [
        "text",
        "on-off",
        "0",
        "80",
        "-1",
        "10.0.6.0/24",
        "10.10.30.26",
        "15m",
        "2Gi",
        "50%",
        "true",
        "null",
        "~",
        "",
        "\"1\"",
        "'on'",
        "[]",
        "{}",
        "|\n  a\n  b",
        ">\n  a\n  b",
        "${A}",
        "[a, {b: c}]",
        "v1.9.0",
        "a b # c",
        "é: é",
        "_1",
        "&a b",
        "&a",
        "&a 1",
        "&a-b_0 \"c\"",
    ] {
        assert!(
            is_plain(&format!("a: {scalar}\nb: c\n")) || scalar.contains(": é"),
            "{scalar}"
        );
    }
    for scalar in [
        "on",
        "Yes",
        "n",
        "NULL",
        "010",
        "0x1F",
        "0o7",
        "1_000",
        "12:30",
        "1.0",
        ".5",
        "1e3",
        "+1",
        ".inf",
        ".nan",
        "2026-01-01",
        "-",
        "1d",
        "!!str 1",
        "&a !!str b",
        "&a: b",
        "&a, b",
        "*a",
        "=",
        "<<",
        "99999999999999999999",
        "-0",
        "\u{a0}1",
    ] {
        assert!(!is_plain(&format!("a: {scalar}\n")), "{scalar}");
    }
}

#[test]
fn documents_beyond_the_simple_subset_are_left_to_the_full_parser() {
    for text in [
        "a: &x {b: 1}\nc: *x\n",
        "a: &x b\n*x : c\n",
        "a: &x b\n&y c: d\n",
        "a: &x b\nc: *x:\n",
        "a: &x b\nc: [*x, *x]\n",
        "a: *x\nb: &x c\n",
        "a: {b: 1}\n<<: {c: 1}\n",
        "a: 1\na: 2\n",
        "on: 1\n",
        "80: 1\n",
        "? [a]\n: b\n",
        "%YAML 1.1\n---\na: b\n",
        "a: [\n",
        "- a\n",
        "a",
        "",
        "a: b\n...\n---\nc: d\n",
    ] {
        assert!(!is_plain(text), "{text}");
    }
    let deep = format!("a: {}{}\n", "[".repeat(60), "]".repeat(60));
    assert!(!is_plain(&deep));
}

#[test]
fn a_list_below_its_key_is_where_its_first_item_is() {
    for item in [
        "a",
        "[b]",
        "{b: c}",
        "b: c",
        "'b'",
        "|\n  b",
        "- b",
        "- - b",
        "b: c\n  d:\n  - e\n  - f: g",
    ] {
        assert!(is_plain(&format!("a:\n- {item}\n- b\nc: d\n")), "{item}");
    }
}

#[test]
fn aliases_of_short_scalars_are_simple() {
    for text in [
        "a: &x b\nc: *x\n",
        "a: &x b\nc: *x # why\nd: [ *x ]\ne:\n- *x\n- &x 2\n- *x\nf: g\n",
        "a: &x\nb: *x\n",
        "a: &x |\n  b\nc: *x\n",
        "a: &x\n  b\nc: *x",
    ] {
        assert!(is_plain(text), "{text}");
    }
    let long = "b".repeat(LONGEST_NAMED + 1);
    assert!(!is_plain(&format!("a: &x {long}\nc: *x\n")));
}

proptest::proptest! {
    /// The same for texts with anchors and aliases.
    #[test]
    fn both_parsers_read_aliases_alike(
        lines in proptest::collection::vec((0..2_usize, "(- )?[ab]: ?[&*][xy][:,]?( [-a1~'\"|>:,#&*x{}\\[\\]]{0,4})?"), 0..8)
    ) {
        let lines = lines.iter().map(|(depth, line)| format!("{}{line}\n", " ".repeat(*depth)));
        is_plain(&lines.collect::<String>());
    }

    /// Every text is either not simple, or both parsers give the same tree.
    #[test]
    fn both_parsers_return_the_same_tree(
        lines in proptest::collection::vec((0..4_usize, "(- )?([a-z~<0]{1,2}:( |\n-? ?)?)?[-+.0-9a-foxyn_:~%#'\"\\[\\]{}|>&*!, ]{0,6}[\t\r\u{a0}\u{2028}]?[-a:#?'\" ]{0,2}"), 0..8)
    ) {
        let lines = lines.iter().map(|(depth, line)| format!("{}{line}\n", " ".repeat(*depth)));
        is_plain(&lines.collect::<String>());
    }

    /// The same for single scalars, of which more are simple.
    #[test]
    fn both_parsers_read_scalars_alike(scalar in "[-+.0-9a-fA-FoxXyYnNiItTuUlLsSrRhm_:~%/$ ]{0,7}") {
        is_plain(&format!("a: {scalar}\n"));
    }
}
