//! What the passes say of small trees.

use super::*;
use crate::check::across::front::fronts;
use crate::resolve::delivery::{as_applied, tests::tree};
use crate::schema::Catalogue;

/// What is found in files, as `severity code file:line message`; a line `# path` begins each file.
pub(super) fn found(text: &str) -> Vec<String> {
    let tree = tree(text);
    let with = |whole: &Whole<'_>| {
        check(whole)
            .iter()
            .map(|one| {
                let place = one.span.map(|span| tree.sources.locate(span));
                let place = place.map_or(String::new(), |place| {
                    format!("{}:{}", place.file, place.line)
                });
                assert!(one.why.is_some() && one.help.is_some(), "{one:?}");
                format!(
                    "{} {} {place} {}",
                    one.severity.as_str(),
                    one.code,
                    one.message
                )
            })
            .collect()
    };
    look(&tree, with)
}

/// Looks at a tree as a whole.
pub(super) fn look<T>(
    tree: &crate::resolve::delivery::tests::Tree,
    with: impl Fn(&Whole<'_>) -> T,
) -> T {
    let delivery = Delivery::of(&tree.objects, &tree.files);
    let applied = as_applied(&tree.objects, &delivery);
    let catalogue = Catalogue::embedded();
    let selection = Selection::newest(&catalogue);
    with(&Whole {
        objects: &tree.objects,
        delivery: &delivery,
        applied: &applied,
        files: &tree.files,
        texts: &tree.texts,
        sources: &tree.sources,
        model: None,
        selection: &selection,
    })
}

/// A chart, a class and a gateway `external` in the namespace `network`, in GatewayNamespace mode.
pub(super) const FRONT: &str = "
# front.yaml
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: envoy-gateway, namespace: network}
spec: {url: oci://docker.io/envoyproxy/gateway-helm}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: envoy-gateway, namespace: network}
spec:
  chartRef: {kind: OCIRepository, name: envoy-gateway}
  values: {config: {envoyGateway: {provider: {kubernetes: {deploy: {type: GatewayNamespace}}}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec:
  controllerName: gateway.envoyproxy.io/gatewayclass-controller
  parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: envoy, namespace: network}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: envoy, namespace: network}
spec: {provider: {type: Kubernetes, kubernetes: {envoyDeployment: {replicas: 2}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: external, namespace: network}
spec:
  gatewayClassName: envoy
  infrastructure:
    labels: {tier: front}
    annotations: {lbipam.cilium.io/ips: 10.10.30.26}
  listeners: [{name: https, port: 443, protocol: HTTPS}]
";

/// Where the gateway's address stands in it.
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

fn with(parts: &[&str]) -> Vec<String> {
    found(&format!("{FRONT}{}\n", parts.concat()))
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
    look(
        &super::super::super::resolve::delivery::tests::tree(&in_controllers),
        |whole| {
            let workload = fronts(whole)[0].workload().expect("a workload");
            assert_eq!(
                workload.name,
                crate::model::names::hashed_deployment("network", "external")
            );
        },
    );
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
        "the blocks overlap, and /31 keeps nothing back"
    );
    let end = pool("a", "{cidr: 10.10.30.26/30}", "allowFirstLastIPs: 'No'");
    assert_eq!(
        with(&[&end]),
        ["note network/invalid-cidr a.yaml:5 Cilium reads 10.10.30.26/30 as 10.10.30.24/30"]
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
            "error network/address-outside-pools {ADDRESS} 10.10.30.31 of Gateway network/external is an end of 10.10.30.16/28, which the pool a keeps back"
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
            "error network/pool-selector {ADDRESS} 10.10.30.26 of Gateway network/external is in the pool a, which is not for its Service"
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
            "error network/pool-selector front.yaml:27 no address pool is for the Service of external"
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
            "warning network/pool-holds-router a.yaml:5 the pool a holds 10.10.30.1, the address of the router router"
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
            "error network/duplicate-address service.yaml:3 Gateway network/external and Service kube-system/api ask for one address, 10.10.30.26"
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
            "error network/duplicate-address {line} {first} and {second} ask for one address, {address}"
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
            "error network/duplicate-address b.yaml:6 Gateway network/a and Gateway network/b ask for one address, 192.0.2.1"
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
            "error network/certificate-names front.yaml:33 the certificate of the listener https is not for a.git.${DOMAIN}"
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
            "warning network/trusted-cidr policy.yaml:4 10.43.0.0/16 is the Services' network: no connection comes from there"
        ]
    );
    assert_eq!(
        with(&[&trusts("::/0")]),
        ["warning network/trusted-cidr policy.yaml:4 ::/0 trusts everybody to say who they are"]
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
            "warning network/trusted-cidr guard.yaml:4 the rule lets everybody in: 0.0.0.0/0 is the whole Internet"
        ]
    );
    assert_eq!(
        with(&[&guard(
            "{action: Deny, principal: {clientCIDRs: [0.0.0.0/0]}}"
        )]),
        [""; 0]
    );
}

fn scaled(name: &str, target: &str, rest: &str) -> String {
    format!(
        "
# {name}.yaml
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: {name}, namespace: network}}
spec:
  scaleTargetRef: {{name: {target}}}
  {rest}"
    )
}

fn unfixed() -> String {
    FRONT.replace("envoyDeployment: {replicas: 2}", "envoyService: {}")
}

#[test]
fn a_deployment_has_one_autoscaler_and_no_fixed_number() {
    let one = scaled("a", "external", "");
    assert_eq!(found(&format!("{}{one}\n", unfixed())), [""; 0]);
    assert_eq!(
        found(&format!(
            "{}{one}{}\n",
            unfixed(),
            scaled("b", "external", "")
        )),
        [
            "error keda/two-autoscalers b.yaml:5 ScaledObject network/a and ScaledObject network/b scale one Deployment, external"
        ]
    );
    assert_eq!(
        with(&[&one]),
        [
            "warning keda/fixed-replicas front.yaml:23 the proxies of external have fixed replicas and are scaled"
        ]
    );
    let own = FRONT.replace("replicas: 2}", "replicas: 2}, envoyHpa: {maxReplicas: 3}");
    assert_eq!(
        found(&format!("{own}\n")),
        [
            "note keda/fixed-replicas front.yaml:23 the proxies of external have fixed replicas and are scaled"
        ]
    );
    let own = unfixed().replace("envoyService: {}", "envoyHpa: {maxReplicas: 3}");
    assert_eq!(
        found(&format!("{own}{one}\n")),
        [
            "error keda/two-autoscalers a.yaml:5 `envoyHpa` of the EnvoyProxy envoy and ScaledObject network/a scale one Deployment, external"
        ]
    );
    let controller = unfixed().replace("values: {", "values: {hpa: {enabled: true}, ");
    assert_eq!(
        found(&format!(
            "{controller}{}\n",
            scaled("a", "envoy-gateway", "")
        )),
        [
            "error keda/two-autoscalers a.yaml:5 `hpa` in the values of HelmRelease network/envoy-gateway and ScaledObject network/a scale one Deployment, envoy-gateway"
        ]
    );
}

#[test]
fn bounds_are_the_right_way_round() {
    let bounds = |text: &str| found(&format!("{}\n", scaled("a", "x", text)));
    assert_eq!(bounds("minReplicaCount: 2\n  maxReplicaCount: 2"), [""; 0]);
    assert_eq!(bounds("maxReplicaCount: 0"), [""; 0]);
    assert_eq!(
        bounds("minReplicaCount: 3\n  maxReplicaCount: 2"),
        [
            "error keda/minimum-above-maximum a.yaml:6 a has 3 as `minReplicaCount` and 2 as `maxReplicaCount`"
        ]
    );
    assert_eq!(
        bounds("minReplicaCount: 1\n  idleReplicaCount: 1"),
        [
            "error keda/minimum-above-maximum a.yaml:7 a has 1 as `idleReplicaCount` and 1 as `minReplicaCount`"
        ]
    );
}

#[test]
fn the_deployment_that_is_scaled_is_one_that_is_made() {
    let hashed = crate::model::names::hashed_deployment("network", "external");
    let says = |front: &str, target: &str| found(&format!("{front}{}\n", scaled("a", target, "")));
    assert_eq!(says(&unfixed(), "app-of-mine"), [""; 0]);
    assert_eq!(says(&unfixed(), "envoy-gateway"), [""; 0]);
    assert_eq!(
        says(&unfixed(), &hashed),
        [format!(
            "error keda/unknown-deployment a.yaml:5 Envoy Gateway makes no Deployment {hashed}"
        )]
    );
    let other_mode = unfixed().replace("GatewayNamespace", "ControllerNamespace");
    assert_eq!(says(&other_mode, &hashed), [""; 0]);
    assert_eq!(
        says(&other_mode, "external"),
        ["error keda/unknown-deployment a.yaml:5 Envoy Gateway makes no Deployment external"]
    );
    let renamed = unfixed().replace("envoyService: {}", "envoyDeployment: {name: mine}");
    assert_eq!(says(&renamed, "mine"), [""; 0]);
    let daemons = unfixed().replace("envoyService: {}", "envoyDaemonSet: {}");
    assert_eq!(
        says(&daemons, "external"),
        [
            "error keda/unknown-deployment a.yaml:5 the proxies are a DaemonSet; there is no Deployment external"
        ]
    );
    let unknown = unfixed().replace("gateway-helm", "other");
    assert_eq!(says(&unknown, &hashed), [""; 0]);
}

/// A Flux Kustomization `apps` of the folder `app`, with a kustomization that lists `x.yaml`.
fn delivered(post_build: &str, x: &str) -> String {
    format!(
        "
# ks.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: apps, namespace: flux-system}}
spec:
  path: ./app
  targetNamespace: network
  {post_build}
# app/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [x.yaml]
configMapGenerator:
  - name: scripts
    files: [block.lua]
# app/x.yaml
{x}"
    )
}

const SUBSTITUTES: &str = "postBuild: {substitute: {DOMAIN: example.com}}";

#[test]
fn scripts_and_dashboards_keep_their_own_variables() {
    let script = |text: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  run.sh: |\n    target=/x\n    {text}\n"
        )
    };
    let says = |post_build: &str, x: &str| found(&delivered(post_build, x));
    let own = script("cp a ${target}");
    assert_eq!(
        says(SUBSTITUTES, &own),
        [
            "warning flux/replaced-in-script app/x.yaml:6 Flux replaces ${target}, which is the text's own variable"
        ]
    );
    assert_eq!(says("", &own), [""; 0]);
    assert_eq!(
        says(SUBSTITUTES, &script("cp a $${target} ${DOMAIN}")),
        [""; 0]
    );
    let left = own.replace(
        "name: a}",
        "name: a, annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}}",
    );
    assert_eq!(says(SUBSTITUTES, &left), [""; 0]);
    assert_eq!(
        says(SUBSTITUTES, &script("echo ${hosts[0]} x")),
        ["error flux/unreadable-variable app/x.yaml:6 Flux can't read `${hosts[0]}`"]
    );
    let nothing = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n# app/block.lua\nlocal name = 1\nreturn \"${name}\"\n";
    assert_eq!(
        says(SUBSTITUTES, nothing),
        [
            "error flux/replaced-in-script app/block.lua:2 Flux replaces ${name}, which is the text's own variable"
        ]
    );
}

#[test]
fn variables_are_substituted_by_somebody() {
    let gateway = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: a}\nspec: {listeners: [{hostname: '${DOMAIN}'}]}\n";
    let parent = |rest: &str| {
        format!(
            "
# flux/parent.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: cluster, namespace: flux-system}}
spec:
  path: ./ks
  {rest}"
        )
    };
    let under = |rest: &str, post_build: &str| {
        let below = delivered(post_build, gateway).replace("# ks.yaml", "# ks/ks.yaml");
        found(&format!("{}{below}", parent(rest)))
    };
    assert_eq!(
        under("", ""),
        [
            "error flux/not-substituted app/x.yaml:4 nothing is substituted here: ${DOMAIN} stays as it is"
        ]
    );
    assert_eq!(under("", SUBSTITUTES), [""; 0]);
    assert_eq!(
        under("patches: [{target: {kind: Kustomization}, patch: x}]", ""),
        [""; 0]
    );
    assert_eq!(
        found(&delivered("", gateway)),
        [""; 0],
        "a parent that is not at hand may patch it"
    );
}

fn ks(name: &str, rest: &str) -> String {
    format!(
        "
# net/{name}.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: network}}
spec:
  path: ./{name}
  {rest}"
    )
}

fn listing(names: &str) -> String {
    format!(
        "
# net/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [{names}]"
    )
}

#[test]
fn what_flux_waits_for_is_there() {
    let says = |names: &str, needs: &str| {
        let parts = [
            listing(names),
            ks("envoy", ""),
            ks("config", &format!("dependsOn: [{needs}]")),
        ];
        found(&format!("{}\n", parts.concat()))
    };
    let all = "envoy.yaml, config.yaml";
    assert_eq!(says(all, "{name: envoy}"), [""; 0]);
    assert_eq!(
        says(all, "{name: issuers, namespace: cert-manager}"),
        [""; 0]
    );
    assert_eq!(
        says("envoy.yaml, config.yaml, absent.yaml", "{name: envoi}"),
        [""; 0]
    );
    assert_eq!(
        says(all, "{name: envoi}"),
        [
            "error flux/missing-dependency net/config.yaml:6 there is no Flux Kustomization envoi in the namespace network"
        ]
    );
}

#[test]
fn flux_kustomizations_do_not_wait_for_each_other() {
    let parts = [
        ks("a", "dependsOn: [{name: b}, {name: c}]"),
        ks("b", "dependsOn: [{name: c}]"),
        ks("c", "dependsOn: [{name: a}]"),
        ks("d", "dependsOn: [{name: d}]"),
    ];
    assert_eq!(
        found(&format!("{}\n", parts.concat())),
        [
            "error flux/circular-dependency net/a.yaml:6 a, b, c wait for each other",
            "error flux/circular-dependency net/d.yaml:6 d depends on itself",
        ]
    );
}

#[test]
fn crds_come_before_what_needs_them() {
    let tree = |needs: &str, values: &str| {
        let parts = [
            ks("envoy", ""),
            ks("config", needs),
            "
# envoy/release.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: envoy-gateway, namespace: network}
spec:
  chart: {spec: {chart: gateway-helm}}
  "
            .to_owned(),
            values.to_owned(),
            "
# config/proxy.yaml
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: envoy, namespace: network}"
                .to_owned(),
        ];
        format!("{}\n", parts.concat())
    };
    assert_eq!(
        found(&tree("", "")),
        [
            "warning flux/missing-crds net/config.yaml:3 config applies EnvoyProxy envoy, and does not depend on envoy, which installs the CRD"
        ]
    );
    assert_eq!(found(&tree("dependsOn: [{name: envoy}]", "")), [""; 0]);
    assert_eq!(found(&tree("dependsOn: [{name: other}]", "")), [""; 0]);
    assert_eq!(found(&tree("", "install: {crds: Skip}")), [""; 0]);
    let bootstrapped = format!("{}# bootstrap/helmfile.yaml\n", tree("", ""));
    assert_eq!(found(&bootstrapped), [""; 0]);
}

#[test]
fn monitors_look_where_something_runs() {
    let monitor = |kind: &str, namespace: &str, labels: &str, rest: &str| {
        format!(
            "
# monitor.yaml
apiVersion: monitoring.coreos.com/v1
kind: {kind}
metadata: {{name: m, namespace: {namespace}}}
spec:
  selector: {{matchLabels: {{{labels}}}}}
  {rest}"
        )
    };
    let proxies = "app.kubernetes.io/component: proxy, app.kubernetes.io/name: envoy";
    let says = |namespace: &str, labels: &str, rest: &str| {
        with(&[&monitor("PodMonitor", namespace, labels, rest)])
    };
    assert_eq!(says("network", proxies, ""), [""; 0]);
    assert_eq!(
        says("o11y", proxies, "namespaceSelector: {any: true}"),
        [""; 0]
    );
    assert_eq!(
        says(
            "o11y",
            proxies,
            "namespaceSelector: {matchNames: [network]}"
        ),
        [""; 0]
    );
    assert_eq!(
        says("o11y", "app.kubernetes.io/component: proxy", ""),
        [""; 0]
    );
    assert_eq!(
        says("o11y", proxies, ""),
        [
            "warning flux/monitor-elsewhere monitor.yaml:3 m looks into o11y, and proxies run in network"
        ]
    );
    assert_eq!(
        says(
            "network",
            "gateway.envoyproxy.io/owning-gateway-name: internal",
            ""
        ),
        ["warning flux/monitor-elsewhere monitor.yaml:5 m selects the proxies of no gateway"]
    );
    let controller = |namespace: &str| {
        with(&[&monitor(
            "ServiceMonitor",
            namespace,
            "control-plane: envoy-gateway",
            "",
        )])
    };
    assert_eq!(controller("network"), [""; 0]);
    assert_eq!(
        controller("o11y"),
        [
            "warning flux/monitor-elsewhere monitor.yaml:3 m looks into o11y, and the controller runs in network"
        ]
    );
}
