//! `[network_policies]`

use super::file;
use crate::common::{APP, MINIMAL, Project};

#[test]
fn proxies_are_reached_at_the_ports_of_their_pods() {
    let tables = "[network_policies]
metrics_from = \"observability\"

[client_traffic]
http3 = true

[ssh]
namespace = \"dev\"
gateways = \"envoy-internal\"
backend = { name = \"git\", port = 22 }

[tcp.mqtt]
port = 8883
gateways = \"envoy-internal\"

[gateways.envoy-internal.network_policy]
clients = [\"10.10.0.0/16\", \"fd00:10::/48\"]
client_namespaces = \"vpn\"
";
    snapshot!("network_policies", file(tables, "networkpolicy.yaml"));
}

#[test]
fn cilium_knows_the_kubelet_and_the_api_server() {
    let tables = "[network_policies]
kind = \"CiliumNetworkPolicy\"
metrics_from = \"observability\"

[gateways.envoy-internal.network_policy]
clients = \"10.10.0.0/16\"
client_namespaces = \"vpn\"
";
    snapshot!(
        "cilium_network_policies",
        file(tables, "networkpolicy.yaml")
    );
}

#[test]
fn the_ports_and_namespaces_follow_the_proxies_and_the_chart() {
    let tables = "[network_policies]
[proxy]
spec.provider.kubernetes.useListenerPortAsContainerPort = true
[gateways.envoy-external.network_policy]
enabled = false
";
    let rendered = file(tables, "networkpolicy.yaml");
    assert!(rendered.contains("port: 443\n"), "{rendered}");
    assert!(!rendered.contains("port: 10443\n"), "{rendered}");
    assert!(!rendered.contains("name: envoy-external"), "{rendered}");
    assert!(!rendered.contains("port: 18001"), "{rendered}");
    let chart =
        "[chart]\nrate_limit.redis = \"redis.databases.svc:6379\"\ndeploy = \"GatewayNamespace\"";
    let config = MINIMAL.replace("[chart]", chart);
    let project = Project::new()
        .config(config + "\n[network_policies]\n")
        .rendered();
    let rendered = project.read(&format!("{APP}/networkpolicy.yaml"));
    assert!(rendered.contains("namespaceSelector: {}"), "{rendered}");
    assert!(rendered.contains("port: 18001"), "{rendered}");
}
