//! ServiceMonitors for proxies, whose Services have no port for metrics.

use super::monitor_elsewhere::is_for_proxies;
use crate::lint::{Applied, LintContext};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer};

manifest::code! {
    "flux"/"monitor-without-port", Warning, "A ServiceMonitor for a port that the proxies' Services don't have.",
    r#"
A ServiceMonitor selects the Services that Envoy Gateway creates for gateways. These have only the ports of the
listeners, named `http-80` or `https-443`, for example. The metrics of the proxies are on the port `metrics` (19001) of
the Pods, so Prometheus finds no target. Use a PodMonitor. (A ServiceMonitor for the controller is right: its Service
`envoy-gateway` has the port `metrics`.)

## Wrong

```yaml
kind: ServiceMonitor
spec:
  selector:
    matchLabels:
      app.kubernetes.io/component: proxy
      app.kubernetes.io/name: envoy
  endpoints:
    - port: metrics
      path: /stats/prometheus
```

## Right

```yaml
kind: PodMonitor
spec:
  selector:
    matchLabels:
      app.kubernetes.io/component: proxy
      app.kubernetes.io/name: envoy
  podMetricsEndpoints:
    - port: metrics
      path: /stats/prometheus
```
"#
}

/// Reports ServiceMonitors that select proxies by the name of a port that is no listener's.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let monitors = context.of_kind("monitoring.coreos.com", "ServiceMonitor");
    let of_proxies = monitors.filter(is_for_proxies);
    of_proxies
        .filter(|monitor| !has_other_service(context, monitor))
        .filter_map(|monitor| {
            let pointer = Pointer::root().key("spec").key("endpoints");
            let endpoints = monitor.object.node.at(&pointer)?.as_list()?;
            let (at, port) = endpoints.iter().enumerate().find_map(|(at, one)| {
                let port = one.get("port")?.as_str()?;
                // The ports of a Service are named PROTOCOL-NUMBER.
                let is_listener = port.rsplit_once('-').is_some_and(|(_, number)| {
                    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
                });
                (!is_listener && !port.contains("${")).then_some((at, port))
            })?;
            let message = format!(
                "{} looks for the port `{port}`, which the Services of the proxies don't have",
                monitor.object.name()
            );
            Some(
                finding(CODE, monitor.object, &pointer.index(at).key("port"), message)
                    .why("the Services have only the ports of listeners, so nothing is scraped, dashboards stay empty and alerts never fire")
                    .help("write a PodMonitor with `podMetricsEndpoints: [{port: metrics, path: /stats/prometheus}]` instead"),
            )
        })
        .collect()
}

/// Whether a given Service has labels of the proxies, so that it may be meant.
fn has_other_service(context: &LintContext<'_>, monitor: &Applied<'_>) -> bool {
    context.of_kind("", "Service").any(|service| {
        let labels = service.object.node.path(&["metadata", "labels"]);
        let name = labels.and_then(|labels| labels.get("app.kubernetes.io/name")?.as_str());
        let wanted = monitor.object.node.path(&[
            "spec",
            "selector",
            "matchLabels",
            "app.kubernetes.io/name",
        ]);
        name.is_some()
            && name == wanted.and_then(Node::as_str)
            && context.may_share_cluster(service.object, monitor.object)
    })
}

#[cfg(test)]
mod tests {
    use crate::lint::support::found_in;

    #[test]
    fn the_services_of_proxies_have_no_port_for_metrics() {
        let says = |component: &str, port: &str| {
            found_in(&format!(
                "
# a.yaml
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {{name: envoy, namespace: network}}
spec:
  selector: {{matchLabels: {{app.kubernetes.io/component: {component}, app.kubernetes.io/name: envoy}}}}
  endpoints: [{{{port}, path: /stats/prometheus}}]
"
            ))
        };
        assert_eq!(
            says("proxy", "port: metrics"),
            [
                "warning flux/monitor-without-port a.yaml:6 envoy looks for the port `metrics`, which the Services of the proxies don't have"
            ]
        );
        assert_eq!(says("proxy", "targetPort: 19001"), [""; 0]);
        assert_eq!(says("other", "port: metrics"), [""; 0]);
    }
}
