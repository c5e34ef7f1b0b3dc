//! The configurations whose rendered trees are stored in `snapshots/`.

use std::path::{Path, PathBuf};

use crd_validate::schema::Catalogue;

/// A configuration, with the name of its folder in `snapshots/`.
pub struct Tree {
    pub name: String,
    pub config: String,
}

/// The version in `tests/configs/envoy-gateway.toml`, which is replaced by each version in the catalogue.
const DECLARED: &str = "version = \"1.9.0\"";

/// `cluster.toml` itself, those in `tests/configs`, and one for every minor version of Envoy Gateway.
pub fn all() -> Vec<Tree> {
    let own = [
        "argocd",
        "kustomize",
        "minimal",
        "one-gateway",
        "per-gateway",
        "three-gateways",
        "two-folders",
    ];
    let own = own.map(|name| (name.to_owned(), read(&format!("tests/configs/{name}.toml"))));
    let reference = ("reference".to_owned(), read("cluster.toml"));
    let every = read("tests/configs/envoy-gateway.toml");
    assert_eq!(every.matches(DECLARED).count(), 1);
    let catalogue = Catalogue::embedded();
    let versions = catalogue.versions("envoy-gateway");
    assert!(!versions.is_empty());
    // What is rendered only changes with minor versions, so the last release of each is enough.
    let is_last = |at: usize| {
        let next = versions.get(at + 1);
        next.is_none_or(|next| next.minor() != versions[at].minor())
    };
    let last = (0..versions.len()).filter(|at| is_last(*at));
    let versions = last.map(|at| versions[at]).map(|version| {
        let declared = format!("version = \"{}\"", version.as_str());
        let name = format!("envoy-gateway-{}", version.as_str());
        (name, every.replace(DECLARED, &declared))
    });
    [reference]
        .into_iter()
        .chain(own)
        .chain(versions)
        .map(|(name, config)| Tree { name, config })
        .collect()
}

/// A path in this package.
pub fn path(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}
