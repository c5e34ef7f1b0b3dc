//! Reports about what surrounds the gateways: Flux, CRDs at an upgrade, DNS, Cilium, cert-manager, KEDA, Grafana and
//! Prometheus.

use std::path::Path;
use std::process::Command;

use super::{Case, root, run};
use crate::common::PROGRAM;
use serde_json::Value;

const CASES: &[Case] = &[
    case(
        "reports/27-l2-and-local",
        "network/local-policy",
        "network/local-policy",
    ),
    case(
        "reports/28-one-address-two-services",
        "network/duplicate-address",
        "",
    ),
    case(
        "reports/30-pool-selects-a-label-of-the-gateway",
        "network/pool-selector",
        "",
    ),
    case(
        "reports/32-script-eaten-by-substitution",
        "flux/replaced-in-script",
        "",
    ),
    case(
        "reports/34-scaledobject-before-keda",
        "flux/missing-crds",
        "",
    ),
    case(
        "reports/37-target-annotation-on-a-route",
        "dns/target-on-route",
        "",
    ),
    case(
        "reports/40-podmonitor-in-another-namespace",
        "flux/monitor-elsewhere",
        "",
    ),
    case(
        "reports/41-replicas-fixed-and-scaled",
        "keda/fixed-replicas",
        "config/contradiction",
    ),
    case(
        "reports/42-minimum-above-maximum",
        "keda/minimum-above-maximum",
        "config/contradiction",
    ),
    case(
        "reports/46-dashboard-of-another-namespace",
        "flux/dashboard-elsewhere",
        "",
    ),
    case(
        "reports/55-scaledobject-names-the-hashed-deployment",
        "keda/unknown-deployment",
        "",
    ),
    case(
        "reports/59-gateways-share-an-address",
        "network/duplicate-address",
        "network/duplicate-address",
    ),
    case(
        "reports/62-variable-that-nobody-sets",
        "flux/unset-variable",
        "",
    ),
    case(
        "missed/chart-version-that-never-was",
        "version/unknown-release",
        "",
    ),
    case(
        "missed/spec-addresses-with-pool",
        "network/address-beside-pool",
        "",
    ),
    case("front-door/case-keda0", "", "keda/zero-by-own-metric"),
    case("front-door/case-upgrade", "", "network/local-policy"),
    case("front-door/case-upgrade", "", "keda/shared-metric"),
];

const fn case(folder: &'static str, broken: &'static str, toml: &'static str) -> Case {
    Case {
        folder,
        broken,
        toml,
    }
}

#[test]
fn reports_about_the_platform_are_found() {
    run(CASES);
}

/// The codes of what an upgrade of the manifests or the `cluster.toml` in a folder would break.
fn broken_by_upgrade(folder: &Path, to: &str) -> Vec<String> {
    let mut command = Command::new(PROGRAM);
    command
        .current_dir(folder)
        .args(["upgrade", "--to", to, "--format", "json"]);
    if !folder.join("cluster.toml").is_file() {
        command.arg(".");
    }
    let output = command.output().expect("the program runs");
    let found: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{}: {error}: {output:?}", folder.display()));
    let breaks = found["breaks"].as_array().expect("a list of findings");
    let codes = breaks
        .iter()
        .map(|one| one["code"].as_str().unwrap_or_default().to_owned());
    codes.collect()
}

#[test]
fn an_upgrade_tells_that_crds_stay_old() {
    let Some(root) = root() else {
        eprintln!("skipped: there is no folder ../shared/cases, and GATEWAYCTL_SHARED names none");
        return;
    };
    let case = root.join("reports/36-crds-stay-old-at-upgrade");
    let at = |form: &str, to: &str| broken_by_upgrade(&case.join(form), to);
    assert_eq!(at("broken", "1.8.3"), ["flux/crds-stay-old"]);
    assert_eq!(at("fixed", "1.8.3"), [""; 0]);
    // What is rendered today updates the CRDs.
    assert_eq!(at("toml-broken", "1.8.3"), [""; 0]);
    assert_eq!(at("toml-fixed", "1.8.3"), [""; 0]);
}
