//! One mistake is one finding.

use crate::common::{MINIMAL, Project};
use serde_json::Value;

/// The errors and warnings of a `cluster.toml` with these tables.
fn codes(tables: &str) -> Vec<String> {
    let run = Project::new()
        .config(format!("{MINIMAL}\n{tables}"))
        .run(["validate", "--format", "json"]);
    let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let all = report["diagnostics"].as_array().expect("a list");
    let counted = all.iter().filter(|one| one["severity"] != "note");
    let code = |one: &Value| one["code"].as_str().unwrap_or_default().to_owned();
    counted.map(code).collect()
}

const SCALED: &str = "[autoscaling]
min = 1
max = 3
[autoscaling.prometheus]
server = 'http://p:9090'
query = 'sum(x{gateway=\"{gateway}\"})'
";

#[test]
fn a_number_is_taken_where_a_string_can_only_be_that_number() {
    assert_eq!(codes(&format!("{SCALED}threshold = 200")), [""; 0]);
    assert_eq!(codes("[client_traffic]\ntls.min_version = 1.3"), [""; 0]);
    assert_eq!(
        codes("[gateways.envoy-external.annotations]\n'example.com/proxied' = true"),
        [""; 0]
    );
    // Seconds or minutes may be meant.
    assert_eq!(
        codes("[client_traffic]\ntimeouts.idle = 30"),
        ["config/wrong-type"]
    );
}

#[test]
fn a_value_of_the_wrong_type_is_not_missing_too() {
    assert_eq!(
        codes(&format!("{SCALED}threshold = true")),
        ["config/wrong-type"]
    );
}

#[test]
fn a_daemon_set_that_is_scaled_is_one_mistake() {
    let scaled = format!("[proxy]\nkind = 'DaemonSet'\n{SCALED}threshold = 200");
    assert_eq!(codes(&scaled), ["config/contradiction"]);
}

#[test]
fn an_unknown_key_is_one_mistake() {
    for table in [
        "[ssh]\nbackend = {name = 'a', port = 22}\nnamespace = 'a'",
        "[client_traffic]",
    ] {
        assert_eq!(
            codes(&format!("{table}\ntls_passthrough = true")),
            ["config/unknown-key"]
        );
    }
}
