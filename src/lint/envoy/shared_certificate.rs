//! HTTPS listeners without HTTP/2, because their certificates overlap.

use envoy_gateway::Resolved;
use envoy_gateway::envoy_config::http2::WithoutHttp2;
use manifest::diagnostic::Diagnostic;
use manifest::{Object, finding};

manifest::code! {
    "envoy"/"shared-certificate", Warning, "HTTPS listeners without HTTP/2, because their certificates overlap.",
    r#"
A browser that has a connection to one HTTPS listener may send it requests for another one, if the certificate is for
both. Envoy Gateway prevents this: if the certificates of two HTTPS listeners on a port have a name in common, both
offer only HTTP/1.1. A ClientTrafficPolicy with `tls.alpnProtocols` enables HTTP/2 again.
`--ignore envoy/shared-certificate` disables this check.

## Wrong

```yaml
listeners:
  - {name: web, port: 443, protocol: HTTPS, hostname: "*.example.com", tls: {certificateRefs: [{name: example}]}}
  - {name: apex, port: 443, protocol: HTTPS, hostname: example.com, tls: {certificateRefs: [{name: example}]}}
```

## Right

```yaml
listeners:
  - {name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: example}]}}
```
"#
}

/// Reports a listener that gets no HTTP/2.
pub(super) fn report<'a>(
    resolved: &Resolved<'a>,
    without: &WithoutHttp2,
) -> Option<(&'a Object, Diagnostic)> {
    let listener = resolved.listener(without.listener)?;
    let with = match &without.shared {
        Some((_, secret)) => format!("the certificate `{secret}`"),
        None => "names of its certificate".to_owned(),
    };
    let message = format!(
        "listener `{}` has no HTTP/2, because it shares {with} with another listener on port {}",
        listener.name, listener.port
    );
    let found = finding(CODE, listener.object, &listener.pointer, message)
        .why("a browser may send requests for one listener over a connection to the other, so Envoy Gateway offers only HTTP/1.1 there")
        .help("use one listener for both, give each a certificate of its own, or set `tls.alpnProtocols: [h2, http/1.1]` in a ClientTrafficPolicy");
    Some((listener.object, found))
}

#[cfg(test)]
mod tests {
    use super::super::support::{CLASS, gateway, https};
    use crate::lint::attachment::support::said;

    #[test]
    fn two_listeners_with_one_certificate_are_told() {
        let with = |second: &str| {
            let listeners = [
                https("a", "a.example.com", "example-com-tls"),
                https("b", "b.example.com", second),
            ];
            said(&format!("{CLASS}{}", gateway("", &listeners)))
        };
        assert_eq!(
            with("example-com-tls"),
            [
                "envoy/shared-certificate /spec/listeners/0: listener `a` has no HTTP/2, because it shares the certificate \
                 `example-com-tls` with another listener on port 443 (use one listener for both, give each a certificate of \
                 its own, or set `tls.alpnProtocols: [h2, http/1.1]` in a ClientTrafficPolicy)"
            ]
        );
        assert_eq!(with("b-tls"), [""; 0]);
    }
}
