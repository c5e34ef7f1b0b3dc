//! HTTPS listeners that are to have HTTP/3, but don't.

use crate::policy::PolicyKind;
use crate::read::has;
use crate::view::{ListenerId, PolicyId, Resolved};
use manifest::value::Node;

/// Why a listener has no HTTP/3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The PROXY protocol is read by a filter that Envoy doesn't have for QUIC: it refuses the listener for HTTP/3, and
    /// the one for TCP goes on offering HTTP/3 to clients (`alt-svc`).
    ProxyProtocol,
    /// Envoy Gateway leaves HTTP/3 off where clients' certificates are verified.
    ClientCertificates,
}

/// A listener without the HTTP/3 that its policy asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WithoutHttp3 {
    /// The listener.
    pub listener: ListenerId,
    /// The ClientTrafficPolicy.
    pub policy: PolicyId,
    /// Why.
    pub reason: Reason,
}

/// The listeners whose policy has `http3` together with a setting that prevents it.
pub fn without_http3(resolved: &Resolved<'_>) -> Vec<WithoutHttp3> {
    let policies_in_force = resolved.effective_policies();
    let listeners = resolved.listeners().iter().enumerate();
    let https = listeners.filter(|(_, it)| it.protocol == "HTTPS" && it.is_ready());
    https
        .filter_map(|(at, _)| {
            let listener = ListenerId(at);
            let policies =
                resolved.effective(&policies_in_force, PolicyKind::Client, None, listener);
            let policy = policies.into_iter().next()?;
            let reason = reason(resolved.policy(policy)?.spec()?)?;
            Some(WithoutHttp3 {
                listener,
                policy,
                reason,
            })
        })
        .collect()
}

fn reason(spec: &Node) -> Option<Reason> {
    let reads_proxy_protocol = has(spec, &["proxyProtocol"])
        || spec.path(&["enableProxyProtocol"]).and_then(Node::as_bool) == Some(true);
    if !has(spec, &["http3"]) {
        None
    } else if has(spec, &["tls", "clientValidation"]) {
        Some(Reason::ClientCertificates)
    } else {
        reads_proxy_protocol.then_some(Reason::ProxyProtocol)
    }
}
