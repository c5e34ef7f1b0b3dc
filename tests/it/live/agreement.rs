//! Sends the recorded cases of another API server to this one, and lists where it and `validate` differ.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crd_validate::schema::{Catalogue, Lookup, Selection};
use crd_validate::{Passes, kind};
use gatewayctl::cluster::error::Error;
use gatewayctl::cluster::verdict::{Verdict, verdicts};
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::value::Node;
use serde_json::Value as Json;

use super::apiserver::Cluster;
use super::life::definitions;
use super::talk::{apply_text, run, with};
use crate::common::Project;

/// The channel that `experimental` stands for in the paths of [`definitions`].
const EXPERIMENTAL: &str = "experimental";

/// The sets of cases on which every verdict agrees. The server is asked about each case again. `tests/it/oracle.rs`
/// compares all sets, including those with differences, with the recorded answers.
const AGREED: &[&str] = &[
    "apply-mutated-gateway.jsonl",
    "apply-mutated-real-documents.jsonl",
    "apply-scratch.jsonl",
    "envoy-gateway-v1.9.0.jsonl",
    "gateway-api-v1.6.1-experimental.jsonl",
    "gateway-api-v1.6.1-standard.jsonl",
    "mutated-gateway-v1.6.1-envoy-v1.9.0.jsonl",
    "mutated-real-documents.jsonl",
    "real-documents.jsonl",
];

fn cases(channel: &str) -> Option<Vec<(String, Vec<Object>)>> {
    let shared = std::env::var_os("GATEWAYCTL_SHARED").map(PathBuf::from);
    let folder = shared
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"))
        .join("oracle");
    if !folder.is_dir() {
        println!("skipped: no {}", folder.display());
        return None;
    }
    let files = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|it| it.expect("a file").path());
    let mut files: Vec<PathBuf> = files
        .filter(|it| it.extension().is_some_and(|it| it == "jsonl"))
        .collect();
    files.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        AGREED.contains(&&*name) && name.contains("standard") == (channel == "standard")
    });
    files.sort();
    Some(
        files
            .iter()
            .map(|path| {
                (
                    path.file_name()
                        .unwrap_or_default()
                        .to_string_lossy()
                        .into_owned(),
                    read(path),
                )
            })
            .collect(),
    )
}

fn read(path: &Path) -> Vec<Object> {
    let text = std::fs::read_to_string(path).expect("cases");
    let object = |line: &str| {
        let mut case: Json = serde_json::from_str(line).expect("a case");
        Object::new(Node::from_json(case["object"].take()), "case")
    };
    text.lines().map(object).collect()
}

pub(super) fn ours(
    passes: &Passes<'_>,
    catalogue: &Catalogue,
    selection: &Selection,
    object: &Object,
) -> Option<Vec<Diagnostic>> {
    let lookup = catalogue.look_up(selection, object.group(), object.version(), object.kind());
    if matches!(lookup, Lookup::KindUnknown { .. }) {
        return None;
    }
    let mut found: Vec<Diagnostic> = kind::check(object, &lookup).into_iter().collect();
    if let Lookup::Known(schema) = lookup {
        found.extend(passes.check(object, &schema));
    }
    found.retain(Diagnostic::is_error);
    Some(found)
}

fn agree_on(channel: &str) {
    let Some(files) = cases(channel) else { return };
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let project = Project::new().minimal("");
    let folders = definitions();
    let folders: Vec<String> = folders
        .iter()
        .map(|it| it.to_string_lossy().replace(EXPERIMENTAL, channel))
        .collect();
    let mut args = vec!["crds", "apply", "--wait", "900"];
    folders
        .iter()
        .for_each(|folder| args.extend(["-f", folder.as_str()]));
    run(&project, &cluster, &args).success();

    let catalogue = Catalogue::embedded();
    let mut selection = Selection::newest(&catalogue);
    for (name, version, channel) in [
        ("gateway-api", "1.6.1", Some(channel)),
        ("envoy-gateway", "1.9.0", None),
        ("keda", "2.20.2", None),
        ("cilium", "1.18.2", None),
        ("cert-manager", "1.21.1", None),
        ("external-dns", "0.22.0", None),
        ("grafana-operator", "5.25.0", None),
        ("helm-controller", "1.6.3", None),
        ("kustomize-controller", "1.10.1", None),
        ("source-controller", "1.10.1", None),
    ] {
        selection
            .declare(&catalogue, name, version, channel, "the test")
            .expect("a version");
    }
    let passes = Passes::new(&catalogue);
    for (name, objects) in files {
        let spaces: BTreeSet<&str> = objects
            .iter()
            .map(Object::namespace)
            .filter(|it| !it.is_empty())
            .collect();
        for space in spaces
            .into_iter()
            .filter(|it| k8s_syntax::names::is_dns_label(it))
        {
            apply_text(
                &cluster,
                &format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: \"{space}\"}}\n"),
                "kubectl",
            );
        }
        let asked = with(&cluster, async |server| {
            verdicts(server, &objects, "default", "test", &|_, _| {}).await
        });
        let asked = asked.expect("verdicts");
        let fatal: Vec<&Error> = asked.failures.iter().filter(|it| it.ends_all()).collect();
        assert!(fatal.is_empty(), "{name}: {fatal:?}");
        let (mut same, mut differ) = (0, Vec::new());
        let mut passed: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, (object, verdict)) in objects.iter().zip(&asked.all).enumerate() {
            let Some(ours) = ours(&passes, &catalogue, &selection, object) else {
                *passed
                    .entry("of a kind that the catalogue doesn't have")
                    .or_default() += 1;
                continue;
            };
            let accepted = match verdict {
                Verdict::Accepted => true,
                Verdict::Refused(_) => false,
                Verdict::NotAsked(why) => {
                    *passed.entry(why).or_default() += 1;
                    continue;
                }
            };
            if accepted == ours.is_empty() {
                same += 1;
            } else {
                let messages: Vec<&str> = ours.iter().map(|it| it.message.as_str()).collect();
                differ.push(format!(
                    "{}: {}: {verdict:?}; ours {messages:?}",
                    at + 1,
                    object.identity()
                ));
            }
        }
        println!(
            "{name}: {same} of {} agree; not compared: {passed:?}",
            same + differ.len()
        );
        differ
            .iter()
            .take(20)
            .for_each(|line| println!("  {line:.600}"));
        assert!(
            differ.is_empty(),
            "{name}: {} verdicts differ",
            differ.len()
        );
        assert!(same > 0, "{name}");
    }
}

#[test]
fn the_server_and_validate_agree_on_the_experimental_channel() {
    agree_on(EXPERIMENTAL);
}

#[test]
fn the_server_and_validate_agree_on_the_standard_channel() {
    agree_on("standard");
}
