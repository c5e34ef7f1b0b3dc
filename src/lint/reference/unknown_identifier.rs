//! Identifiers in the values of app-template that name nothing.

use super::app_template::{entries, identifiers, is_plain, releases, values_pointer};
use super::names::meant;
use crate::lint::LintContext;
use envoy_gateway::read::{has, list, text};
use manifest::diagnostic::Diagnostic;
use manifest::value::{Node, Pointer};
use manifest::{Object, finding, finding_on_key};

manifest::code! {
    "reference"/"unknown-identifier", Error, "An identifier in the values of app-template that names nothing.",
    r#"
In the values of app-template (bjw-s' common library), controllers, services and other parts are entries of a
map, and refer to each other by the key of the entry: a service names its `controller`, a backend of a route
names a service by `identifier` and one of its ports by name. If there is no such entry, the chart can't be
rendered, and the release fails. Only `advancedMounts` for a controller or a container that doesn't exist are
left out silently, so the volume is missing in the Pod.

## Wrong

```yaml
service: { app: { controller: grafna, ports: { http: { port: 80 } } } }
controllers: { grafana: {} }
route:
  app:
    rules: [{ backendRefs: [{ identifier: application, port: web }] }]
```

## Right

```yaml
service: { app: { controller: grafana, ports: { http: { port: 80 } } } }
controllers: { grafana: {} }
route:
  app:
    rules: [{ backendRefs: [{ identifier: app, port: http }] }]
```
"#
}

const FAILS: &str = "the chart can't be rendered, so the release is not installed or updated";

/// Reports identifiers that name nothing.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for release in releases(context) {
        let Some(values) = release.object.node.at(&values_pointer()) else {
            continue;
        };
        let mut names = Names {
            release: release.object,
            values,
            found: Vec::new(),
        };
        names.services();
        names.routes();
        names.ingresses();
        names.monitors();
        names.mounts();
        names.volumes();
        names.containers();
        for one in names.found {
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
    found
}

/// Looks up the identifiers of one release.
struct Names<'a> {
    release: &'a Object,
    values: &'a Node,
    found: Vec<Diagnostic>,
}

impl<'a> Names<'a> {
    fn services(&mut self) {
        for (id, service) in entries(self.values, &["service"]) {
            let place = values_pointer().key("service").key(id);
            self.expect(
                &["controllers"],
                "controller",
                service,
                "controller",
                &place,
            );
        }
    }

    fn routes(&mut self) {
        for (id, route) in entries(self.values, &["route"]) {
            let place = values_pointer().key("route").key(id).key("rules");
            for (at, rule) in list(route, &["rules"]).iter().enumerate() {
                let place = place.index(at).key("backendRefs");
                for (at, backend) in list(rule, &["backendRefs"]).iter().enumerate() {
                    if !has(backend, &["name"]) {
                        self.service_and_port(backend, &place.index(at));
                    }
                }
            }
        }
    }

    fn ingresses(&mut self) {
        for (id, ingress) in entries(self.values, &["ingress"]) {
            let place = values_pointer().key("ingress").key(id).key("hosts");
            for (at, host) in list(ingress, &["hosts"]).iter().enumerate() {
                let place = place.index(at).key("paths");
                for (at, path) in list(host, &["paths"]).iter().enumerate() {
                    if let Some(service) = path.get("service")
                        && !has(service, &["name"])
                    {
                        self.service_and_port(service, &place.index(at).key("service"));
                    }
                }
            }
        }
    }

    fn monitors(&mut self) {
        for (id, monitor) in entries(self.values, &["serviceMonitor"]) {
            let place = values_pointer().key("serviceMonitor").key(id);
            let service = monitor.get("service");
            let names_other = has(monitor, &["serviceName"])
                || has(monitor, &["selector"])
                || service.is_some_and(|it| has(it, &["name"]));
            if names_other {
                continue;
            }
            if let Some(service) = service {
                let place = place.key("service");
                self.expect(&["service"], "service", service, "identifier", &place);
            }
            let id = service.and_then(|it| text(it, &["identifier"]));
            for (at, endpoint) in list(monitor, &["endpoints"]).iter().enumerate() {
                self.port(id, endpoint, &place.key("endpoints").index(at));
            }
        }
    }

    /// The controllers and containers that a volume is mounted in.
    fn mounts(&mut self) {
        let Some(_) = identifiers(self.values, &["controllers"]) else {
            return;
        };
        let controllers = entries(self.values, &["controllers"]);
        for (id, volume) in entries(self.values, &["persistence"]) {
            let place = values_pointer()
                .key("persistence")
                .key(id)
                .key("advancedMounts");
            for (name, containers) in entries(volume, &["advancedMounts"]) {
                let place = place.key(name);
                let Some((_, controller)) = controllers.iter().find(|(id, _)| *id == name) else {
                    let there: Vec<&str> = controllers.iter().map(|(id, _)| *id).collect();
                    self.unmounted("controller", name, &there, &place);
                    continue;
                };
                let all = ["containers", "initContainers"].map(|key| entries(controller, &[key]));
                let there: Vec<&str> = all.iter().flatten().map(|(id, _)| *id).collect();
                for (container, _) in entries(containers, &[]) {
                    if !there.contains(&container) && there.iter().all(|it| is_plain(it)) {
                        self.unmounted("container", container, &there, &place.key(container));
                    }
                }
            }
        }
    }

    fn unmounted(&mut self, what: &str, name: &str, there: &[&str], place: &Pointer) {
        if there.is_empty() || !is_plain(name) {
            return;
        }
        let message = format!("there is no {what} `{name}` in the values");
        self.found.push(
            finding_on_key(CODE, self.release, place, message)
                .why("the chart leaves the mount out, so the Pod lacks the volume")
                .help(meant(name, there)),
        );
    }

    /// The ConfigMaps and Secrets of the chart that are mounted.
    fn volumes(&mut self) {
        for (id, volume) in entries(self.values, &["persistence"]) {
            let place = values_pointer().key("persistence").key(id);
            match text(volume, &["type"]) {
                Some("configMap") => self.config_map(volume, &place),
                Some("secret") => self.expect(&["secrets"], "secret", volume, "identifier", &place),
                _ => {}
            }
        }
    }

    fn config_map(&mut self, holder: &Node, place: &Pointer) {
        if !has(self.values, &["configMapsFromFolder"]) {
            self.expect(&["configMaps"], "ConfigMap", holder, "identifier", place);
        }
    }

    /// What containers take their environment from.
    fn containers(&mut self) {
        for (id, controller) in entries(self.values, &["controllers"]) {
            let place = values_pointer().key("controllers").key(id);
            if let Some(account) = controller.get("serviceAccount") {
                let place = place.key("serviceAccount");
                self.expect(
                    &["serviceAccount"],
                    "service account",
                    account,
                    "identifier",
                    &place,
                );
            }
            for kind in ["containers", "initContainers"] {
                for (id, container) in entries(controller, &[kind]) {
                    let place = place.key(kind).key(id).key("envFrom");
                    for (at, source) in list(container, &["envFrom"]).iter().enumerate() {
                        self.environment(source, &place.index(at));
                    }
                }
            }
        }
    }

    fn environment(&mut self, source: &Node, place: &Pointer) {
        if let Some(reference) = source.get("configMapRef") {
            self.config_map(reference, &place.key("configMapRef"));
        }
        if let Some(reference) = source.get("secretRef") {
            let place = place.key("secretRef");
            self.expect(&["secrets"], "secret", reference, "identifier", &place);
        }
    }

    fn service_and_port(&mut self, node: &Node, place: &Pointer) {
        self.expect(&["service"], "service", node, "identifier", place);
        self.port(text(node, &["identifier"]), node, place);
    }

    /// Reports a field whose text is no identifier of a map of the values.
    fn expect(&mut self, map: &[&str], what: &str, node: &Node, field: &str, place: &Pointer) {
        let Some(name) = text(node, &[field]).filter(|name| is_plain(name)) else {
            return;
        };
        let Some(there) = identifiers(self.values, map) else {
            return;
        };
        if there.contains(&name) {
            return;
        }
        let message = format!("there is no {what} `{name}` in the values");
        let help = match there.is_empty() {
            true => format!("add it to `{}`, or remove `{field}`", map.join(".")),
            false => meant(name, &there),
        };
        self.found.push(
            finding(CODE, self.release, &place.key(field), message)
                .why(FAILS)
                .help(help),
        );
    }

    /// Reports a port by name that the service lacks.
    fn port(&mut self, service: Option<&str>, node: &Node, place: &Pointer) {
        let name = text(node, &["port"]).filter(|name| is_plain(name));
        let Some(name) = name.filter(|name| name.parse::<u16>().is_err()) else {
            return;
        };
        let Some(services) = identifiers(self.values, &["service"]) else {
            return;
        };
        let service = match (service, services.as_slice()) {
            (Some(id), all) if all.contains(&id) => id,
            (None, [only]) => only,
            _ => return,
        };
        let Some(ports) = identifiers(self.values, &["service", service, "ports"]) else {
            return;
        };
        if ports.contains(&name) || ports.is_empty() {
            return;
        }
        let message = format!("the service `{service}` has no port `{name}`");
        self.found.push(
            finding(CODE, self.release, &place.key("port"), message)
                .why("the chart can't be rendered, or nothing is sent to the port")
                .help(meant(name, &ports)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    const VALUES: &str = "
    controllers: {web: {containers: {app: {envFrom: [{configMapRef: {identifier: env}}]}}}}
    service: {web: {controller: web, ports: {http: {port: 80}, metrics: {port: 9090}}}, off: {enabled: false, controller: web}}
    configMaps: {env: {data: {A: b}}}
    route: {web: {parentRefs: [{name: edge}], rules: [{backendRefs: [{identifier: web, port: http}]}]}}
    ingress: {web: {hosts: [{host: a.example.com, paths: [{path: /, service: {identifier: web, port: http}}]}]}}
    serviceMonitor: {web: {endpoints: [{port: metrics}]}}
    persistence: {data: {type: emptyDir, advancedMounts: {web: {app: [{path: /data}]}}}, env: {type: configMap, identifier: env}}
";

    fn with(from: &str, to: &str) -> Vec<String> {
        assert!(VALUES.contains(from), "{from}");
        let text = format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: web, namespace: apps}}
spec:
  chart: {{spec: {{chart: app-template}}}}
  values:{}",
            VALUES.replacen(from, to, 1)
        );
        let found = told(check, "1.9.0", &[("a.yaml", &text)]);
        let short =
            |one: &String| one.replace("error reference/unknown-identifier /spec/values/", "");
        found.iter().map(short).collect()
    }

    #[test]
    fn identifiers_name_entries_of_the_values() {
        assert_eq!(with("A: b", "A: c"), [""; 0]);
        for (from, to, expected) in [
            (
                "{identifier: web, port: http}]",
                "{identifier: wbe, port: http}]",
                "route/web/rules/0/backendRefs/0/identifier: there is no service `wbe` in the values",
            ),
            (
                "{identifier: web, port: http}]",
                "{identifier: 'off', port: http}]",
                "route/web/rules/0/backendRefs/0/identifier: there is no service `off` in the values",
            ),
            (
                "{identifier: web, port: http}]",
                "{port: https}]",
                "route/web/rules/0/backendRefs/0/port: the service `web` has no port `https`",
            ),
            (
                "web: {controller: web",
                "web: {controller: app",
                "service/web/controller: there is no controller `app` in the values",
            ),
            (
                "service: {identifier: web, port: http}",
                "service: {identifier: web, port: htpp}",
                "ingress/web/hosts/0/paths/0/service/port: the service `web` has no port `htpp`",
            ),
            (
                "[{port: metrics}]",
                "[{port: metric}]",
                "serviceMonitor/web/endpoints/0/port: the service `web` has no port `metric`",
            ),
            (
                "advancedMounts: {web:",
                "advancedMounts: {wbe:",
                "persistence/data/advancedMounts/wbe: there is no controller `wbe` in the values",
            ),
            (
                "advancedMounts: {web: {app:",
                "advancedMounts: {web: {main:",
                "persistence/data/advancedMounts/web/main: there is no container `main` in the values",
            ),
            (
                "type: configMap, identifier: env",
                "type: configMap, identifier: envs",
                "persistence/env/identifier: there is no ConfigMap `envs` in the values",
            ),
            (
                "configMapRef: {identifier: env}",
                "configMapRef: {identifier: en}",
                "controllers/web/containers/app/envFrom/0/configMapRef/identifier: there is no ConfigMap `en` in the values",
            ),
        ] {
            assert_eq!(with(from, to), [expected], "{to}");
        }
        assert_eq!(
            with(
                "{identifier: web, port: http}]",
                "{identifier: \"${APP}\", port: http}]"
            ),
            [""; 0]
        );
    }

    #[test]
    fn values_from_elsewhere_may_have_the_entry() {
        let text = format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: web, namespace: apps}}
spec:
  chart: {{spec: {{chart: app-template}}}}
  valuesFrom: [{{kind: ConfigMap, name: more}}]
  values:{}",
            VALUES.replace("controller: web", "controller: other")
        );
        assert_eq!(told(check, "1.9.0", &[("a.yaml", &text)]), [""; 0]);
    }
}
