//! Imports real repositories, and prints figures. They are not part of this project; without them
//! (`GATEWAYCTL_SHARED` names their folder) the tests do nothing.

use std::path::{Path, PathBuf};

use crd_validate::schema::Catalogue;
use gatewayctl::import::files::Files;
use gatewayctl::import::{Failure, Fate, Outcome, import};

use super::{comes_back, imported, is_generated, read};

/// The folder of the repositories.
pub fn shared() -> PathBuf {
    match std::env::var_os("GATEWAYCTL_SHARED") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
    }
}

/// The kinds of which nearly all objects should be generated: those that always belong to the front door, and those
/// that do if they target a gateway.
fn is_counted(outcome: &Outcome, files: &Files) -> bool {
    let object = &outcome.object;
    let text = files.texts.get(&outcome.file).map_or("", String::as_str);
    match object.kind.as_str() {
        "GatewayClass"
        | "Gateway"
        | "EnvoyProxy"
        | "TCPRoute"
        | "HelmRelease"
        | "OCIRepository"
        | "PodMonitor"
        | "ServiceMonitor"
        | "GrafanaDashboard"
        | "Certificate"
        | "ScaledObject"
        | "BackendTrafficPolicy"
        | "ClientTrafficPolicy"
        | "EnvoyExtensionPolicy" => true,
        "Kustomization" => object
            .api_version
            .starts_with("kustomize.toolkit.fluxcd.io/"),
        "SecurityPolicy" => text.contains("kind: Gateway"),
        "HTTPRoute" => object.name.contains("redirect") || text.contains("requestRedirect"),
        _ => false,
    }
}

#[test]
fn real_trees_are_generated_and_nothing_is_lost() {
    let trees = shared().join("trees");
    if !trees.is_dir() {
        println!("skipped: {} is not here", trees.display());
        return;
    }
    let catalogue = Catalogue::embedded();
    let mut names: Vec<PathBuf> = std::fs::read_dir(&trees)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    names.sort();
    println!(
        "{:<46} objects generated kept different  of the kinds      toml  YAML lines",
        ""
    );
    let (mut counted, mut generated) = (0, 0);
    let mut ratios = Vec::new();
    let mut reasons = Vec::new();
    for root in names {
        let name = root
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let files = read(&root);
        let paths = match import(&files, "", &catalogue) {
            Err((Failure::Several(several), _)) => several,
            _ => vec![String::new()],
        };
        for path in paths {
            let first = imported(&files, &path);
            let shown = if path.is_empty() {
                name.clone()
            } else {
                format!("{name}: {path}")
            };
            let shown = shown
                .replace("/apps/networking/envoy-gateway", "")
                .replace("/apps/network/envoy-gateway", "");
            let all: Vec<&Outcome> = first
                .outcomes
                .iter()
                .filter(|one| is_counted(one, &files))
                .collect();
            let made = all.iter().filter(|one| is_generated(&one.fate)).count();
            println!(
                "{shown:<46} {:>7} {:>9} {:>4} {:>9}  {made:>3} of {:>3} {:>4}%  {:>4}  {:>4}",
                first.outcomes.len(),
                first.count(is_generated),
                first.count(|fate| matches!(fate, Fate::Kept(_))),
                first.count(|fate| matches!(fate, Fate::Different(_))) + first.added.len(),
                all.len(),
                made * 100 / all.len().max(1),
                first.config.lines().count(),
                first.lines,
            );
            for one in all.iter().filter(|one| !is_generated(&one.fate)) {
                reasons.push(format!(
                    "  {shown}: {} {}: {:?}",
                    one.object.kind, one.object.name, one.fate
                ));
            }
            for one in first
                .outcomes
                .iter()
                .filter(|one| matches!(one.fate, Fate::Generated { in_full: true }))
            {
                reasons.push(format!(
                    "  {shown}: {} {}: written in full",
                    one.object.kind, one.object.name
                ));
            }
            counted += all.len();
            generated += made;
            ratios.push(first.config.lines().count() * 1000 / first.lines);
            assert!(!first.is_different(), "{shown}");
            let errors: Vec<_> = first
                .compiled
                .diagnostics
                .iter()
                .filter(|one| one.is_error())
                .collect();
            assert!(errors.is_empty(), "{shown} can't be rendered: {errors:#?}");
            comes_back(&shown, &files, &first, &path);
        }
    }
    ratios.sort_unstable();
    let median = ratios[ratios.len() / 2];
    println!(
        "{generated} of {counted} objects of these kinds: {}%; the median cluster.toml has {median} lines for 1000 of YAML",
        generated * 100 / counted
    );
    println!("{}", reasons.join("\n"));
    assert!(generated * 100 >= counted * 95);
    assert!(median < 500);
}

/// What this program renders can be imported, and the result renders the same.
#[test]
fn rendered_trees_come_back() {
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots");
    let mut seen = 0;
    for entry in std::fs::read_dir(snapshots).expect("a folder") {
        let root = entry.expect("an entry").path();
        let files = read(&root);
        if !root.join("kubernetes").is_dir() && !root.join("clusters").is_dir() {
            continue;
        }
        let name = root
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let first = imported(&files, "");
        comes_back(&name, &files, &first, "");
        let different: Vec<&Outcome> = first
            .outcomes
            .iter()
            .filter(|one| matches!(one.fate, Fate::Different(_)))
            .collect();
        assert!(
            !first.is_different(),
            "{name}: {different:#?} {:?}\n{}",
            first.added,
            first.config
        );
        seen += 1;
    }
    assert!(seen >= 5, "{seen}");
}
