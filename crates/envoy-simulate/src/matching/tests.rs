use super::*;
use serde_json::{Value, json};

fn one(node: Value) -> Match {
    of_http(Some(&Node::from_json(node)))
}

fn path(how: &str, value: &str) -> Value {
    json!({"path": {"type": how, "value": value}})
}

#[test]
fn hosts_fit() {
    for (pattern, name, want) in [
        ("*", "a.example.com", MatchResult::Yes),
        ("A.example.com", "a.example.com", MatchResult::Yes),
        ("*.example.com", "a.b.example.com", MatchResult::Yes),
        ("*.example.com", "example.com", MatchResult::No),
        ("a.${DOMAIN}", "a.example.com", MatchResult::Maybe),
        ("a.${DOMAIN}", "b.example.com", MatchResult::No),
        ("a.${DOMAIN}", "a.${DOMAIN}", MatchResult::Yes),
        ("*.${DOMAIN}", "a.${DOMAIN}", MatchResult::Yes),
        ("*.${DOMAIN}", "a.example.com", MatchResult::Maybe),
    ] {
        assert_eq!(host(pattern, name), want, "{pattern} {name}");
    }
}

#[test]
fn matches_fit() {
    let mut request = Request::get("https://a.example.com/api/v2?x=1&y=a%20b").expect("a URL");
    request.add_header("X-A: 1").expect("a header");
    for (node, want) in [
        (json!({}), MatchResult::Yes),
        (path("PathPrefix", "/api"), MatchResult::Yes),
        (path("PathPrefix", "/api/"), MatchResult::Yes),
        (path("PathPrefix", "/ap"), MatchResult::No),
        (path("Exact", "/api/v2"), MatchResult::Yes),
        (path("Exact", "/api"), MatchResult::No),
        (path("RegularExpression", "/api/v[0-9]"), MatchResult::Yes),
        (path("RegularExpression", "/api"), MatchResult::No),
        (path("RegularExpression", "/api("), MatchResult::No),
        (path("PathPrefix", "/${P}"), MatchResult::Maybe),
        (json!({"method": "GET"}), MatchResult::Yes),
        (json!({"method": "POST"}), MatchResult::No),
        (
            json!({"headers": [{"name": "x-a", "value": "1"}]}),
            MatchResult::Yes,
        ),
        (
            json!({"headers": [{"name": "x-b", "value": "1"}]}),
            MatchResult::No,
        ),
        (
            json!({"headers": [{"name": "X-A", "type": "RegularExpression", "value": "[0-9]"}]}),
            MatchResult::Yes,
        ),
        (
            json!({"queryParams": [{"name": "y", "value": "a b"}]}),
            MatchResult::Yes,
        ),
        (
            json!({"queryParams": [{"name": "z", "value": ""}]}),
            MatchResult::No,
        ),
    ] {
        assert_eq!(one(node.clone()).fit(&request), want, "{node}");
    }
}

#[test]
fn the_first_of_two_is_the_one_that_envoy_gateway_puts_first() {
    let header = |name: &str, how: &str| json!([{"name": name, "type": how, "value": "1"}]);
    let rows = [
        (
            path("Exact", "/a"),
            path("PathPrefix", "/a/b/c"),
            "an exact path comes first",
        ),
        (
            path("Exact", "/a"),
            path("RegularExpression", "/a/b/c"),
            "an exact path comes first",
        ),
        (
            path("RegularExpression", "/.*"),
            path("PathPrefix", "/a/b/c"),
            "a regular expression comes before a prefix",
        ),
        (
            path("PathPrefix", "/a/b"),
            path("PathPrefix", "/a"),
            "its path is longer",
        ),
        (
            json!({"method": "GET"}),
            json!({}),
            "it requires more headers",
        ),
        (
            json!({"headers": header("a", "Exact")}),
            json!({"queryParams": header("a", "Exact")}),
            "it requires more headers",
        ),
        (
            json!({"headers": header("a", "Exact")}),
            json!({"headers": header("a", "RegularExpression")}),
            "it requires more exact headers",
        ),
        (
            json!({"queryParams": header("a", "Exact")}),
            json!({}),
            "it requires more query parameters",
        ),
    ];
    for (first, second, reason) in rows {
        let a = one(first.clone()).rank();
        let b = one(second.clone()).rank();
        assert!(a > b, "{first} {second}");
        assert_eq!(a.reason_over(&b), reason, "{first} {second}");
    }
}

#[test]
fn methods_of_grpc_are_paths() {
    let fit = |method: Value, path: &str| {
        let request = Request::get(&format!("grpcs://a.example.com{path}")).expect("a URL");
        of_grpc(Some(&Node::from_json(json!({"method": method})))).fit(&request)
    };
    assert_eq!(
        fit(json!({"service": "a.B", "method": "C"}), "/a.B/C"),
        MatchResult::Yes
    );
    assert_eq!(fit(json!({"service": "a.B"}), "/a.B/D"), MatchResult::Yes);
    assert_eq!(fit(json!({"method": "C"}), "/x.Y/C"), MatchResult::Yes);
    assert_eq!(fit(json!({"method": "C"}), "/x.Y/D"), MatchResult::No);
    let regular = json!({"type": "RegularExpression", "service": "a\\..*"});
    assert_eq!(fit(regular, "/a.B/C"), MatchResult::Yes);
}
