//! Measures how long `gatewayctl` takes: whole processes, as a hook or CI runs them, on the reference `cluster.toml`,
//! on a repository with more than 700 routes, on one file and on ten thousand documents.
//!
//! `cargo bench` prints the median, the fastest run, and the maximum memory of any run. If `kubeconform` is on the
//! PATH, it checks the same file and the same documents, in turn with `validate`. Both run on the same machine at the
//! same time, so the ratio is meaningful even if the times are not. Nothing here passes or fails.
//!
//! `ROUNDS=100 cargo bench` takes more runs.

mod documents;
#[path = "../../tests/it/common/json_schema.rs"]
mod json_schema;
mod process;
mod repository;
mod schemas;

use std::path::Path;
use std::process::Command;

use manifest::diagnostic::Sources;
use manifest::{Object, read};
use process::{Runs, alternate};

/// The file that both programs check: the gateways and their policies.
const ENVOY: &str = "kubernetes/apps/network/envoy-gateway/app/envoy.yaml";

fn main() {
    let rounds = std::env::var("ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok());
    let rounds: usize = rounds.unwrap_or(50);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a folder");
    let tree = folder.path().join("tree");
    let status = gatewayctl(&["render", "--quiet"])
        .arg("-C")
        .arg(root)
        .arg("--out")
        .arg(&tree)
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "the reference can't be rendered"
    );

    // This comes first: a process starts with the peak memory of its parent, which is still small now.
    let mut check = gatewayctl(&["render", "--check"]);
    check.arg("-C").arg(root).arg("--out").arg(&tree);
    let mut validate = gatewayctl(&["validate"]);
    validate.arg("-C").arg(root);
    let [checked, validated] = alternate([&mut check, &mut validate], rounds);
    println!("reference cluster.toml, {rounds} runs each, in turn:");
    println!("  gatewayctl render --check      {checked}");
    println!("  gatewayctl validate            {validated}");

    let large = folder.path().join("large");
    repository::write(&large);
    let rounds_of_many = rounds.div_ceil(5);
    let mut validate = gatewayctl(&["validate"]);
    validate.arg(&large);
    let mut status = gatewayctl(&["status"]);
    status.arg(&large);
    let [validated, told] = alternate([&mut validate, &mut status], rounds_of_many);
    println!(
        "{}, {rounds_of_many} runs each, in turn:",
        repository::title()
    );
    println!("  gatewayctl validate            {validated}");
    println!("  gatewayctl status              {told}");

    let file = tree.join(ENVOY);
    let objects = objects(&file);
    let title = format!(
        "one file of {} documents, {rounds} runs each, in turn",
        objects.len()
    );
    compare(&title, &file, &objects, rounds);
    match documents::read() {
        Some(objects) => {
            let many = folder.path().join("many");
            documents::spread(&objects, &many);
            let rounds = rounds.div_ceil(10);
            let title = format!(
                "{} documents in a folder, {rounds} runs each, in turn",
                documents::DOCUMENTS
            );
            compare(&title, &many, &objects, rounds);
        }
        None => println!("the documents to repeat were not found: no throughput"),
    }
}

/// Compares `validate` and `kubeconform` on `path`, which contains objects of the same kinds as `objects`.
fn compare(title: &str, path: &Path, objects: &[Object], rounds: usize) {
    if Command::new("kubeconform").arg("-v").output().is_err() {
        println!("kubeconform is not on the PATH: no comparison on {title}");
        return;
    }
    let schemas = tempfile::tempdir().expect("a folder");
    schemas::write(objects, schemas.path());
    let mut kubeconform = Command::new("kubeconform");
    kubeconform
        .arg("-schema-location")
        .arg(schemas::location(schemas.path()))
        .arg(path);
    let mut validate = gatewayctl(&["validate"]);
    validate.arg(path);
    let [validated, other] = alternate([&mut validate, &mut kubeconform], rounds);
    println!("{title}; kubeconform gets its schemas from the disk:");
    println!("  gatewayctl validate            {validated}");
    println!("  kubeconform                    {other}");
    println!(
        "  ratio of medians               {:.1}",
        ratio(&other, &validated)
    );
}

/// The objects in a file.
fn objects(file: &Path) -> Vec<Object> {
    let mut sources = Sources::default();
    let id = sources.add("", std::fs::read_to_string(file).expect("a rendered file"));
    let (documents, problems) = read::read(&sources, id);
    assert!(problems.is_empty());
    let object = |document: read::Document| Object::new(document.node, "");
    documents.into_iter().map(object).collect()
}

fn gatewayctl(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatewayctl"));
    command.args(arguments);
    // The working directory is outside of this project, whose schemas/ would be read too.
    command.current_dir(std::env::temp_dir());
    command
}

fn ratio(a: &Runs, b: &Runs) -> f64 {
    a.median().as_secs_f64() / b.median().as_secs_f64()
}
