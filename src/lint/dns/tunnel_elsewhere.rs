//! Tunnels and other settings that lead to a gateway's Service by a name that it doesn't have.

use std::collections::BTreeSet;

use crate::lint::LintContext;
use crate::lint::front::Front;
use crate::lint::words::each_text;
use envoy_gateway::proxies::{Controller, hashed_deployment};
use manifest::diagnostic::{Diagnostic, SourceId, Span};
use manifest::value::{Pointer, variable};
use manifest::{Object, finding};

manifest::code! {
    "dns"/"tunnel-elsewhere", Warning, "An address inside the cluster for a gateway's Service that doesn't exist.",
    r#"
A setting, such as the `ingress` of a Cloudflare tunnel, leads to the Service of a gateway by a name or
namespace that the Service doesn't have. In `GatewayNamespace` mode, the Service has the name and the
namespace of the gateway. In the other mode, which is the chart's default, it is in the controller's namespace
and is named `envoy-NAMESPACE-NAME-HASH`. `envoyService.name` of an EnvoyProxy sets another name. Without the
Service, everything that comes through the tunnel ends with the status 502.

## Wrong

```yaml
# the chart runs in GatewayNamespace mode
ingress:
  - hostname: "*.example.com"
    service: https://envoy-network-envoy-external-8a5b3c1d.envoy-gateway-system.svc.cluster.local:443
```

## Right

```yaml
# the chart runs in GatewayNamespace mode
ingress:
  - hostname: "*.example.com"
    service: https://envoy-external.network.svc.cluster.local:443
```
"#
}

/// What ends the name of a Service in an address.
const SERVICE: &str = ".svc";

/// Reports addresses of Services of gateways that don't exist.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let fronts: Vec<&Front> = context
        .fronts()
        .iter()
        .filter(|front| front.controller == Controller::EnvoyGateway && !front.is_merged())
        .collect();
    if fronts.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut told = BTreeSet::new();
    for one in context.all() {
        let root = match one.object.kind() {
            "ConfigMap" => "data",
            "HelmRelease" => "spec",
            _ => continue,
        };
        let mut pointer = Pointer::root().key(root);
        let Some(node) = one.object.node.get(root) else {
            continue;
        };
        each_text(node, &mut pointer, &mut |at, text| {
            for address in addresses(text) {
                let Some((message, help)) = elsewhere(context, &fronts, one.object, &address)
                else {
                    continue;
                };
                if told.insert((one.object.file.clone(), message.clone())) {
                    let diagnostic = finding(CODE, one.object, at, message);
                    found.push(explained(diagnostic, help));
                }
            }
        });
    }
    for generated in context.delivery.generated() {
        let Some(by) = context.objects.get(generated.by) else {
            continue;
        };
        for (_, content) in &generated.generator.keys {
            let flux_repo::KeyContent::File(file) = content else {
                continue;
            };
            let Some((file, source)) = context.texts.get_key_value(file) else {
                continue;
            };
            let text = context.sources.get(*source).text();
            for address in addresses(text) {
                let Some((message, help)) = elsewhere(context, &fronts, by, &address) else {
                    continue;
                };
                if told.insert((file.clone(), message.clone())) {
                    let diagnostic = Diagnostic::new(CODE, message)
                        .at(span(*source, &address))
                        .in_file(file.as_str());
                    found.push(explained(diagnostic, help));
                }
            }
        }
    }
    found
}

fn explained(one: Diagnostic, help: String) -> Diagnostic {
    one.why("there is no such Service, so nothing that comes this way reaches the gateway")
        .help(help)
}

fn span(source: SourceId, address: &ServiceAddress<'_>) -> Span {
    Span::new(source, address.at, address.at + address.length)
}

/// The name and the namespace of a Service in a text.
struct ServiceAddress<'t> {
    name: &'t str,
    namespace: &'t str,
    at: usize,
    length: usize,
}

/// All texts of the form `NAME.NAMESPACE.svc`.
fn addresses(text: &str) -> Vec<ServiceAddress<'_>> {
    let mut all = Vec::new();
    for (end, _) in text.match_indices(SERVICE) {
        let before = text.get(..end).unwrap_or_default();
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        let start = before.rfind(|c: char| !is_part(c)).map_or(0, |at| at + 1);
        let Some((name, namespace)) = before.get(start..).and_then(|both| both.split_once('.'))
        else {
            continue;
        };
        // What follows a variable is only a part of a name.
        let is_whole = !before
            .get(..start)
            .unwrap_or_default()
            .ends_with(['}', '_', '{']);
        if is_whole && !namespace.contains('.') && !name.is_empty() && !namespace.is_empty() {
            all.push(ServiceAddress {
                name,
                namespace,
                at: start,
                length: end - start,
            });
        }
    }
    all
}

/// The message and the help for an address that means a gateway, but not by the name of its Service.
fn elsewhere(
    context: &LintContext<'_>,
    fronts: &[&Front<'_>],
    object: &Object,
    address: &ServiceAddress<'_>,
) -> Option<(String, String)> {
    let near = || {
        let near = fronts.iter();
        near.filter(|front| context.may_share_cluster(front.gateway.object, object))
    };
    // All must be known, because the Service may be that of another gateway.
    let services: Option<Vec<(String, &str)>> = near().map(|front| service(front)).collect();
    let services = services?;
    let is_there = |(name, namespace): &(String, &str)| {
        name == address.name && *namespace == address.namespace
    };
    if services.iter().any(is_there) || is_someone_elses(context, object, address) {
        return None;
    }
    let at = near().position(|front| {
        let gateway = front.gateway.object;
        let hashed = hashed_deployment(gateway.namespace(), gateway.name());
        let start = hashed.rsplit_once('-').map_or("", |(start, _)| start);
        let has_hash = address.name.rsplit_once('-').is_some_and(|(rest, hash)| {
            rest == start && hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        let is_near = [gateway.namespace(), front.namespace().unwrap_or_default()]
            .contains(&address.namespace);
        let is_empty = || {
            let mut all = context.all();
            !all.any(|it| it.object.namespace() == address.namespace)
        };
        has_hash || (address.name == gateway.name() && (is_near || is_empty()))
    })?;
    let (name, namespace) = services.get(at)?;
    let gateway = near().nth(at)?.gateway.object.name();
    let message = format!(
        "there is no Service {} in the namespace {}",
        address.name, address.namespace
    );
    let help = format!("write `{name}.{namespace}{SERVICE}`, the Service of the gateway {gateway}");
    Some((message, help))
}

/// The name and the namespace of a gateway's Service; `None` if they are not known.
fn service<'a>(front: &'a Front<'_>) -> Option<(String, &'a str)> {
    let labels = front.service_labels();
    let name = labels.known.get("io.kubernetes.service.name")?;
    (!variable::in_text(name)).then(|| Some((name.clone(), front.namespace()?)))?
}

/// Whether another given Service or release has that name.
fn is_someone_elses(
    context: &LintContext<'_>,
    object: &Object,
    address: &ServiceAddress<'_>,
) -> bool {
    let services = context.of_kind("", "Service");
    let releases = context.of_kind("helm.toolkit.fluxcd.io", "HelmRelease");
    services.chain(releases).any(|one| {
        address.name.starts_with(one.object.name())
            && one.object.namespace() == address.namespace
            && one.object.name() != "envoy"
            && context.may_share_cluster(one.object, object)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::support::{FRONT, with_context};
    use flux_repo::fixture::tree;

    #[test]
    fn a_tunnel_leads_to_the_service_of_a_gateway() {
        let says = |address: &str| {
            let text = format!(
                "{FRONT}
# tunnel.yaml
apiVersion: v1
kind: ConfigMap
metadata: {{name: tunnel, namespace: network}}
data:
  config.yaml: |
    ingress: [{{hostname: '*.example.com', service: 'https://{address}.svc.cluster.local:443'}}]
"
            );
            with_context(&tree(&text), |context| {
                check(context)
                    .into_iter()
                    .map(|one| one.message)
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(says("external.network"), [""; 0]);
        assert_eq!(says("app.network"), [""; 0]);
        let hashed = hashed_deployment("network", "external");
        assert_eq!(
            says(&format!("{hashed}.network")),
            [format!(
                "there is no Service {hashed} in the namespace network"
            )]
        );
    }
}
