//! Changes of who can reach what.
//!
//! A Flux Kustomization that is suspended is not among them: what it has applied stays as it is.

use super::{Case, changed, repository};

const RELEASE: &str = "apps/player/release.yaml";
const WIKI: &str = "apps/wiki/wiki.yaml";
const GATEWAYS: &str = "clusters/home/network/gateways.yaml";
const POLICIES: &str = "clusters/home/network/policies.yaml";

/// Changes of the one cluster `home`, and the start of what is told first.
const CHANGES: &[(Case, &str)] = &[
    (
        Case {
            name: "a route moves to the external gateway",
            change: |it| it.edit(WIKI, "name: envoy-internal", "name: envoy-external"),
        },
        "! moved-external: wiki.example.com now on external network/envoy-external; previously only on network/envoy-internal",
    ),
    (
        Case {
            name: "a route of chart values moves, by the value of a variable",
            change: |it| {
                it.edit(
                    "clusters/home/apps/player.yaml",
                    "GATEWAY: envoy-internal",
                    "GATEWAY: envoy-external",
                );
            },
        },
        "! moved-external: player.example.com now on external network/envoy-external; previously only on network/envoy-internal",
    ),
    (
        Case {
            name: "a route of a component moves, by a variable that replaces a default",
            change: |it| {
                it.edit(
                    "clusters/home/apps/photos.yaml",
                    "APP: photos",
                    "APP: photos, GATEWAY: envoy-external",
                );
            },
        },
        "! moved-external: photos.example.com now on external network/envoy-external; previously only on network/envoy-internal",
    ),
    (
        Case {
            name: "a component moves all of its routes, by another default",
            change: |it| {
                it.edit(
                    "components/route/route.yaml",
                    ":=envoy-internal",
                    ":=envoy-external",
                )
            },
        },
        "! moved-external: photos.example.com now on external network/envoy-external; previously only on network/envoy-internal",
    ),
    (
        Case {
            name: "a patch of the parent's parent moves a route",
            change: |it| {
                it.edit(
                    "clusters/home/apps/wiki.yaml",
                    "  targetNamespace: docs\n",
                    "  targetNamespace: docs
  patches:
    - target: {kind: HTTPRoute, name: wiki}
      patch: |
        - op: replace
          path: /spec/parentRefs/0/name
          value: envoy-external
",
                );
            },
        },
        "! moved-external: wiki.example.com now on external network/envoy-external; previously only on network/envoy-internal",
    ),
    (
        Case {
            name: "a patch that the top puts into every application moves a route",
            change: |it| {
                it.edit(
                    "clusters/home/flux/apps.yaml",
                    "          prune: true\n",
                    "          prune: true
          patches:
            - target: {kind: HTTPRoute, name: wiki}
              patch: |
                - op: replace
                  path: /spec/parentRefs/0/name
                  value: envoy-external
",
                );
            },
        },
        "! moved-external: wiki.example.com now on external network/envoy-external; previously only on network/envoy-internal",
    ),
    (
        Case {
            name: "a second parent also makes a route public",
            change: |it| {
                it.edit(
                    WIKI,
                    "parentRefs: [{name: envoy-internal, namespace: network, sectionName: https}]",
                    "parentRefs: [{name: envoy-internal, namespace: network}, {name: envoy-external, namespace: network}]",
                );
            },
        },
        "! moved-external: wiki.example.com now on external network/envoy-external; previously only on network/envoy-internal",
    ),
    (
        Case {
            name: "a route's own policy replaces the allow list of its gateway",
            change: |it| {
                let text = it.read(WIKI)
                    + "---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: wiki}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: wiki}]
  cors: {allowOrigins: ['https://example.com']}
";
                it.write(WIKI, text);
            },
        },
        "! guard-lost: wiki.example.com no longer guarded by authorization (SecurityPolicy network/home-only), at network/envoy-internal",
    ),
    (
        Case {
            name: "a policy is removed",
            change: |it| {
                it.edit(
                    POLICIES,
                    "kind: Gateway, name: envoy-internal",
                    "kind: Gateway, name: envoy-old",
                )
            },
        },
        "! guard-lost: listener https, listener ops no longer guarded by authorization (SecurityPolicy network/home-only), at network/envoy-internal",
    ),
    (
        Case {
            name: "a file of policies is no longer listed",
            change: |it| {
                it.edit(
                    "clusters/home/network/kustomization.yaml",
                    "  - policies.yaml\n",
                    "",
                )
            },
        },
        "! guard-lost: listener https no longer guarded by rate limit (BackendTrafficPolicy network/limit), at network/envoy-external",
    ),
    (
        Case {
            name: "an allow list is widened",
            change: |it| it.edit(POLICIES, "10.10.30.0/24", "10.0.0.0/8"),
        },
        "! guard-weakened: listener https, listener ops authorization now admits 10.0.0.0/8, previously 10.10.30.0/24, at network/envoy-internal",
    ),
    (
        Case {
            name: "a password is no longer asked for",
            change: |it| {
                it.edit(
                    WIKI,
                    "basicAuth: {users: {name: shop-users}}",
                    "cors: {allowOrigins: ['https://example.com']}",
                )
            },
        },
        "! guard-lost: shop.example.com no longer guarded by basic auth (SecurityPolicy docs/shop), at network/envoy-external",
    ),
    (
        Case {
            name: "more proxies are trusted for the client's address",
            change: |it| it.edit(POLICIES, "10.42.0.0/16", "0.0.0.0/0"),
        },
        "! trust-widened: listener https now trusts 0.0.0.0/0",
    ),
    (
        Case {
            name: "a listener accepts routes of all namespaces",
            change: |it| it.edit(GATEWAYS, "{from: Same}", "{from: All}"),
        },
        "! listener-opened: listener ops now accepts routes from all namespaces, previously from its own namespace, at network/envoy-internal",
    ),
    (
        Case {
            name: "a name is added to the values of a chart",
            change: |it| {
                it.edit(
                    RELEASE,
                    "[\"{{ .Release.Name }}.${DOMAIN}\"]",
                    "[\"{{ .Release.Name }}.${DOMAIN}\", \"music.${DOMAIN}\"]",
                );
            },
        },
        "~ hostname-added: music.example.com new on internal network/envoy-internal",
    ),
    (
        Case {
            name: "the route of an external gateway has another name",
            change: |it| it.edit(WIKI, "shop.example.com", "store.example.com"),
        },
        "! hostname-added: store.example.com new on external network/envoy-external",
    ),
    (
        Case {
            name: "a route leads to another port of its backend",
            change: |it| it.edit(WIKI, "{name: wiki, port: 80}", "{name: wiki, port: 81}"),
        },
        "~ backend-changed: wiki.example.com now leads to docs/wiki:81, at network/envoy-internal; previously to docs/wiki:80",
    ),
    (
        Case {
            name: "the route of a chart leads to another port",
            change: |it| {
                it.edit(
                    RELEASE,
                    "{identifier: app, port: http}",
                    "{identifier: app, port: metrics}",
                )
            },
        },
        "~ backend-changed: player.example.com now leads to media/player:9090, at network/envoy-internal; previously to media/player:8080",
    ),
    (
        Case {
            name: "a gateway is removed",
            change: |it| {
                let text = it.read(GATEWAYS);
                let (_, internal) = text.split_once("---\n").expect("two gateways");
                it.write(GATEWAYS, internal);
            },
        },
        "- hostname-removed: shop.example.com removed from external network/envoy-external",
    ),
    (
        Case {
            name: "a gateway is new",
            change: |it| {
                let text = it.read(GATEWAYS);
                let (external, _) = text.split_once("---\n").expect("two gateways");
                it.write(
                    GATEWAYS,
                    format!(
                        "{text}---\n{}",
                        external.replace("envoy-external", "envoy-guests")
                    ),
                );
            },
        },
        "! gateway-added: network/envoy-guests is a new external gateway",
    ),
    (
        Case {
            name: "a gateway gets a public address",
            change: |it| it.edit(GATEWAYS, "10.10.30.25", "203.0.113.25"),
        },
        "! gateway-external: network/envoy-internal now faces the Internet: its address 203.0.113.25 is public",
    ),
    (
        Case {
            name: "a gateway has another address",
            change: |it| it.edit(GATEWAYS, "10.10.30.26", "10.10.30.27"),
        },
        "~ address-moved: network/envoy-external now requests 10.10.30.27, previously 10.10.30.26",
    ),
    (
        Case {
            name: "the records of a gateway lead elsewhere",
            change: |it| {
                it.edit(
                    GATEWAYS,
                    "target: external.example.com",
                    "target: ext.example.com",
                )
            },
        },
        "~ record-target: shop.example.com now points to ext.example.com",
    ),
    (
        Case {
            name: "a route tells the publisher to ignore it",
            change: |it| {
                it.edit(WIKI, "metadata: {name: shop}\nspec:\n  parentRefs", "metadata: {name: shop, annotations: {external-dns.alpha.kubernetes.io/controller: none}}\nspec:\n  parentRefs");
            },
        },
        "- record-withdrawn: shop.example.com no longer published by Deployment network/public-dns",
    ),
    (
        Case {
            name: "a set adds a listener to the internal gateway",
            change: |it| {
                let text = it.read(WIKI)
                    + "---
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: guests}
spec:
  parentRef: {name: envoy-internal, namespace: network}
  listeners:
    - name: guests
      protocol: HTTP
      port: 8080
      allowedRoutes: {namespaces: {from: All}}
";
                it.write(WIKI, text);
            },
        },
        "~ listener-added: listener docs/guests/guests new at network/envoy-internal: HTTP 8080",
    ),
    (
        Case {
            name: "TLS ends at a listener",
            change: |it| {
                let text = it.read(GATEWAYS);
                let plain = text.replacen("protocol: HTTPS", "protocol: HTTP", 1);
                it.write(
                    GATEWAYS,
                    plain.replacen("      tls: {certificateRefs: [{name: wildcard}]}\n", "", 1),
                );
            },
        },
        "! plain-opened: shop.example.com now answered without TLS, at network/envoy-external",
    ),
    (
        Case {
            name: "an application is no longer listed",
            change: |it| it.edit("clusters/home/apps/kustomization.yaml", ", ./wiki.yaml", ""),
        },
        "- hostname-removed: shop.example.com removed from external network/envoy-external",
    ),
    (
        Case {
            name: "the value of a source of variables changes all names",
            change: |it| {
                it.edit(
                    "clusters/home/flux/apps.yaml",
                    "DOMAIN: example.com",
                    "DOMAIN: ops.example.com",
                )
            },
        },
        "~ hostname-added: photos.ops.example.com, player.ops.example.com new on internal network/envoy-internal",
    ),
    (
        Case {
            name: "the file of an application is deleted",
            change: |it| {
                it.edit("clusters/home/apps/kustomization.yaml", ", ./wiki.yaml", "");
                it.shell("rm clusters/home/apps/wiki.yaml").success();
            },
        },
        "- hostname-removed: shop.example.com removed from external network/envoy-external",
    ),
    (
        Case {
            name: "a path leads to another folder",
            change: |it| {
                it.edit(
                    "clusters/home/apps/wiki.yaml",
                    "path: ./apps/wiki",
                    "path: ./apps/photos",
                )
            },
        },
        "- hostname-removed: shop.example.com removed from external network/envoy-external",
    ),
];

#[test]
fn each_change_is_told_first() {
    let mut wrong = Vec::new();
    for (case, told) in CHANGES {
        let run = changed(&["home"], case);
        let mut lines = run.stdout.lines().map(str::trim);
        let first = lines.find(|line| !line.is_empty() && *line != "exposure");
        if run.code != Some(1) || !first.is_some_and(|first| first.starts_with(told)) {
            wrong.push(format!("{}: want {told:?}\n{run}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn of_two_clusters_only_the_changed_one_is_told() {
    let home = |told: &str| told.replacen(": ", ": cluster home: ", 1);
    let mut wrong = Vec::new();
    for (case, told) in CHANGES {
        // What is in `apps` and `components` is of both clusters.
        let is_shared = |project: &crate::common::Project| {
            let shown = project.shell("git diff --name-only").stdout;
            !shown.contains("clusters/")
        };
        let project = repository(&["home", "lab"]);
        (case.change)(&project);
        let run = project.run(["diff", "--against", "git:HEAD"]);
        let is_of_lab = run.stdout.contains("cluster lab");
        let is_told = run.stdout.contains(&home(told)) && is_of_lab == is_shared(&project);
        if run.code != Some(1) || !is_told {
            wrong.push(format!("{}: want {:?}\n{run}", case.name, home(told)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
