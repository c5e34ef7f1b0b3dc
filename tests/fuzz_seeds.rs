//! The inputs that are kept for the fuzz targets, each handed to its target: what a search has found stays mended.

#[path = "../fuzz/src/lib.rs"]
mod entries;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// How much all inputs of one target may weigh together, in bytes: they are read by people, too.
const MOST: usize = 64 << 10;

fn seeds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
}

/// Runs a target on its inputs.
fn run(target: &str) {
    let inputs = files(&seeds().join(target));
    assert!(inputs.len() > 2, "{target} has {} inputs", inputs.len());
    let mut bytes = 0;
    for path in inputs {
        let input = std::fs::read(&path).expect("an input");
        bytes += input.len();
        println!("{}", path.display());
        entries::run(target, &input);
    }
    assert!(bytes <= MOST, "{target}: {bytes} bytes of inputs");
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test] fn $name() { run(stringify!($name)); })*
        /// The targets that are run here.
        const TARGETS: &[&str] = &[$(stringify!($name)),*];
    };
}

targets! { cel cluster_toml crd kubeconfig kustomization lock lua_parse lua_run template variables yaml }

#[test]
fn every_target_is_run_here_and_by_the_search_and_has_inputs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let run_here: BTreeSet<String> = TARGETS.iter().map(|&name| name.to_owned()).collect();
    let known: BTreeSet<String> = entries::TARGETS
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(run_here, known);
    let stems = |folder: &str| -> BTreeSet<String> {
        let stem = |path: &PathBuf| {
            path.file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        };
        files(&root.join(folder)).iter().map(stem).collect()
    };
    assert_eq!(stems("fuzz_targets"), known);
    assert_eq!(stems("seeds"), known);
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("the package");
    for name in known {
        let bin = format!("[[bin]]\nname = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\n");
        assert!(manifest.contains(&bin), "{name}");
        let target = std::fs::read_to_string(root.join(format!("fuzz_targets/{name}.rs")));
        let call = format!("gatewayctl_fuzz::run(\"{name}\", input)");
        assert!(target.expect("a target").contains(&call), "{name}");
    }
}
