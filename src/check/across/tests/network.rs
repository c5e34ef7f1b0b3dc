//! Addresses, pools, announcements, certificates and trusted networks.

use super::*;
use crate::check::across::front::fronts;

/// The line of the gateway's address.
const ADDRESS: &str = "front.yaml:32";

fn pool(name: &str, block: &str, rest: &str) -> String {
    format!(
        "
# {name}.yaml
apiVersion: cilium.io/v2
kind: CiliumLoadBalancerIPPool
metadata: {{name: {name}}}
spec:
  blocks: [{block}]
  {rest}"
    )
}

#[test]
fn the_service_of_a_gateway_is_known() {
    let tree = tree(FRONT);
    look(&tree, |whole| {
        let fronts = fronts(whole);
        let workload = fronts[0].workload().expect("a workload");
        assert_eq!(
            (
                workload.kind,
                workload.namespace.as_str(),
                workload.name.as_str()
            ),
            ("Deployment", "network", "external")
        );
        let labels = fronts[0].service_labels();
        assert!(!labels.is_open);
        assert_eq!(
            labels.known["gateway.envoyproxy.io/owning-gateway-name"],
            "external"
        );
        assert_eq!(labels.known["tier"], "front");
        assert_eq!(labels.known["io.kubernetes.service.name"], "external");
    });
    let in_controllers = FRONT.replace("GatewayNamespace", "ControllerNamespace");
    look(&flux_repo::fixture::tree(&in_controllers), |whole| {
        let workload = fronts(whole)[0].workload().expect("a workload");
        assert_eq!(
            workload.name,
            envoy_gateway::proxies::hashed_deployment("network", "external")
        );
    });
}

#[test]
fn addresses_are_looked_for_in_the_pools() {
    let fits = pool("a", "{cidr: 10.10.30.0/24}", "");
    assert_eq!(with(&[&fits]), [""; 0]);
    let misses = pool("a", "{cidr: 10.10.31.0/24}", "");
    assert_eq!(
        with(&[&misses]),
        [format!(
            "error network/address-outside-pools {ADDRESS} 10.10.30.26 of Gateway network/external is in none of the pools"
        )]
    );
    let hidden = pool("b", "{cidr: '${POOL}'}", "");
    assert_eq!(with(&[&misses, &hidden]), [""; 0]);
    let end = pool(
        "a",
        "{cidr: 10.10.30.26/31}, {cidr: 10.10.30.24/30}",
        "allowFirstLastIPs: 'No'",
    );
    assert_eq!(
        with(&[&end]).len(),
        1,
        "the blocks overlap, and /31 reserves nothing"
    );
    let end = pool("a", "{cidr: 10.10.30.26/30}", "allowFirstLastIPs: 'No'");
    assert_eq!(
        with(&[&end]),
        ["note network/invalid-cidr a.yaml:5 Cilium treats 10.10.30.26/30 as 10.10.30.24/30"]
    );
    let end = pool(
        "a",
        "{cidr: 10.10.30.16/28}, {start: 10.10.30.1, stop: 10.10.30.5}",
        "allowFirstLastIPs: 'No'",
    );
    let moved = FRONT.replace("10.10.30.26", "10.10.30.31");
    assert_eq!(
        found(&format!("{moved}{end}\n")),
        [format!(
            "error network/address-outside-pools {ADDRESS} 10.10.30.31 of Gateway network/external is the first or last address of 10.10.30.16/28, which the pool a reserves"
        )]
    );
}

#[test]
fn pools_serve_whom_they_select() {
    let selector = |pairs: &str| {
        pool(
            "a",
            "{cidr: 10.10.30.0/24}",
            &format!("serviceSelector: {{matchLabels: {{{pairs}}}}}"),
        )
    };
    for pairs in [
        "app.kubernetes.io/component: proxy",
        "tier: front",
        "io.kubernetes.service.namespace: network",
        "gateway.networking.k8s.io/gateway-name: external",
    ] {
        assert_eq!(with(&[&selector(pairs)]), [""; 0], "{pairs}");
    }
    assert_eq!(
        with(&[&selector("tier: back")]),
        [format!(
            "error network/pool-selector {ADDRESS} 10.10.30.26 of Gateway network/external is in the pool a, which doesn't select its Service"
        )]
    );
    let second = pool(
        "b",
        "{start: 10.10.31.1, stop: 10.10.31.9}",
        "serviceSelector: {matchLabels: {tier: back}}",
    );
    let without = FRONT.replace("annotations: {lbipam.cilium.io/ips: 10.10.30.26}", "");
    assert_eq!(
        found(&format!("{without}{second}\n")),
        [
            "error network/pool-selector front.yaml:27 no address pool selects the Service of external"
        ]
    );
}

#[test]
fn pools_are_kept_apart_and_off_the_routers() {
    let (one, two) = (
        pool("a", "{cidr: 10.10.30.0/24}", ""),
        pool("b", "{start: 10.10.30.200, stop: 10.10.31.9}", ""),
    );
    assert_eq!(
        with(&[&one, &two]),
        [
            "error network/pool-overlap b.yaml:5 10.10.30.200 to 10.10.31.9 of the pool b overlaps with 10.10.30.0/24 of a"
        ]
    );
    let off = pool(
        "b",
        "{start: 10.10.30.200, stop: 10.10.31.9}",
        "disabled: true",
    );
    assert_eq!(with(&[&one, &off]), [""; 0]);
    let router = "
# bgp.yaml
apiVersion: cilium.io/v2
kind: CiliumBGPClusterConfig
metadata: {name: bgp}
spec: {bgpInstances: [{name: home, peers: [{name: router, peerAddress: 10.10.30.1}]}]}";
    assert_eq!(
        with(&[&one, router]),
        [
            "warning network/pool-holds-router a.yaml:5 the pool a contains 10.10.30.1, the address of the router router"
        ]
    );
}

#[test]
fn one_address_is_for_one() {
    let service = |rest: &str| {
        format!(
            "
# service.yaml
apiVersion: v1
kind: Service
metadata: {{name: api, namespace: kube-system, annotations: {{lbipam.cilium.io/ips: '10.10.30.27, 10.10.30.26'{rest}}}}}
spec: {{type: LoadBalancer}}"
        )
    };
    assert_eq!(
        with(&[&service("")]),
        [
            "error network/duplicate-address service.yaml:3 Gateway network/external and Service kube-system/api request the same address, 10.10.30.26"
        ]
    );
    let sharing = FRONT.replace("30.26}", "30.26, lbipam.cilium.io/sharing-key: x}");
    let shared = service(", lbipam.cilium.io/sharing-key: x");
    assert_eq!(found(&format!("{sharing}{shared}\n")), [""; 0]);
}

#[test]
fn a_variable_is_one_address_where_its_value_is() {
    let app = |name: &str, substitute: &str| {
        format!(
            "
# {name}/ks.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: network}}
spec: {{path: ./{name}/app, postBuild: {{substituteFrom: [{{kind: Secret, name: s}}], substitute: {{{substitute}}}}}}}
# {name}/app/release.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: {name}, namespace: network}}
spec:
  values:
    app: {{annotations: {{lbipam.cilium.io/ips: '${{ADDRESS}}'}}}}
    off: {{enabled: false, annotations: {{lbipam.cilium.io/ips: 10.10.30.26}}}}"
        )
    };
    let says = |one: &str, other: &str| with(&[&app("a", one), &app("b", other)]);
    let message = |line: &str, first: &str, second: &str, address: &str| {
        format!(
            "error network/duplicate-address {line} {first} and {second} request the same address, {address}"
        )
    };
    let (a, b) = ("HelmRelease network/a", "HelmRelease network/b");
    assert_eq!(
        says("", ""),
        [message("b/app/release.yaml:6", a, b, "${ADDRESS}")]
    );
    assert_eq!(says("ADDRESS: 10.10.30.1", "ADDRESS: 10.10.30.2"), [""; 0]);
    assert_eq!(says("ADDRESS: 10.10.30.1", ""), [""; 0]);
    assert_eq!(
        says("ADDRESS: 10.10.30.26", ""),
        [message(
            "a/app/release.yaml:6",
            "Gateway network/external",
            a,
            "10.10.30.26"
        )]
    );
}

#[test]
fn external_addresses_may_have_several_gateways_on_ports_of_their_own() {
    let gateway = |name: &str, port: u16| {
        format!(
            "
# {name}.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: {name}, namespace: network}}
spec:
  gatewayClassName: other
  addresses: [{{value: 192.0.2.1}}]
  listeners: [{{name: a, port: {port}, protocol: TCP}}]"
        )
    };
    assert_eq!(with(&[&gateway("a", 22), &gateway("b", 2222)]), [""; 0]);
    assert_eq!(
        with(&[&gateway("a", 22), &gateway("b", 22)]),
        [
            "error network/duplicate-address b.yaml:6 Gateway network/a and Gateway network/b request the same address, 192.0.2.1"
        ]
    );
}

#[test]
fn gateways_are_announced_by_nodes_that_have_a_proxy() {
    let policy = |rest: &str| {
        format!(
            "
# l2.yaml
apiVersion: cilium.io/v2alpha1
kind: CiliumL2AnnouncementPolicy
metadata: {{name: l2}}
spec: {{{rest}}}"
        )
    };
    let nobody = [
        "warning network/not-announced front.yaml:27 no CiliumL2AnnouncementPolicy covers the Service of external",
    ];
    assert_eq!(with(&[&policy("loadBalancerIPs: true")]), [""; 0]);
    assert_eq!(with(&[&policy("externalIPs: true")]), nobody);
    assert_eq!(
        with(&[&policy(
            "loadBalancerIPs: true, serviceSelector: {matchLabels: {app: x}}"
        )]),
        nobody
    );
    let nodes = |names: &str| {
        policy(&format!(
            "loadBalancerIPs: true, nodeSelector: {{matchExpressions: [{{key: kubernetes.io/hostname, operator: In, values: [{names}]}}]}}"
        ))
    };
    assert_eq!(with(&[&nodes("a, b")]), [""; 0]);
    assert_eq!(
        with(&[&nodes("a, b, c")]),
        [
            "warning network/local-policy front.yaml:27 external has 2 proxies for 3 nodes that may announce it, with `externalTrafficPolicy: Local`"
        ]
    );
    let cluster = FRONT.replace(
        "envoyDeployment: {replicas: 2}",
        "envoyService: {externalTrafficPolicy: Cluster}",
    );
    assert_eq!(found(&format!("{cluster}{}\n", nodes("a, b, c"))), [""; 0]);
}

#[test]
fn certificates_are_for_the_names_of_their_listeners() {
    let listener = |hostname: &str| {
        FRONT.replace(
            "protocol: HTTPS}",
            &format!("protocol: HTTPS, hostname: '{hostname}', tls: {{certificateRefs: [{{name: tls}}]}}}}"),
        )
    };
    let certificate = |namespace: &str| {
        format!(
            "
# certificate.yaml
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {{name: site, namespace: {namespace}}}
spec: {{secretName: tls, dnsNames: ['${{DOMAIN}}', '*.${{DOMAIN}}']}}"
        )
    };
    let own = certificate("network");
    assert_eq!(
        found(&format!("{}{own}\n", listener("git.${DOMAIN}"))),
        [""; 0]
    );
    assert_eq!(
        found(&format!("{}{own}\n", listener("git.${OTHER}"))),
        [""; 0]
    );
    assert_eq!(
        found(&format!("{}{own}\n", listener("a.git.${DOMAIN}"))),
        [
            "error network/certificate-names front.yaml:33 the certificate of listener https is not valid for a.git.${DOMAIN}"
        ]
    );
    assert_eq!(
        found(&format!(
            "{}{}\n",
            listener("a.git.${DOMAIN}"),
            certificate("other")
        )),
        [""; 0]
    );
}

#[test]
fn nobody_trusts_everybody_or_the_services() {
    let trusts = |cidr: &str| {
        format!(
            "
# policy.yaml
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {{name: a, namespace: network}}
spec: {{clientIPDetection: {{xForwardedFor: {{trustedCIDRs: ['{cidr}']}}}}}}
# dns.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: coredns, namespace: kube-system}}
spec: {{values: {{service: {{clusterIP: 10.43.0.10}}}}}}"
        )
    };
    for fine in ["10.42.0.0/16", "10.0.0.0/8", "${PODS}", "fd00::/48"] {
        assert_eq!(with(&[&trusts(fine)]), [""; 0], "{fine}");
    }
    assert_eq!(
        with(&[&trusts("10.43.0.0/16")]),
        [
            "warning network/trusted-cidr policy.yaml:4 10.43.0.0/16 is the Services' network, which no connection comes from"
        ]
    );
    assert_eq!(
        with(&[&trusts("::/0")]),
        ["warning network/trusted-cidr policy.yaml:4 ::/0 trusts X-Forwarded-For from everybody"]
    );
    let guard = |rule: &str| {
        format!(
            "
# guard.yaml
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {{name: a, namespace: network}}
spec: {{authorization: {{defaultAction: Deny, rules: [{rule}]}}}}"
        )
    };
    assert_eq!(
        with(&[&guard(
            "{action: Allow, principal: {clientCIDRs: [10.0.0.0/8, 0.0.0.0/0]}}"
        )]),
        [
            "warning network/trusted-cidr guard.yaml:4 the rule allows everybody: 0.0.0.0/0 is the whole Internet"
        ]
    );
    assert_eq!(
        with(&[&guard(
            "{action: Deny, principal: {clientCIDRs: [0.0.0.0/0]}}"
        )]),
        [""; 0]
    );
}
