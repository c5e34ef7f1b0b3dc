//! `validate --format evidence`: what a program that reviews changes can rely on.
#![cfg(unix)]

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::common::{Project, REFERENCE, Run};

const EVIDENCE: [&str; 3] = ["validate", "--format", "evidence"];

fn record(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"))
}

fn extension(record: &Value) -> &Value {
    &record["predicate"]["gatewayctl"]
}

#[test]
fn the_digest_is_that_of_the_files_on_disk() {
    let project = Project::new().config(REFERENCE).rendered();
    let project = project.file(
        "apps/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
    );
    let statement = record(&project.run(EVIDENCE).success());
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["predicate"]["result"], "PASSED");
    // What was judged is cluster.toml with what it renders and the manifests beside it, in the order of their names.
    let sums = project.shell(
        "find cluster.toml kubernetes bootstrap -type f ! -name '*.lock' ! -name '*.lock.*' ! -name '.*' 2>/dev/null | LC_ALL=C sort | xargs sha256sum",
    );
    let sums = sums.success().stdout;
    project.write("sums", &sums);
    let whole = project.shell("sha256sum < sums | cut -d' ' -f1").success();
    assert_eq!(
        statement["subject"][0]["digest"]["dirHash"],
        whole.stdout.trim(),
        "{sums}"
    );
    let config = sums.lines().find(|line| line.ends_with("  cluster.toml"));
    let digest = config.and_then(|line| line.split(' ').next());
    let configuration = &statement["predicate"]["configuration"];
    assert_eq!(
        configuration[1],
        json!({"name": "cluster.toml", "digest": {"sha256": digest}})
    );
    let against = configuration.to_string();
    assert!(
        against.contains("pkg:generic/envoy-gateway@1.9.0"),
        "{against}"
    );
    // The same files give the same record, and another file another one.
    assert_eq!(statement, record(&project.run(EVIDENCE)));
    let envoy = "kubernetes/apps/network/envoy-gateway/app/envoy.yaml";
    assert!(sums.contains(envoy), "{sums}");
    project.edit("cluster.toml", "10.10.30.26", "10.10.30.27");
    let other = record(&project.run(EVIDENCE).success());
    assert_ne!(statement["subject"], other["subject"]);
}

const ROUTE: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: wiki, namespace: docs}
spec:
  parentRefs: [{name: envoy-external, namespace: network, sectionName: web}]
  hostnames: [wiki.example.com]
  rules: [{backendRefs: [{name: wiki, port: 80}]}]
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: a, namespace: docs}
";

#[test]
fn each_finding_can_be_cited_and_what_was_not_judged_is_named() {
    let project = Project::new().config(REFERENCE).rendered();
    let project = project.file("kubernetes/apps/docs/wiki.yaml", ROUTE);
    let statement = record(&project.run(EVIDENCE).code(1));
    let predicate = &statement["predicate"];
    assert_eq!(predicate["result"], "FAILED");
    assert_eq!(predicate["failedTests"], json!(["attachment/no-listener"]));
    let evidence = extension(&statement);
    assert_eq!(evidence["schema"], "gatewayctl/evidence/v1");
    let findings = evidence["findings"].as_array().expect("a list");
    let finding = findings
        .iter()
        .find(|it| it["code"] == "attachment/no-listener")
        .expect("the finding");
    assert_eq!(
        finding["excerpt"],
        "  parentRefs: [{name: envoy-external, namespace: network, sectionName: web}]"
    );
    let sum = project.shell("sha256sum kubernetes/apps/docs/wiki.yaml | cut -d' ' -f1");
    assert_eq!(finding["sha256"], sum.success().stdout.trim());
    let not_judged = evidence["not_judged"].as_array().expect("a list");
    let beside = not_judged.iter().find(|it| it["what"] == "objects");
    let beside = beside.expect("what is beside cluster.toml");
    assert_eq!(beside["count"], 2, "{beside}");
    let why = beside["why"].as_str().unwrap_or_default();
    assert!(why.contains("not each against its schema"), "{why}");
    assert_eq!(evidence["exposure"][0]["internal"], 2, "{evidence:#}");
    // What the options leave out is counted, and the options are told.
    let run = project.run(EVIDENCE.into_iter().chain(["--ignore", "attachment"]));
    let statement = record(&run.success());
    let evidence = extension(&statement);
    assert_eq!(evidence["options"], json!(["--ignore=attachment"]));
    let ignored =
        json!({"what": "findings", "count": 1, "why": "--select or --ignore leaves them out"});
    let not_judged = evidence["not_judged"].as_array().expect("a list");
    assert!(not_judged.contains(&ignored), "{not_judged:?}");
    assert_eq!(statement["predicate"]["result"], "PASSED");
    let folder = EVIDENCE.into_iter().chain(["kubernetes/apps/docs"]);
    let statement = record(&project.run(folder).success());
    let evidence = extension(&statement);
    assert_eq!(evidence["options"], json!(["kubernetes/apps/docs"]));
    let why = "no schema describes example.com/v1 Widget";
    let widget = json!({"what": "objects", "count": 1, "why": why});
    let not_judged = evidence["not_judged"].as_array().expect("a list");
    assert!(not_judged.contains(&widget), "{not_judged:?}");
}

/// A description with errors renders nothing, so nobody knows what it exposes.
#[test]
fn what_is_not_known_is_no_verdict() {
    let project = Project::new().minimal("[gateways.a]\naddres = \"10.10.30.26\"\n");
    let statement = record(&project.run(EVIDENCE).code(1));
    let evidence = extension(&statement);
    assert_eq!(evidence["exposure"], json!([]));
    let not_judged = evidence["not_judged"].as_array().expect("a list");
    let what: BTreeSet<&str> = not_judged
        .iter()
        .filter_map(|it| it["what"].as_str())
        .collect();
    assert!(what.contains("exposure"), "{not_judged:?}");
    // Standard input is gone when it was read.
    let run = project.run_with(EVIDENCE.into_iter().chain(["-"]), ROUTE.as_bytes());
    let statement = record(&run);
    let not_judged = extension(&statement)["not_judged"].to_string();
    assert!(
        not_judged.contains("standard input can be read only once"),
        "{not_judged}"
    );
}
