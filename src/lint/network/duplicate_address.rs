//! Addresses that are requested twice.

use std::collections::HashMap;

use super::address_requests::ServiceAddressRequest;
use crate::lint::LintContext;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::variable;

manifest::code! {
    "network"/"duplicate-address", Error, "An address that two gateways request.",
    r#"
Two gateways request the same address. Cilium assigns it to one of them, usually the first. The Service of the
other one gets no address, and its gateway is never `Programmed`. Which gateway gets the address may change
when they are recreated.

## Wrong

```toml
[gateways.envoy-external]
address = "10.10.30.26"

[gateways.envoy-internal]
address = "10.10.30.26"
```

## Right

```toml
[gateways.envoy-external]
address = "10.10.30.26"

[gateways.envoy-internal]
address = "10.10.30.25"
```
"#
}

/// Reports addresses that are requested twice.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut by_address: HashMap<String, Vec<&ServiceAddressRequest>> = HashMap::new();
    let mut found = Vec::new();
    for request in context.address_requests() {
        let Some(key) = key(context, request) else {
            continue;
        };
        let others = by_address.entry(key).or_default();
        let first = others
            .iter()
            .find(|first| exclude_each_other(context, first, request));
        match first {
            Some(first) if first.owner.at == request.owner.at => found.push(repeated(request)),
            Some(first) => found.push(duplicate(first, request)),
            None => {}
        }
        others.push(request);
    }
    found
}

/// A key that is equal for two requests of the same address: the address, or the variable and the ConfigMaps and Secrets
/// that its value comes from.
fn key(context: &LintContext<'_>, request: &ServiceAddressRequest<'_>) -> Option<String> {
    if let Some(address) = request.address {
        return Some(address.to_string());
    }
    let (_, substitutes) = context.substitutes(request.owner.way)?;
    let from = &substitutes.from;
    variable::is_all(&request.text).then(|| format!("{} {from:?}", request.text))
}

fn exclude_each_other(
    context: &LintContext<'_>,
    first: &ServiceAddressRequest<'_>,
    second: &ServiceAddressRequest<'_>,
) -> bool {
    // A Service may request the same address in several ways, but not twice in one list.
    if first.owner.at == second.owner.at {
        return std::ptr::eq(first.object, second.object) && first.pointer == second.pointer;
    }
    let shares = first.sharing.is_some() && first.sharing == second.sharing;
    let are_apart = match (&first.ports, &second.ports) {
        (None, None) => false,
        (Some(one), Some(other)) => one.is_disjoint(other),
        // The ports of other Services are not known here.
        _ => true,
    };
    let are_merged = first.is_merged && second.is_merged;
    !shares
        && !are_apart
        && !are_merged
        && context.may_share_cluster(first.owner.object, second.owner.object)
}

fn repeated(request: &ServiceAddressRequest<'_>) -> Diagnostic {
    let name = request.owner.object.identity();
    let message = format!("{name} requests the address {} twice", request.text);
    finding(CODE, request.object, &request.pointer, message)
        .why("a Service gets each address only once, so another address was probably intended")
        .help("remove one of the two, or write the intended address")
}

fn duplicate(first: &ServiceAddressRequest<'_>, second: &ServiceAddressRequest<'_>) -> Diagnostic {
    let name = |request: &ServiceAddressRequest<'_>| request.owner.object.identity().to_string();
    let (why, help) = if second.ports.is_some() {
        (
            "both have a listener on the same port of it, so it is undefined which gateway gets a connection",
            "give each gateway its own address, or different ports",
        )
    } else {
        (
            "the load balancer gives the address to the first Service, so the other one stays pending and its hostnames can't be reached",
            "give each gateway its own address, or the same sharing key if their ports differ",
        )
    };
    finding(
        CODE,
        second.object,
        &second.pointer,
        format!(
            "{} and {} request the same address, {}",
            name(first),
            name(second),
            second.text
        ),
    )
    .related(
        first.object.place_to_change(&first.pointer),
        format!("{} requests it here", name(first)),
    )
    .why(why)
    .help(help)
}

#[cfg(test)]
mod tests {
    use crate::lint::support::{FRONT, found_in, found_with_front};

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
            found_with_front(&[&service("")]),
            [
                "error network/duplicate-address service.yaml:3 Gateway network/external and Service kube-system/api request the same address, 10.10.30.26"
            ]
        );
        let sharing = FRONT.replace("30.26}", "30.26, lbipam.cilium.io/sharing-key: x, lbipam.cilium.io/sharing-cross-namespace: kube-system}")
            .replace("envoyDeployment: {replicas: 2}", "envoyService: {externalTrafficPolicy: Cluster}");
        let shared = service(
            ", lbipam.cilium.io/sharing-key: x, lbipam.cilium.io/sharing-cross-namespace: network",
        );
        assert_eq!(found_in(&format!("{sharing}{shared}\n")), [""; 0]);
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
        let says = |one: &str, other: &str| found_with_front(&[&app("a", one), &app("b", other)]);
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
        assert_eq!(
            found_with_front(&[&gateway("a", 22), &gateway("b", 2222)]),
            [""; 0]
        );
        assert_eq!(
            found_with_front(&[&gateway("a", 22), &gateway("b", 22)]),
            [
                "error network/duplicate-address b.yaml:6 Gateway network/a and Gateway network/b request the same address, 192.0.2.1"
            ]
        );
    }
}
