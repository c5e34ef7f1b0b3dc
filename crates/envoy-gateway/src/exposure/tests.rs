//! Tests of the whole module.

use super::table::{GuardKind, NoRecord};
use super::{Change, Hostname, Side, Table, compare, json, table_of};
use manifest::diagnostic::Sources;
use manifest::{Object, read};

fn objects(text: &str) -> Vec<Object> {
    let mut sources = Sources::default();
    let id = sources.add("a.yaml", text);
    let (documents, problems) = read(&sources, id);
    assert_eq!(problems, []);
    let object = |node| Object::new(node, "a.yaml");
    documents.into_iter().map(|it| object(it.node)).collect()
}

fn table(text: &str) -> Table {
    table_of(objects(text))
}

const TREE: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: envoy-external
  namespace: network
  annotations: {external-dns.alpha.kubernetes.io/target: external.example.com}
spec:
  gatewayClassName: envoy
  infrastructure: {annotations: {lbipam.cilium.io/ips: 10.10.30.26}}
  listeners:
    - {name: http, port: 80, protocol: HTTP}
    - name: https
      port: 443
      protocol: HTTPS
      allowedRoutes: {namespaces: {from: All}}
      tls: {certificateRefs: [{name: example-com-tls}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: envoy-internal, namespace: network}
spec:
  gatewayClassName: envoy
  infrastructure: {annotations: {lbipam.cilium.io/ips: 10.10.30.25}}
  listeners:
    - name: https
      port: 443
      protocol: HTTPS
      allowedRoutes: {namespaces: {from: All}}
      tls: {certificateRefs: [{name: example-com-tls}]}
    - {name: ssh, port: 22, protocol: TCP}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: redirect, namespace: network}
spec:
  parentRefs: [{name: envoy-external, sectionName: http}]
  rules: [{filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: wiki, namespace: apps}
spec:
  parentRefs: [{name: envoy-internal, namespace: network, sectionName: https}]
  hostnames: [wiki.example.com]
  rules: [{backendRefs: [{name: wiki, port: 80}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: blog
  namespace: apps
  labels: {dns: public}
spec:
  parentRefs: [{name: envoy-external, namespace: network, sectionName: https}]
  hostnames: [blog.example.com]
  rules:
    - {name: admin, matches: [{path: {value: /admin}}], backendRefs: [{name: blog, port: 80}]}
    - {backendRefs: [{name: blog, port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {name: ssh, namespace: network}
spec:
  parentRefs: [{name: envoy-internal, sectionName: ssh}]
  rules: [{backendRefs: [{name: git, port: 22}]}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: lan-only, namespace: network}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: envoy-internal}]
  authorization:
    defaultAction: Deny
    rules: [{action: Allow, principal: {clientCIDRs: [10.10.0.0/16]}}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: admin, namespace: apps}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: blog, sectionName: admin}]
  basicAuth: {users: {name: users}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {name: all, namespace: network}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: envoy-external}]
  clientIPDetection: {xForwardedFor: {trustedCIDRs: [10.42.0.0/16]}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: cloudflare-dns, namespace: network}
spec:
  chart: {spec: {chart: external-dns}}
  values:
    provider: cloudflare
    sources: [crd, gateway-httproute]
    domainFilters: [example.com]
    extraArgs: [--gateway-name=envoy-external]
";

fn lines(table: &Table) -> Vec<String> {
    let one = |it: &super::Exposure| {
        let guards: Vec<String> = it
            .guards
            .iter()
            .map(|guard| {
                let part = if guard.is_everywhere { "" } else { " in part" };
                let text = format!("{}{part} {}", guard.kind.as_str(), guard.allows.join(","));
                text.trim_end().to_owned()
            })
            .collect();
        let records: Vec<String> = it
            .records
            .all
            .iter()
            .map(|it| {
                let sure = if it.is_certain { "" } else { "perhaps " };
                format!("{sure}{} -> {}", it.by, it.target.as_deref().unwrap_or("?"))
            })
            .collect();
        let none = it.records.none.map_or("", NoRecord::as_str);
        format!(
            "{} | {} | {} | {}{none} | {}",
            it.hostname,
            it.gateway,
            it.listeners.join(","),
            records.join(","),
            guards.join(",")
        )
    };
    table.exposures.iter().map(one).collect()
}

#[test]
fn each_hostname_is_listed_with_its_publisher_and_its_guards() {
    let table = table(TREE);
    assert_eq!(
        lines(&table),
        [
            "* | network/envoy-external | http | nameless | ",
            "blog.example.com | network/envoy-external | https | HelmRelease network/cloudflare-dns -> external.example.com | basic auth in part",
            "wiki.example.com | network/envoy-internal | https | nobody | authorization 10.10.0.0/16",
            "port 22 (TCP) | network/envoy-internal | ssh | nameless | authorization 10.10.0.0/16",
        ]
    );
    let redirects: Vec<bool> = table.exposures.iter().map(|it| it.is_redirect).collect();
    assert_eq!(redirects, [true, false, false, false]);
    let sides: Vec<Side> = table.gateways.iter().map(|it| it.reach.side).collect();
    assert_eq!(sides, [Side::External, Side::Internal]);
    assert_eq!(table.gateways[0].addresses, ["10.10.30.26"]);
}

#[test]
fn the_json_has_every_key() {
    let text = serde_json::to_string_pretty(&json::json(&table(TREE))).expect("JSON");
    insta::with_settings!({
        snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/../../snapshots"),
        prepend_module_to_snapshot => true,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("json", text);
    });
}

/// The table of the tree after some texts in it are replaced.
fn edited(edits: &[(&str, &str)]) -> Table {
    let mut text = TREE.to_owned();
    for (old, new) in edits {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    }
    table(&text)
}

/// The messages about an edit.
fn messages_after(edits: &[(&str, &str)]) -> Vec<String> {
    messages(&compare(&table(TREE), &edited(edits)))
}

fn messages(changes: &[Change]) -> Vec<String> {
    let one = |it: &Change| {
        format!(
            "{} {}: {}",
            it.direction.as_str(),
            it.kind.as_str(),
            it.message()
        )
    };
    changes.iter().map(one).collect()
}

const WIKI: &str = "parentRefs: [{name: envoy-internal, namespace: network, sectionName: https}]";

#[test]
fn equal_tables_have_no_changes() {
    assert_eq!(messages_after(&[]), [""; 0]);
}

#[test]
fn a_hostname_that_becomes_external_comes_first() {
    assert_eq!(
        messages_after(&[
            (
                WIKI,
                "parentRefs: [{name: envoy-external, namespace: network, sectionName: https}]"
            ),
            ("[blog.example.com]", "[blog.example.com, new.example.com]"),
        ]),
        [
            "wider moved-external: wiki.example.com now on external network/envoy-external; previously only on network/envoy-internal",
            "wider hostname-added: new.example.com new on external network/envoy-external",
        ]
    );
    let back = compare(
        &edited(&[(
            WIKI,
            "parentRefs: [{name: envoy-external, namespace: network, sectionName: https}]",
        )]),
        &table(TREE),
    );
    assert_eq!(
        messages(&back),
        [
            "narrower moved-internal: wiki.example.com now only on internal network/envoy-internal; previously on network/envoy-external"
        ]
    );
}

#[test]
fn a_hostname_at_both_gateways_is_external() {
    let both = "parentRefs: [{name: envoy-internal, namespace: network, sectionName: https}, {name: envoy-external, namespace: network, sectionName: https}]";
    assert_eq!(
        messages_after(&[(WIKI, both)]),
        [
            "wider moved-external: wiki.example.com now on external network/envoy-external; previously only on network/envoy-internal"
        ]
    );
}

#[test]
fn a_listener_that_accepts_more_routes_is_reported() {
    assert_eq!(
        messages_after(&[(
            "{name: ssh, port: 22, protocol: TCP}",
            "{name: ssh, port: 22, protocol: TCP, allowedRoutes: {namespaces: {from: All}}}"
        )]),
        [
            "wider listener-opened: listener ssh now accepts routes from all namespaces, previously from its own namespace, at network/envoy-internal"
        ]
    );
}

#[test]
fn a_lost_guard_is_reported_once_for_the_listeners() {
    assert_eq!(
        messages_after(&[(
            "kind: Gateway, name: envoy-internal}]\n  auth",
            "kind: Gateway, name: other}]\n  auth"
        )]),
        [
            "wider guard-lost: listener https, listener ssh no longer guarded by authorization (SecurityPolicy network/lan-only), at network/envoy-internal"
        ]
    );
}

#[test]
fn a_guard_that_one_hostname_loses_is_reported_for_it() {
    assert_eq!(
        messages_after(&[("  basicAuth: {users: {name: users}}", "  cors: {}")]),
        [
            "wider guard-lost: blog.example.com no longer guarded by basic auth (SecurityPolicy apps/admin), at network/envoy-external"
        ]
    );
}

#[test]
fn a_guard_that_admits_more_clients_is_weaker() {
    assert_eq!(
        messages_after(&[("clientCIDRs: [10.10.0.0/16]", "clientCIDRs: [10.0.0.0/8]")]),
        [
            "wider guard-weakened: listener https, listener ssh authorization now admits 10.0.0.0/8, previously 10.10.0.0/16, at network/envoy-internal"
        ]
    );
    assert_eq!(
        messages_after(&[("clientCIDRs: [10.10.0.0/16]", "clientCIDRs: [0.0.0.0/0]")]),
        [
            "wider guard-lost: listener https, listener ssh no longer guarded by authorization (SecurityPolicy network/lan-only), at network/envoy-internal"
        ]
    );
}

#[test]
fn a_wider_trusted_network_is_reported() {
    assert_eq!(
        messages_after(&[("trustedCIDRs: [10.42.0.0/16]", "trustedCIDRs: [10.0.0.0/8]")]),
        [
            "wider trust-widened: listener http, listener https now trusts 10.0.0.0/8 for client addresses, previously 10.42.0.0/16, at network/envoy-external"
        ]
    );
    assert_eq!(
        messages_after(&[(
            "trustedCIDRs: [10.42.0.0/16]",
            "trustedCIDRs: [10.42.1.0/24]"
        )]),
        [
            "narrower trust-narrowed: listener http, listener https now trusts 10.42.1.0/24 for client addresses, previously 10.42.0.0/16, at network/envoy-external"
        ]
    );
}

#[test]
fn a_published_record_is_reported() {
    assert_eq!(
        messages_after(&[(
            "extraArgs: [--gateway-name=envoy-external]",
            "extraArgs: []"
        )]),
        [
            "wider record-published: wiki.example.com now published by HelmRelease network/cloudflare-dns"
        ]
    );
}

#[test]
fn a_hostname_without_tls_is_reported() {
    assert_eq!(
        messages_after(&[
            (
                "parentRefs: [{name: envoy-external, namespace: network, sectionName: https}]",
                "parentRefs: [{name: envoy-external, namespace: network}]"
            ),
            (
                "- {name: http, port: 80, protocol: HTTP}",
                "- {name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}"
            )
        ]),
        [
            "wider listener-opened: listener http now accepts routes from all namespaces, previously from its own namespace, at network/envoy-external",
            "wider plain-opened: blog.example.com now answered without TLS, at network/envoy-external",
        ]
    );
}

/// The publisher of the blog's record, with `publisher` instead of the tree's own one.
fn published(publisher: &str, edits: &[(&str, &str)]) -> String {
    let (tree, _) = TREE
        .split_once("---\napiVersion: helm")
        .expect("the release is last");
    let mut text = format!("{tree}---\n{publisher}");
    for (old, new) in edits {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    }
    let table = table(&text);
    let name = Hostname::Name("blog.example.com".to_owned());
    let row = table
        .exposures
        .iter()
        .find(|it| it.hostname == name)
        .expect("the blog");
    let record = |it: &super::table::Record| {
        let sure = if it.is_certain { "" } else { "perhaps " };
        format!(
            "{sure}{} ({})",
            it.by,
            it.provider.as_deref().unwrap_or("?")
        )
    };
    let all: Vec<String> = row.records.all.iter().map(record).collect();
    match row.records.none {
        Some(none) => none.as_str().to_owned(),
        None => all.join(", "),
    }
}

#[test]
fn publishers_are_read_as_far_as_they_are_known() {
    let deployment = |args: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: dns, namespace: dns}}\nspec: {{template: {{spec: {{containers: [{{image: 'registry.k8s.io/external-dns/external-dns:v0.20.0', args: [{args}]}}]}}}}}}\n"
        )
    };
    let release = |values: &str| {
        format!(
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {{name: chart}}\nspec: {{url: 'oci://ghcr.io/x/charts/external-dns'}}\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: dns, namespace: dns}}\nspec: {{chartRef: {{kind: OCIRepository, name: chart}}, values: {values}}}\n"
        )
    };
    let routes = "--source=gateway-httproute, --provider=google";
    let rows = [
        (deployment(routes), "Deployment dns/dns (google)"),
        (deployment("--source=service"), "nobody"),
        (deployment(&format!("{routes}, --label-filter=dns in (public)")).replace("dns in (public)", "dns==public"), "Deployment dns/dns (google)"),
        (deployment(&format!("{routes}, --label-filter=dns==private")), "nobody"),
        (deployment(&format!("{routes}, --domain-filter=example.org")), "nobody"),
        (deployment(&format!("{routes}, '--domain-filter=${{DOMAIN}}'")), "perhaps Deployment dns/dns (google)"),
        (deployment(&format!("{routes}, --exclude-domains=blog.example.com")), "nobody"),
        (deployment(&format!("{routes}, --gateway-namespace=other")), "nobody"),
        (deployment(&format!("{routes}, --regex-domain-filter=x")), "perhaps Deployment dns/dns (google)"),
        (release("{provider: {name: webhook, webhook: {image: {repository: ghcr.io/x/external-dns-unifi-webhook}}}, sources: [gateway-httproute]}"), "HelmRelease dns/dns (external-dns-unifi-webhook)"),
        (release("{sources: [gateway-httproute], annotationFilter: 'a=b'}"), "nobody"),
        (release("{sources: [gateway-httproute], extraArgs: {gateway-name: envoy-internal}}"), "nobody"),
        (release("{sources: [gateway-httproute]}, valuesFrom: [{kind: ConfigMap, name: x}]"), "perhaps HelmRelease dns/dns (?)"),
        (
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: lan, namespace: dns}\nspec: {chart: {spec: {chart: k8s-gateway}}, values: {domain: example.com, watchedResources: [HTTPRoute]}}\n".to_owned(),
            "HelmRelease dns/lan (?)",
        ),
        (
            "apiVersion: externaldns.k8s.io/v1alpha1\nkind: DNSEndpoint\nmetadata: {name: by-hand, namespace: dns}\nspec: {endpoints: [{dnsName: blog.example.com, recordType: A, targets: [203.0.113.9]}]}\n".to_owned(),
            "DNSEndpoint dns/by-hand (?)",
        ),
        (String::new(), "unknown"),
    ];
    for (publisher, want) in rows {
        assert_eq!(published(&publisher, &[]), want, "{publisher}");
    }
    let refused = (
        "labels: {dns: public}",
        "annotations: {external-dns.kubernetes.io/controller: none}",
    );
    assert_eq!(published(&deployment(routes), &[refused]), "nobody");
}

#[test]
fn optional_checks_are_not_guards() {
    let kinds = |spec: &str| {
        let table = edited(&[
            ("  basicAuth: {users: {name: users}}", spec),
            (", sectionName: admin}", "}"),
        ]);
        let row = table
            .exposures
            .into_iter()
            .find(|it| it.hostname.to_string() == "blog.example.com");
        row.expect("the blog")
            .guards
            .into_iter()
            .map(|it| it.kind)
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds("  jwt: {providers: [{name: a}]}"), [GuardKind::Jwt]);
    assert_eq!(kinds("  jwt: {optional: true, providers: [{name: a}]}"), []);
    assert_eq!(kinds("  authorization: {defaultAction: Allow}"), []);
    assert_eq!(
        kinds("  authorization: {rules: []}"),
        [GuardKind::Authorization]
    );
    assert_eq!(kinds("  cors: {}"), []);
}
