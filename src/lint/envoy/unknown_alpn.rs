//! Names of protocols for ALPN that no client offers.

use crate::lint::LintContext;
use crate::lint::field;
use crate::lint::front::ENVOY_GATEWAY;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, variable};

manifest::code! {
    "envoy"/"unknown-alpn", Warning, "A protocol in `alpnProtocols` that no client offers.",
    r#"
`alpnProtocols` lists protocols by their registered names: `h2` for HTTP/2, `http/1.1` and `http/1.0`. The API server
accepts any text, and Envoy offers it as it is. No client knows `http2` or `HTTP/2`, so connections use another
protocol of the list, or none.

## Wrong

```yaml
tls: {alpnProtocols: [http2, http/1.1]}
```

## Right

```yaml
tls: {alpnProtocols: [h2, http/1.1]}
```
"#
}

/// The kinds with such a list, and its path.
const LISTS: [(&str, &str); 2] = [
    ("ClientTrafficPolicy", "spec.tls.alpnProtocols"),
    ("EnvoyProxy", "spec.backendTLS.alpnProtocols"),
];

/// Ways to write the protocols of HTTP, and their registered names.
const MEANT: &[(&str, &str)] = &[
    ("http2", "h2"),
    ("http/2", "h2"),
    ("http/2.0", "h2"),
    ("http1", "http/1.1"),
    ("http1.1", "http/1.1"),
    ("http/1", "http/1.1"),
    ("h1", "http/1.1"),
];

/// Reports protocols of HTTP with other names.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for (kind, path) in LISTS {
        for one in context.of_kind(ENVOY_GATEWAY, kind) {
            for place in field::find(&one.object.node, path) {
                let items = one.object.node.at(&place).and_then(Node::as_list);
                for (at, item) in items.unwrap_or_default().iter().enumerate() {
                    let name = item.as_str().unwrap_or_default();
                    let lower = name.to_ascii_lowercase();
                    let is_right = matches!(name, "h2" | "http/1.1" | "http/1.0");
                    let meant = MEANT.iter().find(|(written, _)| *written == lower);
                    let registered = ["h2", "http/1.1", "http/1.0"];
                    let meant = meant.map(|(_, meant)| *meant);
                    let meant = meant.or_else(|| registered.into_iter().find(|it| *it == lower));
                    let Some(meant) = meant.filter(|_| !is_right && !variable::in_text(name))
                    else {
                        continue;
                    };
                    let message = format!("no client offers the protocol `{name}`");
                    let help = format!("write `{meant}`");
                    let one = finding(CODE, one.object, &place.index(at), message)
                        .why("the name is not a registered one, so connections never use that protocol")
                        .help(help);
                    if !found.contains(&one) {
                        found.push(one);
                    }
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn protocols_have_registered_names() {
        let with = |protocols: &str| {
            let text = format!(
                "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {{name: a, namespace: network}}
spec: {{tls: {{alpnProtocols: [{protocols}]}}}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(with("h2, http/1.1, http/1.0, acme-tls/1"), [""; 0]);
        assert_eq!(
            with("http2, http/1.1"),
            [
                "warning envoy/unknown-alpn /spec/tls/alpnProtocols/0: no client offers the protocol `http2`"
            ]
        );
    }
}
