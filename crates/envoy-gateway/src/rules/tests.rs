use super::*;

#[test]
fn patterns_are_those_that_envoy_takes() {
    for good in [
        "a*?b+",
        "[*+]+",
        r"\*+",
        "(a*)*",
        "a{2}",
        "^/api/v[0-9]+(/.*)?$",
    ] {
        assert!(is_pattern(good), "{good}");
    }
    for bad in ["a*+", "*a", "(a", "a**", "[a"] {
        assert!(!is_pattern(bad), "{bad}");
    }
}
