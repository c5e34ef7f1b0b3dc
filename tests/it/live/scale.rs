//! A large number of objects.

use std::time::Instant;

use super::apiserver::Cluster;
use super::life::bootstrap;
use super::talk::{apply, apply_text, run, wanted};
use crate::common::Project;

#[test]
fn a_thousand_objects_are_compared() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let mut many = String::new();
    for at in 0..1000 {
        many.push_str(&format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: map-{at}}}\ndata: {{at: \"{at}\"}}\n"));
    }
    let project = Project::new()
        .minimal("[extra]\nresources = [\"./many.yaml\"]\n")
        .file("kubernetes/apps/network/envoy-gateway/app/many.yaml", many)
        .rendered();
    bootstrap(&project, &cluster).success();
    apply_text(
        &cluster,
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: network}\n",
        "kubectl",
    );
    let objects = wanted(&project, "network");
    apply(&cluster, &objects, "kustomize-controller");
    let start = Instant::now();
    let found = run(&project, &cluster, &["diff", "--against", "cluster"]);
    println!(
        "diff of {} objects: {} ms",
        objects.len(),
        start.elapsed().as_millis()
    );
    found.success().says("no difference");
    assert!(objects.len() > 1000);
}
