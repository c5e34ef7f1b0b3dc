//! Tests of the output formats.

use super::{file, of_texts, opaque};
use crate::diff::{Diff, diff, json, markdown, terminal};

macro_rules! shown {
    ($name:literal, $text:expr) => {
        insta::with_settings!({
            snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"),
            prepend_module_to_snapshot => true,
            omit_expression => true,
        }, {
            insta::assert_snapshot!($name, $text);
        });
    };
}

const BEFORE: &str = r#"
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: envoy-external
  namespace: network
  annotations:
    lbipam.cilium.io/ips: 10.10.30.26
spec:
  gatewayClassName: envoy
  listeners:
    - {name: http, port: 80, protocol: HTTP}
    - {name: https, port: 443, protocol: HTTPS}
---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TCPRoute
metadata: {name: ssh, namespace: git}
spec:
  parentRefs: [{name: envoy-external, sectionName: ssh}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: lua, namespace: network}
data:
  script.lua: |
    local a = 1
    local b = 2
    return a
---
apiVersion: v1
kind: Secret
metadata: {name: token, namespace: network}
stringData: {token: before}
"#;

const AFTER: &str = r#"
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: envoy-external
  namespace: network
  annotations:
    lbipam.cilium.io/ips: 10.10.30.27
    external-dns.alpha.kubernetes.io/target: a-rather-long-name-that-nobody-would-choose.external.example.com
spec:
  gatewayClassName: envoy
  listeners:
    - {name: https, port: 8443, protocol: HTTPS}
    - {name: http, port: 80, protocol: HTTP}
    - name: ssh
      port: 22
      protocol: TCP
      allowedRoutes: {namespaces: {from: All}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: lua, namespace: network}
data:
  script.lua: |
    local a = 1
    local b = 3
    return a
---
apiVersion: v1
kind: Secret
metadata: {name: token, namespace: network}
stringData: {token: after}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: redirect, namespace: network}
spec: {rules: [{filters: [{type: RequestRedirect}]}]}
"#;

const POLICY: &str = "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: all, namespace: network}
";

fn example() -> Diff {
    let old = [
        file("app/envoy.yaml", BEFORE),
        file("app/policy.yaml", POLICY),
        opaque("app/block.lua", "return 1\n"),
    ];
    let new = [
        file("app/envoy.yaml", AFTER),
        file("config/policy.yaml", POLICY),
        opaque("app/block.lua", "return 2\n"),
    ];
    diff(&old, &new, None)
}

#[test]
fn a_terminal() {
    shown!("terminal", terminal::text(&example(), false));
    assert_eq!(terminal::text(&Diff::default(), false), "no difference\n");
}

#[test]
fn a_terminal_in_colour() {
    shown!(
        "terminal_colour",
        terminal::text(&example(), true).replace('\u{1b}', "␛")
    );
}

#[test]
fn a_comment() {
    shown!("markdown", markdown::markdown(&example()));
    assert_eq!(
        markdown::markdown(&Diff::default()),
        "<!-- gatewayctl diff -->\n### gatewayctl diff: no difference\n"
    );
}

#[test]
fn a_program() {
    let json = serde_json::to_string_pretty(&json::json(&example())).expect("JSON");
    shown!("json", json);
}

/// Text that tries to break out of its context: fences, tags, table cells, mentions, escapes.
const HOSTILE: &str = "kind: ConfigMap
metadata: {name: \"a|b`c</code></summary></details>@team <img src=x> [l](http://example.com)\"}
data:
  x: \"```\\n</details>\\n````````\\n# heading\"
  \"k\\e[31m`|\": \"\\e]0;title\\a\\u202E\"
";

#[test]
fn the_content_of_objects_stays_text() {
    let diff = diff(&[], &[file("a|`b`.yaml", HOSTILE)], None);
    shown!("hostile_markdown", markdown::markdown(&diff));
    shown!("hostile_terminal", terminal::text(&diff, false));
    for text in [markdown::markdown(&diff), terminal::text(&diff, false)] {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text}");
    }
}

#[test]
fn a_comment_is_never_too_long() {
    let object = |name: usize, lines: usize| {
        let line = |line: usize| format!("  k{line}: value of a line that is rather long\n");
        let lines: String = (0..lines).map(line).collect();
        format!("---\nkind: ConfigMap\nmetadata: {{name: n{name}}}\ndata:\n{lines}")
    };
    for (objects, lines) in [(1, 5_000), (20, 200), (3_000, 1), (1_500, 3)] {
        let text: String = (0..objects).map(|name| object(name, lines)).collect();
        let text = markdown::markdown(&diff(&[], &[file("a.yaml", &text)], None));
        assert!(
            text.len() <= markdown::LONGEST,
            "{objects} of {lines}: {}",
            text.len()
        );
        assert!(
            text.contains("left out") || text.contains("This part was cut"),
            "{objects} of {lines}"
        );
        let count = |what: &str| text.matches(what).count();
        assert_eq!(count("<details>"), count("</details>"));
        assert_eq!(count("```") % 2, 0, "every fence is closed");
    }
    let name = "x".repeat(70_000);
    let text = markdown::markdown(&diff(
        &[],
        &[file(
            "a.yaml",
            &format!("kind: A\nmetadata: {{name: {name}}}\n"),
        )],
        None,
    ));
    assert!(
        text.len() <= markdown::LONGEST && text.contains("1 more part left out"),
        "{text}"
    );
}

#[test]
fn a_changed_kind_of_value_is_shown_whole() {
    let text = terminal::text(
        &of_texts(
            "kind: A\nmetadata: {name: a}\nx: {b: [1]}\n",
            "kind: A\nmetadata: {name: a}\nx: true\n",
        ),
        false,
    );
    let want = "a.yaml\n  ~ A a\n      ~ x\n        - b:\n        -   - 1\n        + true\n\n1 object changed (1 field)\n";
    assert_eq!(text, want);
}

#[test]
fn a_last_line_end_can_be_seen() {
    let map = |text: &str| format!("kind: A\nmetadata: {{name: a}}\nx: {text}\n");
    let text = terminal::text(&of_texts(&map("one"), &map("\"one\\n\"")), false);
    assert!(text.contains("~ x  one → \"one\\n\""), "{text}");
    let text = terminal::text(&of_texts(&map("1"), &map("\"1\"")), false);
    assert!(text.contains("~ x  1 → \"1\""), "{text}");
}

#[test]
fn only_scalars_stand_beside_their_path() {
    let map = |text: &str| format!("kind: A\nmetadata: {{name: a}}\n{text}\n");
    let text = terminal::text(&of_texts(&map("x: {}"), &map("x: {y: [1]}\nz: []")), false);
    assert!(
        text.contains("      + x.y\n        + - 1\n      + z  []\n"),
        "{text}"
    );
}
