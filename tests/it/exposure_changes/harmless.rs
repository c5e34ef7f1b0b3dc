//! Changes that open and close nothing.

use super::{Case, changed, repository};
use crate::common::Project;

const RELEASE: &str = "apps/player/release.yaml";
const WIKI: &str = "apps/wiki/wiki.yaml";
const GATEWAYS: &str = "clusters/home/network/gateways.yaml";
const NETWORK: &str = "clusters/home/network/kustomization.yaml";
const APPS: &str = "clusters/home/apps";

/// Reverses the order of the documents in a file.
fn reverse_documents(project: &Project, file: &str) {
    let text = project.read(file);
    let mut documents: Vec<&str> = text.trim_end().split("\n---\n").collect();
    documents.reverse();
    project.write(file, documents.join("\n---\n") + "\n");
}

fn shell(project: &Project, script: &str) {
    project.shell(script).success();
}

const HARMLESS: &[Case] = &[
    Case {
        name: "a comment",
        change: |it| it.edit(GATEWAYS, "kind: Gateway\n", "# A remark.\nkind: Gateway\n"),
    },
    Case {
        name: "the order of documents",
        change: |it| reverse_documents(it, WIKI),
    },
    Case {
        name: "the order of gateways",
        change: |it| reverse_documents(it, GATEWAYS),
    },
    Case {
        name: "the order of resources",
        change: |it| {
            it.edit(
                &format!("{APPS}/kustomization.yaml"),
                "[./player.yaml, ./wiki.yaml, ./photos.yaml]",
                "[./photos.yaml, ./wiki.yaml, ./player.yaml]",
            )
        },
    },
    Case {
        name: "another spelling of paths",
        change: |it| {
            it.edit(
                &format!("{APPS}/kustomization.yaml"),
                "[./player.yaml, ./wiki.yaml, ./photos.yaml]",
                "[player.yaml, wiki.yaml, photos.yaml]",
            )
        },
    },
    Case {
        name: "a renamed file",
        change: |it| {
            shell(it, "git mv apps/wiki/wiki.yaml apps/wiki/routes.yaml");
            it.edit("apps/wiki/kustomization.yaml", "wiki.yaml", "routes.yaml");
        },
    },
    Case {
        name: "a file in two",
        change: |it| {
            let text = it.read(GATEWAYS);
            let (external, internal) = text.split_once("---\n").expect("two gateways");
            it.write("clusters/home/network/external.yaml", external);
            it.write("clusters/home/network/internal.yaml", internal);
            it.edit(
                NETWORK,
                "  - gateways.yaml\n",
                "  - external.yaml\n  - internal.yaml\n",
            );
            shell(it, &format!("rm {GATEWAYS}"));
        },
    },
    Case {
        name: "a moved folder",
        change: |it| {
            shell(it, "mkdir -p apps/docs && git mv apps/wiki apps/docs/wiki");
            shell(
                it,
                "sed -i 's|./apps/wiki|./apps/docs/wiki|' clusters/*/apps/wiki.yaml",
            );
        },
    },
    Case {
        name: "a moved component",
        change: |it| {
            shell(it, "git mv components/route components/http-route");
            shell(
                it,
                "sed -i 's|components/route|components/http-route|' clusters/*/apps/photos.yaml",
            );
        },
    },
    Case {
        name: "formatting",
        change: |it| {
            it.edit(
                WIKI,
                "  hostnames: [wiki.example.com]\n",
                "  hostnames:\n    - \"wiki.example.com\"\n\n",
            )
        },
    },
    Case {
        name: "replicas of an application",
        change: |it| it.edit(RELEASE, "replicas: 1", "replicas: 3"),
    },
    Case {
        name: "replicas of the proxy",
        change: |it| {
            it.edit(
                "clusters/home/network/proxies.yaml",
                "replicas: 2",
                "replicas: 3",
            )
        },
    },
    Case {
        name: "labels",
        change: |it| {
            it.edit(
                WIKI,
                "metadata: {name: wiki}",
                "metadata: {name: wiki, labels: {app: wiki}}",
            )
        },
    },
    Case {
        name: "labels of everything",
        change: |it| {
            it.edit(
                NETWORK,
                "namespace: network\n",
                "namespace: network\nlabels: [{pairs: {team: ops}}]\n",
            )
        },
    },
    Case {
        name: "the tag of an image",
        change: |it| it.edit(RELEASE, "tag: 1.4.0", "tag: 1.5.0"),
    },
    Case {
        name: "resources",
        change: |it| it.edit(RELEASE, "memory: 1Gi", "memory: 2Gi"),
    },
    Case {
        name: "an interval",
        change: |it| {
            it.edit(
                "clusters/home/flux/apps.yaml",
                "interval: 1h",
                "interval: 30m",
            )
        },
    },
    Case {
        name: "the version of a chart",
        change: |it| it.edit("apps/player/repository.yaml", "tag: 4.6.2", "tag: 4.6.3"),
    },
    Case {
        name: "a container's port that no route uses",
        change: |it| it.edit(RELEASE, "metrics: {port: 9090}", "metrics: {port: 9091}"),
    },
    Case {
        name: "a dependency",
        change: |it| {
            it.edit(
                &format!("{APPS}/wiki.yaml"),
                "  targetNamespace: docs\n",
                "  targetNamespace: docs\n  dependsOn: [{name: player}]\n",
            )
        },
    },
    Case {
        name: "a variable in place of its value",
        change: |it| {
            it.edit(
                RELEASE,
                "metadata: {name: player}",
                "metadata: {name: \"${APP}\"}",
            )
        },
    },
    Case {
        name: "a renamed variable",
        change: |it| {
            shell(
                it,
                "sed -i 's/GATEWAY: /FRONT: /' clusters/*/apps/player.yaml",
            );
            it.edit(RELEASE, "${GATEWAY}", "${FRONT}");
        },
    },
    Case {
        name: "what Flux keeps when it pauses",
        change: |it| {
            it.edit(
                &format!("{APPS}/wiki.yaml"),
                "  targetNamespace: docs\n",
                "  targetNamespace: docs\n  suspend: true\n",
            )
        },
    },
    Case {
        name: "a file that nothing applies",
        change: |it| {
            it.write(
                "apps/wiki/old.yaml",
                it.read(WIKI)
                    .replace("envoy-internal", "envoy-external")
                    .replace("name: wiki", "name: old"),
            )
        },
    },
    Case {
        name: "a text",
        change: |it| it.write("README.md", "# Home\n"),
    },
    Case {
        name: "settings of a policy that guard nothing",
        change: |it| {
            it.edit(
                "clusters/home/network/policies.yaml",
                "minVersion: \"1.3\"",
                "minVersion: \"1.2\"",
            )
        },
    },
];

#[test]
fn harmless_changes_are_no_changes_of_exposure() {
    let mut wrong = Vec::new();
    for clusters in [&["home"][..], &["home", "lab"]] {
        for case in HARMLESS {
            let run = changed(clusters, case);
            let is_told = run.stdout.starts_with("exposure");
            if is_told || !matches!(run.code, Some(0 | 1)) {
                wrong.push(format!("{} {clusters:?}:\n{run}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    repository(&["home"])
        .run(["diff", "--against", "git:HEAD"])
        .success();
}
