//! Checks a small repository of the usual form as a whole: first without any mistakes, then with one mistake of each
//! kind that no schema shows.

use crate::common::Project;

/// The files of the repository, each after a line `# path`.
const REPOSITORY: &str = include_str!("across/repository.yaml");

/// The change that makes a mistake: the file, the existing text, and the new text.
struct Defect {
    name: &'static str,
    changes: &'static [(&'static str, &'static str, &'static str)],
}

const ENVOY: &str = "apps/network/envoy-gateway/app/envoy.yaml";
const RELEASE: &str = "apps/network/envoy-gateway/app/helmrelease.yaml";
const KUSTOMIZATION: &str = "apps/network/envoy-gateway/app/kustomization.yaml";
const POLICIES: &str = "apps/network/envoy-gateway/app/policies.yaml";
const REDIRECT: &str = "apps/network/envoy-gateway/app/redirect.yaml";
const SCALING: &str = "apps/network/envoy-gateway/app/scaling.yaml";
const FLUX: &str = "apps/network/envoy-gateway/ks.yaml";
const CILIUM: &str = "apps/kube-system/cilium/ks.yaml";
const NETWORK: &str = "apps/kube-system/cilium/app/networks.yaml";
const APP: &str = "apps/media/photos/app/helmrelease.yaml";
const ROUTE: &str = "apps/media/wiki/app/httproute.yaml";

const DEFECTS: &[Defect] = &[
    Defect {
        name: "attachment_target",
        changes: &[(
            POLICIES,
            "      name: envoy-internal # guard",
            "      name: envoy-intern",
        )],
    },
    Defect {
        name: "attachment_section",
        changes: &[(
            POLICIES,
            "sectionName: https # backend",
            "sectionName: htps",
        )],
    },
    Defect {
        name: "attachment_selector_label",
        changes: &[(FLUX, "        front: envoy", "        front: other")],
    },
    Defect {
        name: "attachment_selector_reach",
        changes: &[(POLICIES, "  name: client", "  name: envoy-internal")],
    },
    Defect {
        name: "attachment_two_client_policies",
        changes: &[(
            POLICIES,
            "kind: BackendTrafficPolicy # second",
            "kind: ClientTrafficPolicy",
        )],
    },
    Defect {
        name: "attachment_redirect_missing_listener",
        changes: &[(REDIRECT, "sectionName: http # external", "sectionName: web")],
    },
    Defect {
        name: "attachment_redirect_loop",
        changes: &[(
            REDIRECT,
            "sectionName: http # external",
            "sectionName: https",
        )],
    },
    Defect {
        name: "attachment_redirect_everywhere",
        changes: &[(REDIRECT, "      sectionName: http # external\n", "")],
    },
    Defect {
        name: "attachment_no_redirect",
        changes: &[(
            REDIRECT,
            "    - name: envoy-external\n      sectionName: http # external\n",
            "",
        )],
    },
    Defect {
        name: "attachment_chart_gateway",
        changes: &[(APP, "name: envoy-external", "name: external")],
    },
    Defect {
        name: "attachment_chart_section",
        changes: &[(APP, "sectionName: https", "sectionName: http")],
    },
    Defect {
        name: "attachment_chart_hostname",
        changes: &[(
            APP,
            "{{ .Release.Name }}.example.com",
            "{{ .Release.Name }}.example.org",
        )],
    },
    Defect {
        name: "attachment_route_gateway",
        changes: &[(ROUTE, "      namespace: network\n", "")],
    },
    Defect {
        name: "reference_extension",
        changes: &[(RELEASE, "enableLua: true", "enableLua: false")],
    },
    Defect {
        name: "reference_lua",
        changes: &[(
            POLICIES,
            "function envoy_on_request(handle)",
            "function on_request(handle)",
        )],
    },
    Defect {
        name: "reference_script",
        changes: &[(
            POLICIES,
            "    - type: Inline\n      inline: |\n        function envoy_on_request(handle)\n          handle:headers():add(\"x-front\", \"envoy\")\n        end\n",
            "    - type: ValueRef\n      valueRef: {group: v1, kind: ConfigMap, name: scripts}\n",
        )],
    },
    Defect {
        name: "reference_unlisted_file",
        changes: &[(KUSTOMIZATION, "  - ./redirect.yaml\n", "")],
    },
    Defect {
        name: "reference_missing_file",
        changes: &[(KUSTOMIZATION, "./redirect.yaml", "./redirects.yaml")],
    },
    Defect {
        name: "network_address",
        changes: &[(ENVOY, "10.10.30.26", "10.10.40.26")],
    },
    Defect {
        name: "network_same_address",
        changes: &[(ENVOY, "10.10.30.26", "10.10.30.25")],
    },
    Defect {
        name: "network_pools",
        changes: &[(NETWORK, "10.10.31.0/24", "10.10.30.128/25")],
    },
    Defect {
        name: "network_announcement",
        changes: &[(
            NETWORK,
            "matchLabels: {announce: l2}",
            "matchLabels: {announce: bgp}",
        )],
    },
    Defect {
        name: "network_certificate",
        changes: &[(
            ENVOY,
            "      hostname: \"*.example.com\" # external",
            "      hostname: \"*.example.net\"",
        )],
    },
    Defect {
        name: "network_trusted",
        changes: &[(POLICIES, "10.10.10.0/24", "0.0.0.0/0")],
    },
    Defect {
        name: "version_deprecated",
        changes: &[(
            POLICIES,
            "  compressor: [{type: Gzip, gzip: {}}]",
            "  compression: [{type: Gzip, gzip: {}}]",
        )],
    },
    Defect {
        name: "version_older_chart",
        changes: &[(RELEASE, "tag: v1.9.0", "tag: v1.5.9")],
    },
    Defect {
        name: "version_chart_value",
        changes: &[(RELEASE, "enableLua: true", "enableLau: true")],
    },
    Defect {
        name: "flux_dependency",
        changes: &[(FLUX, "- name: cilium", "- name: cillium")],
    },
    Defect {
        name: "flux_circle",
        changes: &[(
            CILIUM,
            "  # end\n",
            "  dependsOn: [{name: envoy-gateway, namespace: network}]\n",
        )],
    },
    Defect {
        name: "flux_variable",
        changes: &[(ROUTE, "wiki.example.com", "wiki.${DOMAIN}")],
    },
    Defect {
        name: "flux_monitor",
        changes: &[(SCALING, "matchNames: [network]", "matchNames: [monitoring]")],
    },
    Defect {
        name: "keda_bounds",
        changes: &[(SCALING, "minReplicaCount: 2", "minReplicaCount: 9")],
    },
    Defect {
        name: "keda_fixed_replicas",
        changes: &[(
            ENVOY,
            "      envoyService:",
            "      envoyDeployment: {replicas: 2}\n      envoyService:",
        )],
    },
    Defect {
        name: "keda_deployment",
        changes: &[(
            SCALING,
            "name: envoy-external # deployment",
            "name: envoy-network-envoy-external-0a1b2c3d",
        )],
    },
];

/// Writes the repository to a folder.
fn repository() -> Project {
    let mut project = Project::new();
    for part in REPOSITORY.split("\n# file: ").skip(1) {
        let (path, text) = part.split_once('\n').expect("a path and a text");
        project = project.file(path, text);
    }
    project
}

#[test]
fn a_repository_without_a_defect_is_silent() {
    let run = repository().run(["validate", "."]).success();
    assert_eq!(
        run.stdout, "ok: 23 files, 34 objects, nothing found\n",
        "{run}"
    );
}

#[test]
fn each_defect_is_told_and_nothing_else() {
    for defect in DEFECTS {
        let project = repository();
        for (file, from, to) in defect.changes {
            project.edit(file, from, to);
        }
        let run = project.run(["validate", "."]);
        snapshot!(defect.name, run.to_string());
    }
}
