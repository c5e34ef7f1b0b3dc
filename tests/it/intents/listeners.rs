//! `gateways.NAME.domains`, `[listener_sets.NAME]`

use super::{file, object};
use crate::common::{APP, Project};

#[test]
fn each_domain_has_listeners_with_its_own_certificate() {
    let tables = "[gateways.envoy-external.domains.\"example.com\"]\n\n[gateways.envoy-external.domains.\"example.net\"]\napex = true\ncertificates = \"net\"\n";
    let gateway = object(tables, "Gateway");
    snapshot!("domains", gateway);
}

#[test]
fn certificates_of_a_gateway_keep_its_own_listener_beside_domains() {
    let listeners = |certificates: &str| {
        let tables = format!(
            "[gateways.envoy-partners]\naddress = \"10.10.30.27\"\n{certificates}domains.\"example.net\" = {{}}\n"
        );
        let envoy = file(&tables, "envoy.yaml");
        let gateway = envoy
            .split("---\n")
            .find(|it| it.contains("kind: Gateway\n") && it.contains("name: envoy-partners"))
            .unwrap_or_default();
        let names = gateway
            .lines()
            .filter_map(|it| it.strip_prefix("    - name: "));
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(listeners(""), ["http", "https-wildcard.example.net"]);
    assert_eq!(
        listeners("certificates = \"partners-tls\"\n"),
        ["http", "https", "https-wildcard.example.net"]
    );
}

#[test]
fn a_team_has_listeners_in_its_own_namespace() {
    let tables = "[listener_sets.shop]\nnamespace = \"shop\"\ngateway = \"envoy-external\"\nhostnames = [\"shop.example.com\", \"*.shop.example.com\"]\ncertificates = \"shop-tls\"\n[listener_sets.shop.listeners.mqtt]\nprotocol = \"TCP\"\nport = 8883\n";
    let project = Project::new().minimal(tables).rendered();
    let set = project.read(&format!("{APP}/../routes-shop/listenerset.yaml"));
    snapshot!("listener_set", set);
    let gateway = project.read(&format!("{APP}/envoy.yaml"));
    let allowed = "  allowedListeners:
    namespaces:
      from: Selector
      selector:
        matchLabels:
          kubernetes.io/metadata.name: shop
";
    assert_eq!(gateway.matches(allowed).count(), 1, "{gateway}");
    let flux = project.read(&format!("{APP}/../ks.yaml"));
    assert!(flux.contains("targetNamespace: shop"), "{flux}");
    // Before Gateway API 1.5, it is an experimental kind.
    let old = "[versions]\ngateway_api = \"1.4.1\"\ngateway_api_channel = \"experimental\"\n";
    let project = Project::new().minimal(&format!("{tables}{old}"));
    project.run(["render"]).success();
    let set = project.read(&format!("{APP}/../routes-shop/listenerset.yaml"));
    assert!(set.contains("kind: XListenerSet"), "{set}");
    let policies = file(
        &format!("{tables}[network_policies]\n"),
        "networkpolicy.yaml",
    );
    assert!(policies.contains("port: 8883"), "{policies}");
}
