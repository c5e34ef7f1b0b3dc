//! How long `gatewayctl` takes on the reference `cluster.toml`: whole processes, as a hook or CI runs them.
//!
//! `cargo bench` prints the median, the quickest run, and the most memory of any run. Where `kubeconform` is on the
//! PATH, it checks one of the rendered files in turn with `validate`, which checks all of them: both see the same machine at
//! the same time, so the ratio means something where the times don't. Nothing here passes or fails.
//!
//! `ROUNDS=100 cargo bench` takes more runs.

mod process;
mod schemas;

use std::path::Path;
use std::process::Command;

use process::{Runs, alternate};

/// The file that `kubeconform` is given: the gateways and their policies.
const ENVOY: &str = "kubernetes/apps/network/envoy-gateway/app/envoy.yaml";

fn main() {
    let rounds = std::env::var("ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok());
    let rounds: usize = rounds.unwrap_or(50);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a folder");
    let tree = folder.path().join("tree");
    let status = gatewayctl(root, &["render", "--quiet", "--out"])
        .arg(&tree)
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "the reference can't be rendered"
    );

    // Before anything else: a process starts with the peak memory of the one that made it, and this one still is small.
    let mut check = gatewayctl(root, &["render", "--check", "--out"]);
    check.arg(&tree);
    let mut validate = gatewayctl(root, &["validate"]);
    let [checked, validated] = alternate([&mut check, &mut validate], rounds);
    println!("reference cluster.toml, {rounds} runs each, in turn:");
    println!("  gatewayctl render --check      {checked}");
    println!("  gatewayctl validate            {validated}");

    if Command::new("kubeconform").arg("-v").output().is_err() {
        println!("kubeconform is not on the PATH: no comparison");
        return;
    }
    let documents = schemas::write(root, ENVOY, &folder.path().join("schemas"));
    let mut kubeconform = Command::new("kubeconform");
    let location = folder
        .path()
        .join("schemas/{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json");
    kubeconform
        .arg("-schema-location")
        .arg(location)
        .arg(tree.join(ENVOY));
    let [validated, other] = alternate([&mut validate, &mut kubeconform], rounds);
    println!("in turn with kubeconform, which gets schemas from the disk:");
    println!("  gatewayctl validate            {validated}");
    println!("  kubeconform, {documents:2} documents      {other}");
    println!(
        "  ratio of medians               {:.1}",
        ratio(&other, &validated)
    );
}

fn gatewayctl(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatewayctl"));
    command.arg("-C").arg(root).args(arguments);
    command
}

fn ratio(a: &Runs, b: &Runs) -> f64 {
    a.median().as_secs_f64() / b.median().as_secs_f64()
}
