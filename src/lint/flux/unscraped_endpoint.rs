//! Monitors for a port or a path at which Envoy Gateway's Pods have no metrics.

use super::monitor_elsewhere::{is_for_controller, is_for_proxies};
use crate::lint::words::any_text;
use crate::lint::{Applied, LintContext};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer};

manifest::code! {
    "flux"/"unscraped-endpoint", Warning, "A monitor for a port or a path without metrics.",
    r#"
The Pods of the proxies have their metrics on the port `metrics` (19001), at the path `/stats/prometheus`; Prometheus'
default is `/metrics`, which answers with 404. The Service of the controller has them on the port `metrics`, too.
Prometheus finds no target, or an error at each scrape, so dashboards stay empty and alerts never fire.

## Wrong

```yaml
kind: PodMonitor
spec:
  selector:
    matchLabels: { app.kubernetes.io/component: proxy, app.kubernetes.io/name: envoy }
  podMetricsEndpoints:
    - port: metrics
```

## Right

```yaml
kind: PodMonitor
spec:
  selector:
    matchLabels: { app.kubernetes.io/component: proxy, app.kubernetes.io/name: envoy }
  podMetricsEndpoints:
    - port: metrics
      path: /stats/prometheus
```
"#
}

/// The port with the metrics.
const PORT: &str = "metrics";

/// The path of the proxies' metrics.
const PATH: &str = "/stats/prometheus";

/// The ports of the controller's Service (charts 1.5 to 1.9).
const OF_CONTROLLER: [&str; 5] = ["grpc", "ratelimit", "wasm", PORT, "webhook"];

/// Reports monitors whose endpoints can't be scraped.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let monitors = |kind| context.of_kind("monitoring.coreos.com", kind);
    let of_proxies = monitors("PodMonitor").filter(is_for_proxies);
    let mut found: Vec<Diagnostic> = of_proxies
        .filter_map(|monitor| of_proxies_endpoint(context, &monitor))
        .collect();
    let of_controller = monitors("ServiceMonitor").filter(is_for_controller);
    found.extend(of_controller.filter_map(|monitor| of_controller_endpoint(&monitor)));
    found
}

fn of_proxies_endpoint(context: &LintContext<'_>, monitor: &Applied<'_>) -> Option<Diagnostic> {
    let (list, endpoints) = endpoints(monitor, "podMetricsEndpoints")?;
    let pointer = |at: usize| list.index(at);
    let is_metrics = |one: &Node| {
        let port = one.get("port").and_then(Node::as_str);
        let number = one.get("portNumber").or(one.get("targetPort"));
        let number = number.and_then(|number| number.to_json().as_i64());
        port == Some(PORT) || number == Some(19001)
    };
    if let Some(at) = endpoints.iter().position(is_metrics) {
        let one = endpoints.get(at)?;
        let path = one.get("path").and_then(Node::as_str).unwrap_or("/metrics");
        if path.starts_with(PATH) || path.contains("${") {
            return None;
        }
        let place = match one.get("path") {
            Some(_) => pointer(at).key("path"),
            None => pointer(at),
        };
        let message = format!(
            "{} looks for metrics of the proxies at `{path}`",
            monitor.object.name()
        );
        return Some(
            finding(CODE, monitor.object, &place, message)
                .why("Envoy answers with 404 there, so dashboards stay empty and alerts never fire")
                .help(format!("write `path: {PATH}`")),
        );
    }
    let port = endpoints.first()?.get("port").and_then(Node::as_str)?;
    // A container of its own, or a patch, may have another port.
    let mut proxies = context.of_kind("gateway.envoyproxy.io", "EnvoyProxy");
    let is_listener = port
        .rsplit_once('-')
        .is_some_and(|(_, number)| number.parse::<u16>().is_ok());
    let is_other = port.contains("${")
        || is_listener
        || proxies.any(|it| any_text(&it.object.node, &mut |text| text == port));
    if is_other {
        return None;
    }
    let message = format!(
        "{} looks for the port `{port}`, which the Pods of the proxies don't have",
        monitor.object.name()
    );
    Some(
        finding(CODE, monitor.object, &pointer(0).key("port"), message)
            .why("Prometheus finds no target, so dashboards stay empty and alerts never fire")
            .help(format!("write `port: {PORT}` and `path: {PATH}`")),
    )
}

fn of_controller_endpoint(monitor: &Applied<'_>) -> Option<Diagnostic> {
    let (list, endpoints) = endpoints(monitor, "endpoints")?;
    let (at, port) = endpoints.iter().enumerate().find_map(|(at, one)| {
        let port = one.get("port")?.as_str()?;
        (!OF_CONTROLLER.contains(&port) && !port.contains("${")).then_some((at, port))
    })?;
    let message = format!(
        "{} looks for the port `{port}`, which the Service of the controller doesn't have",
        monitor.object.name()
    );
    Some(
        finding(CODE, monitor.object, &list.index(at).key("port"), message)
            .why("Prometheus finds no target, so dashboards stay empty and alerts never fire")
            .help(format!("write `port: {PORT}`")),
    )
}

fn endpoints<'a>(monitor: &Applied<'a>, key: &str) -> Option<(Pointer, &'a [Node])> {
    let pointer = Pointer::root().key("spec").key(key);
    let list = monitor.object.node.at(&pointer)?.as_list()?;
    Some((pointer, list))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    fn says(kind: &str, labels: &str, list: &str, endpoint: &str) -> Vec<String> {
        let text = format!(
            "apiVersion: monitoring.coreos.com/v1
kind: {kind}
metadata: {{name: m, namespace: network}}
spec: {{selector: {{matchLabels: {{{labels}}}}}, {list}: [{{{endpoint}}}]}}
"
        );
        told(check, "1.9.0", &[("a.yaml", &text)])
    }

    #[test]
    fn proxies_have_metrics_at_one_port_and_path() {
        let labels = "app.kubernetes.io/component: proxy, app.kubernetes.io/name: envoy";
        let says = |endpoint: &str| says("PodMonitor", labels, "podMetricsEndpoints", endpoint);
        assert_eq!(
            says("port: metrics"),
            [
                "warning flux/unscraped-endpoint /spec/podMetricsEndpoints/0: m looks for metrics of the proxies at `/metrics`"
            ]
        );
        assert_eq!(
            says("port: http-metrics, path: /stats/prometheus"),
            [
                "warning flux/unscraped-endpoint /spec/podMetricsEndpoints/0/port: m looks for the port `http-metrics`, which the Pods of the proxies don't have"
            ]
        );
        assert_eq!(says("port: metrics, path: /stats/prometheus"), [""; 0]);
        assert_eq!(says("targetPort: 19001, path: /stats/prometheus"), [""; 0]);
    }

    #[test]
    fn the_service_of_the_controller_has_few_ports() {
        let labels = "control-plane: envoy-gateway";
        let says = |port: &str| says("ServiceMonitor", labels, "endpoints", port);
        assert_eq!(
            says("port: http"),
            [
                "warning flux/unscraped-endpoint /spec/endpoints/0/port: m looks for the port `http`, which the Service of the controller doesn't have"
            ]
        );
        assert_eq!(says("port: metrics"), [""; 0]);
    }
}
