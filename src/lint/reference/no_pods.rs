//! Services behind routes whose selector or port no workload at hand satisfies.

use crate::lint::front::GATEWAY_API;
use crate::lint::reference::names::is_sure;
use crate::lint::{Applied, LintContext};
use envoy_gateway::helm_routes::{HELM, release_namespace};
use envoy_gateway::read::{has, list, text};
use envoy_gateway::selector::Labels;
use flux_repo::ARGO_CD;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::{listed, misspelt};
use manifest::finding;
use manifest::value::{Node, Pointer, variable};

manifest::code! {
    "reference"/"no-pods", Warning, "A Service behind a route that leads to no Pods.",
    r#"
A Service sends requests to the Pods that have all labels of its `selector`. If there are none, a route to the Service
is accepted, and each request gets 503. A `targetPort` that is a name must be the name of a port of a container. This
is reported if a workload that is meant is among the manifests: one whose labels differ in a misspelling or by one
value, and no chart is installed in that namespace.

## Wrong

```yaml
kind: Service
spec: { selector: { app: shop-web } }
---
kind: Deployment
spec: { template: { metadata: { labels: { app: shop } } } }
```

## Right

```yaml
kind: Service
spec: { selector: { app: shop } }
---
kind: Deployment
spec: { template: { metadata: { labels: { app: shop } } } }
```
"#
}

/// Reports Services of routes that lead nowhere.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for service in context.of_kind("", "Service") {
        let is_plain = text(&service.object.node, &["spec", "type"]) != Some("ExternalName");
        if is_plain && is_sure(context, &service) && is_used(context, &service) {
            found.extend(leads_nowhere(context, &service));
        }
    }
    found
}

/// Whether a route refers to a Service.
fn is_used(context: &LintContext<'_>, service: &Applied<'_>) -> bool {
    let kinds = ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"].iter();
    let mut routes = kinds.flat_map(|kind| context.of_kind(GATEWAY_API, kind));
    routes.any(|route| {
        let rules = list(&route.object.node, &["spec", "rules"]).iter();
        let mut references = rules.flat_map(|rule| list(rule, &["backendRefs"]));
        references.any(|it| {
            let namespace = text(it, &["namespace"]).unwrap_or(route.object.namespace());
            text(it, &["name"]) == Some(service.object.name())
                && namespace == service.object.namespace()
                && context.may_share_cluster(route.object, service.object)
        })
    })
}

fn leads_nowhere(context: &LintContext<'_>, service: &Applied<'_>) -> Option<Diagnostic> {
    let namespace = service.object.namespace();
    // A chart may make the Pods.
    let installs = |it: &Applied<'_>| match it.object.group() {
        HELM => release_namespace(it.object) == namespace,
        _ => text(&it.object.node, &["spec", "destination", "namespace"]) == Some(namespace),
    };
    let releases = context.of_kind(HELM, "HelmRelease");
    if releases
        .chain(context.of_kind(ARGO_CD, "Application"))
        .any(|it| installs(&it))
    {
        return None;
    }
    let selector = service.object.node.path(&["spec", "selector"])?.as_map()?;
    let wanted: Vec<(&str, &str)> = selector
        .iter()
        .filter_map(|(key, value)| Some((key, value.as_str()?)))
        .collect();
    if wanted.is_empty() || wanted.iter().any(|(_, value)| variable::in_text(value)) {
        return None;
    }
    let workloads: Vec<(Applied<'_>, Labels)> = context
        .workloads()
        .filter(|it| {
            it.object.namespace() == namespace
                && context.may_share_cluster(it.object, service.object)
        })
        .map(|it| (it, pod_labels(&it)))
        .collect();
    if workloads
        .iter()
        .any(|(it, labels)| labels.is_open || !is_sure(context, it))
    {
        return None;
    }
    let has = |labels: &Labels, (key, value): &(&str, &str)| {
        labels
            .known
            .get(*key)
            .is_some_and(|it| it == value || variable::in_text(it))
    };
    let selected = workloads.iter();
    let selected = selected.filter(|(_, labels)| wanted.iter().all(|it| has(labels, it)));
    let selected: Vec<&Applied<'_>> = selected.map(|(it, _)| it).collect();
    if !selected.is_empty() {
        return without_port(service, &selected);
    }
    let name = service.object.name();
    // Something else may have Pods of another name, so only what is near is told.
    let (meant, labels) = workloads.iter().find(|(it, labels)| {
        let differ = wanted.iter().filter(|it| !has(labels, it));
        let differ: Vec<&(&str, &str)> = differ.collect();
        let is_near = |(key, value): &(&str, &str)| {
            let there = labels.known.get(*key).map(String::as_str);
            misspelt(value, there).is_some()
        };
        it.object.name() == name || differ.iter().all(|it| is_near(it))
    })?;
    let (key, value) = wanted.iter().find(|it| !has(labels, it))?;
    let place = Pointer::root().key("spec").key("selector").key(*key);
    let object = meant.object;
    let help = match labels.known.get(*key) {
        Some(there) => format!("write `{key}: {there}`"),
        None => {
            let all = labels
                .known
                .iter()
                .map(|(key, value)| format!("`{key}: {value}`"));
            format!(
                "select by labels that the Pods have: {}",
                listed(all.collect::<Vec<_>>().into_iter())
            )
        }
    };
    let message = format!(
        "Service {name} selects no Pods: those of {} {} don't have `{key}: {value}`",
        object.kind(),
        object.name()
    );
    Some(
        finding(CODE, service.object, &place, message)
            .related(
                object.span(&Pointer::root().key("spec").key("template")),
                "the Pods",
            )
            .why("the Service has no endpoints, so requests of its routes get 503")
            .help(help),
    )
}

fn pod_labels(one: &Applied<'_>) -> Labels {
    let mut labels = Labels {
        is_open: one.way.is_some_and(|way| way.is_partly_unknown),
        ..Labels::default()
    };
    labels.add(
        one.object
            .node
            .path(&["spec", "template", "metadata", "labels"]),
    );
    labels
}

fn pod<'a>(one: &Applied<'a>) -> Option<&'a Node> {
    one.object.node.path(&["spec", "template", "spec"])
}

/// A port whose `targetPort` is a name that no container has.
fn without_port(service: &Applied<'_>, selected: &[&Applied<'_>]) -> Option<Diagnostic> {
    let containers = selected.iter().filter_map(|it| pod(it));
    let containers = containers.flat_map(|it| {
        list(it, &["containers"])
            .iter()
            .chain(list(it, &["initContainers"]))
    });
    let ports: Vec<&Node> = containers.flat_map(|it| list(it, &["ports"])).collect();
    let names: Vec<&str> = ports.iter().filter_map(|it| text(it, &["name"])).collect();
    let all = list(&service.object.node, &["spec", "ports"]).iter();
    let (at, target) = all.enumerate().find_map(|(at, port)| {
        let target = text(port, &["targetPort"])?;
        let is_number = target.bytes().all(|byte| byte.is_ascii_digit());
        let is_there = names
            .iter()
            .any(|it| *it == target || variable::in_text(it));
        (!is_number && !is_there && !variable::in_text(target)).then_some((at, target))
    })?;
    // Pods may get containers from elsewhere.
    if selected
        .iter()
        .any(|it| !has(&it.object.node, &["spec", "template", "spec", "containers"]))
    {
        return None;
    }
    let place = Pointer::root().key("spec").key("ports").index(at);
    let first = selected.first()?.object;
    let message = format!(
        "no container of {} {} has a port with the name `{target}`",
        first.kind(),
        first.name()
    );
    let help = match names.is_empty() {
        true => format!("give the port of the container `name: {target}`, or write its number"),
        false => format!(
            "use one that exists: {}",
            listed(names.iter().map(|it| format!("`{it}`")))
        ),
    };
    Some(
        finding(CODE, service.object, &place.key("targetPort"), message)
            .related(
                first.span(&Pointer::root().key("spec").key("template")),
                "the Pods",
            )
            .why("the Service has no endpoints for this port, so requests of its routes get 503")
            .help(help),
    )
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    fn says(selector: &str, port: &str, rest: &str) -> Vec<String> {
        let text = format!(
            "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: shop, namespace: shop}}
spec: {{rules: [{{backendRefs: [{{name: shop, port: 80}}]}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: shop, namespace: shop}}
spec: {{selector: {{{selector}}}, ports: [{{port: 80, targetPort: {port}}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop, namespace: shop}}
spec: {{template: {{metadata: {{labels: {{app: shop, tier: web}}}}, spec: {{containers: [{{name: a, ports: [{{name: http, containerPort: 80}}]}}]}}}}}}
{rest}"
        );
        told(check, "1.9.0", &[("a.yaml", &text)])
    }

    #[test]
    fn a_service_of_a_route_selects_pods() {
        assert_eq!(says("app: shop", "http", ""), [""; 0]);
        assert_eq!(
            says("app: shop-web", "http", ""),
            [
                "warning reference/no-pods /spec/selector/app: Service shop selects no Pods: those of Deployment shop don't have `app: shop-web`"
            ]
        );
        let chart = "---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: shop}
";
        assert_eq!(says("app: shop-web", "http", chart), [""; 0]);
    }

    #[test]
    fn a_target_port_is_one_of_a_container() {
        assert_eq!(says("app: shop", "8080", ""), [""; 0]);
        assert_eq!(
            says("app: shop", "web", ""),
            [
                "warning reference/no-pods /spec/ports/0/targetPort: no container of Deployment shop has a port with the name `web`"
            ]
        );
    }
}
