use super::*;

#[test]
fn each_variable_is_replaced_by_the_stand_in() {
    let plain = |text| replaced(text, "x");
    assert_eq!(plain("${A/./-}-tls.${B:-${C}}"), "x-tls.x");
    assert_eq!(plain("${}-${"), "${}-${");
    assert_eq!(plain("none"), "none");
    assert_eq!(plain("${A}a\0b${C}"), "xa\0b${C}");
    assert_eq!(plain("${A}${\0${C}"), "x${\0${C}");
}

#[test]
fn escapes_are_handled_like_flux_does() {
    let plain = |text| replaced(text, "x");
    assert_eq!(plain("$${A}"), "${A}");
    assert_eq!(plain("$$${A}"), "$x");
    assert_eq!(plain("$$$${A}-${B}"), "$${A}-x");
    assert_eq!(plain("a$$b$c$"), "a$b$c$");
    // There are no escapes inside a default.
    assert_eq!(plain("${A:-$${B}}c"), "xc");
}

#[test]
fn variables_that_flux_cannot_parse_are_detected() {
    let found = |text| {
        let all = all(text).map(|one| (one.name, one.is_readable));
        all.collect::<Vec<_>>()
    };
    assert_eq!(
        found("a ${A} $${B} ${C:-x} $$${D} ${#E}"),
        [("A", true), ("C", true), ("D", true), ("E", true)]
    );
    assert_eq!(
        found("${A:-a${B/${C}/x}c} ${D}"),
        [("A", true), ("B", true), ("C", true), ("D", true)]
    );
    assert_eq!(found("${A:-${B}"), [("A", false), ("B", true)]);
    assert_eq!(found("${A} ${!} ${B}"), [("A", true), ("", false)]);
    for text in [
        "${}",
        "${ A}",
        "${a[0]}",
        "${#a[@]}",
        "${!A}",
        "${@}",
        "${A@Q}",
        "^x${",
        "${A",
        "${A:}",
        "${A::1}",
        "${A:1:}",
        "${A#}",
        "${A/x}",
        "${A-x}",
        "${A^^^}",
        "${A:-x",
        "${A:é}",
        "${²}",
        "${A:1${B}}",
        "${#A:-x}",
        "${A//}",
        "${A:-x\0}",
    ] {
        assert!(
            found(text).iter().any(|(_, is_readable)| !is_readable),
            "{text}"
        );
        assert!(!is_all(text), "{text}");
    }
}

#[test]
fn variables_are_distinguished_from_other_text() {
    for text in [
        "${A}",
        "${A:=3}",
        "${A/./-}",
        "${_a1}",
        "${A:-${B}}",
        "${1}",
        "${é}",
        "${#A}",
        "${A^}",
        "${A,,}",
        "${A:0:3}",
        "${A: -1}",
        "${A:-}",
        "${A:-a:b}",
        "${A##*/}",
        "${A%.*}",
        "${A=}",
        "${A//\\//-}",
        "${A/#a/}",
    ] {
        assert!(is_all(text) && in_text(text), "{text}");
    }
    for text in ["a${A}", "${A}b", "${A}${B}", "x-${A/./-}-y", "$$${A}"] {
        assert!(!is_all(text) && in_text(text), "{text}");
    }
    for text in ["", "$A", "${", "${}", "$${A}", "{A}", "${A", "$$$${A}"] {
        assert!(!is_all(text) && !in_text(text), "{text}");
    }
}

#[test]
fn positions_refer_to_the_text() {
    let text = "a$$${A:-${B}}é${C}";
    for one in all(text) {
        let whole = &text[one.at..one.end];
        assert!(whole.starts_with("${") && whole.ends_with('}'), "{whole}");
        assert_eq!(one.depth, usize::from(one.name == "B"));
    }
    assert_eq!(all(text).count(), 3);
}

/// Every text is parsed in linear time.
#[test]
fn any_text_is_read_once() {
    for part in [
        "${A", "${A:-", "${A:=${", "$", "$$", "${", "${A/", "${A/$$", "${A}", "${A:1:", "${é",
        "${A#", "${A:-x}$",
    ] {
        let text = part.repeat(200_000);
        // A parser with quadratic time would take hours for these.
        let found = all(&text).count();
        assert!(found <= 200_000, "{part}");
        assert_eq!(in_text(&text), in_text(&part.repeat(3)), "{part}");
        replaced(&text, "x");
        is_all(&text);
    }
}

proptest::proptest! {
    /// A text without escapes and variables is unchanged, and all pieces together cover the whole text.
    #[test]
    fn nothing_is_lost(text in "[${}A:=\\-/#%,^\\\\ é]{0,40}") {
        let read: Vec<_> = all(&text).collect();
        for one in &read {
            let begins = text[one.at..].starts_with("${");
            proptest::prop_assert!(begins && one.at < one.end && one.end <= text.len());
        }
        if read.is_empty() {
            proptest::prop_assert_eq!(replaced(&text, "x"), text.replace("$$", "$"));
        }
        let is_readable = read.iter().all(|one| one.is_readable);
        if is_readable {
            let outermost = read.iter().filter(|one| one.depth == 0).count();
            let marked = replaced(&text, "\u{1}");
            proptest::prop_assert_eq!(marked.matches('\u{1}').count(), outermost);
        }
    }
}
