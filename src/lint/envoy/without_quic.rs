//! HTTP/3 that is enabled but doesn't work.

use super::filter_chains::shown;
use envoy_gateway::Resolved;
use envoy_gateway::envoy_config::http3::{Reason, WithoutHttp3};
use manifest::diagnostic::Diagnostic;
use manifest::value::Pointer;
use manifest::{Object, finding};

manifest::code! {
    "envoy"/"without-quic", Warning, "HTTP/3 that is enabled but doesn't work.",
    r#"
HTTP/3 runs over QUIC, for which Envoy has neither the PROXY protocol nor the verification of clients' certificates.
With `proxyProtocol`, Envoy refuses the listener for HTTP/3, but still offers HTTP/3 to browsers (`alt-svc`), which try
it in vain. With `tls.clientValidation`, Envoy Gateway leaves HTTP/3 off. `--ignore envoy/without-quic` disables this
check.

## Wrong

```yaml
kind: ClientTrafficPolicy
spec:
  http3: {}
  proxyProtocol: {}
```

## Right

```yaml
kind: ClientTrafficPolicy
spec:
  proxyProtocol: {}
```
"#
}

/// Reports a policy that enables HTTP/3 in vain.
pub(super) fn report<'a>(
    resolved: &Resolved<'a>,
    without: &WithoutHttp3,
) -> Option<(&'a Object, Diagnostic)> {
    let listener = shown(resolved.listener(without.listener)?);
    let object = resolved.policy(without.policy)?.object;
    let (because, why) = match without.reason {
        Reason::ProxyProtocol => (
            "the PROXY protocol is on",
            "Envoy can't read the PROXY protocol over QUIC and refuses the listener for HTTP/3, but goes on offering HTTP/3 to browsers, which then try it in vain",
        ),
        Reason::ClientCertificates => (
            "clients must show certificates",
            "Envoy can't verify certificates of clients over QUIC, so Envoy Gateway leaves HTTP/3 off",
        ),
    };
    let message = format!("HTTP/3 doesn't work at {listener}, because {because}");
    let pointer = Pointer::root().key("spec").key("http3");
    let found = finding(CODE, object, &pointer, message)
        .why(why)
        .help("remove `http3`");
    Some((object, found))
}

#[cfg(test)]
mod tests {
    use super::super::support::{CLASS, gateway, https};
    use crate::lint::attachment::support::{policy, said};

    #[test]
    fn http3_with_the_proxy_protocol_is_told() {
        let listeners = [https("https", "a.example.com", "a-tls")];
        let gateway = format!("{CLASS}{}", gateway("", &listeners));
        let with = |settings: &str| {
            let target =
                "targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: internal}";
            let spec = format!("{{{target}, http3: {{}}{settings}}}");
            said(&format!(
                "{gateway}{}",
                policy("ClientTrafficPolicy", "clients", &spec)
            ))
        };
        assert_eq!(
            with(", proxyProtocol: {}"),
            [
                "envoy/without-quic /spec/http3: HTTP/3 doesn't work at listener `https` of network/internal, because the \
                 PROXY protocol is on (remove `http3`)"
            ]
        );
        assert_eq!(with(""), [""; 0]);
    }
}
