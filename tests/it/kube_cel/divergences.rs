//! Where `kube-cel` differs from cel-go, which the API server uses, and why.

use cel_k8s::Value;

use super::engines::Verdict;

/// One evaluation of a rule of the catalogue, with different verdicts.
pub struct Difference<'a> {
    pub rule: &'a str,
    pub value: &'a Value,
    pub ours: &'a Verdict,
    pub theirs: &'a Verdict,
}

/// An explanation of differences.
pub struct Divergence {
    /// Why the verdicts differ.
    pub why: &'static str,
    /// Whether it explains this difference.
    pub explains: fn(&Difference<'_>) -> bool,
}

/// All differences that occur for rules of the catalogue.
pub const RULES: &[Divergence] = &[
    Divergence {
        // The rules of timeouts. In a schema with a pattern for durations, such a text never gets as far as the rule.
        why: "kube-cel ignores what follows a duration, so that `1sa` is a second",
        explains: |it| {
            it.rule.contains("duration(")
                && it.ours.is_error_with("is not a duration")
                && !it.theirs.is_error()
        },
    },
    Divergence {
        why: "kube-cel's `size` counts the bytes of a string, and not its characters",
        explains: |it| {
            let is_ascii = format!("{:?}", it.value).is_ascii();
            it.rule.contains("size(") && !is_ascii && !it.ours.is_error() && !it.theirs.is_error()
        },
    },
    Divergence {
        // `all` is a chain of `&&` in cel-go, `exists` one of `||`, and `false && error` is false. It only occurs for
        // values without a required field, and the API server evaluates no rules on these.
        why: "an error for one item is an error of `all` and `exists` in kube-cel, even if another item decides",
        explains: |it| {
            let folds = it.rule.contains(".all(") || it.rule.contains(".exists(");
            folds && !it.ours.is_error() && it.theirs.is_error_with("NoSuchKey")
        },
    },
];

/// Expressions that are true for cel-go, and an error or false for `kube-cel`, with the reason. Rules of
/// the catalogue don't depend on most of them today, but the next version of a project, or a CRD of a user, may.
pub const EXPRESSIONS: &[(&str, &str)] = &[
    ("1 == 1.0", "numbers of different types are never equal"),
    ("1 == 1u", "numbers of different types are never equal"),
    ("1 in [1.0]", "numbers of different types are never equal"),
    (
        "{'a': 1} == {'a': 1.0}",
        "numbers of different types are never equal",
    ),
    (
        "size('é') == 1",
        "`size` counts the bytes of a string, and not its characters",
    ),
    (
        "'é'.size() == 1",
        "`size` counts the bytes of a string, and not its characters",
    ),
    ("type(1) == int", "`type` does not exist"),
    ("dyn(1) == 1", "`dyn` does not exist"),
    ("bool('true')", "`bool` does not exist"),
    (
        "{'a': 1}.?a.orValue(0) == 1",
        "optional fields can't be parsed",
    ),
    (
        "{'a': 1}[?'b'].orValue(0) == 0",
        "optional keys can't be parsed",
    ),
    ("[?optional.of(1)] == [1]", "optional items can't be parsed"),
    ("cel.bind(x, 1, x == 1)", "`cel.bind` does not exist"),
    (
        "[1, 2].all(i, v, i < v)",
        "`all` with an index does not exist",
    ),
    (
        "[1, 2].transformList(i, v, v + i) == [1, 3]",
        "`transformList` does not exist",
    ),
    (
        "[{}, {'a': 1}].exists(x, x.a == 1)",
        "an error for one item is not outweighed by another item",
    ),
    (
        "[{}, {'a': 2}].all(x, x.a == 1) == false",
        "an error for one item is not outweighed by another item",
    ),
    (
        "string(duration('1h')) == '3600s'",
        "durations have another form",
    ),
];
