//! Checks the settings of ClientTrafficPolicies.

use super::units::{check_durations, check_http2_windows, check_quantity};
use crate::Resolver;
use crate::fault::{Fault, Faults};
use crate::grant::ReferenceGrantFrom;
use crate::index::{ENVOY_GATEWAY, Key};
use crate::modify::is_header_value;
use crate::read::{flag, list, text};
use crate::tls::{has_certificate, holds_any};
use crate::view::{Attachment, Listener, Rule};
use manifest::Object;
use manifest::value::{Node, variable};

const DURATIONS: &[&[&str]] = &[
    &["tcpKeepalive", "idleTime"],
    &["tcpKeepalive", "interval"],
    &["timeout", "tcp", "idleTimeout"],
    &["timeout", "tcp", "tlsHandshakeTimeout"],
    &["timeout", "tcp", "connectionInspectionTimeout"],
    &["timeout", "http", "requestReceivedTimeout"],
    &["timeout", "http", "idleTimeout"],
    &["timeout", "http", "streamIdleTimeout"],
    &["timeout", "http", "requestHeadersReceivedTimeout"],
    &["connection", "connectionLimit", "closeDelay"],
    &["connection", "connectionLimit", "maxConnectionDuration"],
    &["connection", "connectionLimit", "maxStreamDuration"],
];

const HTTP_DURATIONS: &[&[&str]] = &[
    &["http2", "connectionKeepalive", "interval"],
    &["http2", "connectionKeepalive", "timeout"],
    &["http2", "connectionKeepalive", "idleInterval"],
];

pub(crate) fn check(
    resolver: &Resolver<'_, '_>,
    policy: &Object,
    listener: &Listener<'_>,
    faults: &mut Faults,
) {
    let Some(spec) = policy.node.get("spec") else {
        return;
    };
    check_durations(spec, DURATIONS, faults);
    check_quantity(
        spec,
        &["connection", "bufferLimit"],
        0,
        i128::from(u32::MAX),
        faults,
    );
    if matches!(listener.protocol, "HTTP" | "HTTPS") {
        check_durations(spec, HTTP_DURATIONS, faults);
        check_http2_windows(spec, faults);
        if flag(spec, &["http1", "http10", "useDefaultHost"]) == Some(true)
            && let Some(fault) = no_default_host(resolver, listener)
        {
            faults.push(fault);
        }
        for key in ["earlyRequestHeaders", "lateResponseHeaders"] {
            if let Some(headers) = spec.path(&["headers", key]) {
                check_headers(key, headers, faults);
            }
        }
    }
    if listener.is_tls() {
        for cipher in list(spec, &["tls", "ciphers"]) {
            let cipher = cipher.as_str().unwrap_or_default();
            if !is_cipher(cipher) && !variable::in_text(cipher) {
                faults.push(Fault::invalid(format!(
                    "`tls.ciphers`: Envoy doesn't know `{cipher}`"
                )));
            }
        }
    }
    if listener.is_tls()
        && let Some(validation) = spec.path(&["tls", "clientValidation"])
    {
        check_validation(resolver, policy, validation, faults);
    }
}

/// Why there is no hostname for requests of HTTP/1.0, which may lack one. It is that of the listener, or of its only
/// match of a route.
fn no_default_host(resolver: &Resolver<'_, '_>, listener: &Listener<'_>) -> Option<Fault> {
    let is_plain = |host: &str| !host.contains('*');
    if listener.hostname.is_some_and(is_plain) {
        return None;
    }
    let routes = listener
        .routes
        .iter()
        .filter_map(|id| resolver.view.route(*id));
    let matches = routes.flat_map(|route| {
        let here = |it: &&Attachment| {
            let at = resolver.view.listener(it.listener);
            at.is_some_and(|at| std::ptr::eq(at, listener))
        };
        let attachments = route.parents.iter().flat_map(|it| &it.attachments);
        let hosts = attachments.filter(here).flat_map(|it| &it.hostnames);
        let hosts = hosts.filter(|host| is_plain(host)).count();
        let each = |rule: &Rule<'_>| list(rule.node, &["matches"]).len().max(1);
        route.rules.iter().map(move |rule| hosts * each(rule))
    });
    match matches.sum::<usize>() {
        1 => None,
        0 => Some(Fault::invalid(
            "`http1.http10.useDefaultHost`: neither the listener nor a route has a hostname without `*`",
        )),
        _ => Some(Fault::invalid(
            "`http1.http10.useDefaultHost`: the listener has no hostname without `*`, and routes have several",
        )),
    }
}

fn check_headers(key: &str, headers: &Node, faults: &mut Faults) {
    let mut is_any = !list(headers, &["removeOnMatch"]).is_empty();
    for name in ["add", "set", "addIfAbsent"] {
        for one in list(headers, &[name]) {
            let header = text(one, &["name"]).unwrap_or_default();
            let value = one.get("value").and_then(Node::as_str).unwrap_or_default();
            if header.is_empty() || header.contains(['/', ':']) {
                faults.push(Fault::invalid(format!(
                    "`headers.{key}`: `{header}` is not a header name"
                )));
            } else if !is_header_value(value) {
                faults.push(Fault::invalid(format!(
                    "`headers.{key}`: the header `{header}` can't have the value `{value}`"
                )));
            } else {
                is_any = true;
            }
        }
    }
    for one in list(headers, &["remove"]) {
        match one.as_str() {
            None | Some("") => faults.push(Fault::invalid(format!(
                "`headers.{key}`: a header that is removed needs a name"
            ))),
            Some(_) => is_any = true,
        }
    }
    if !is_any {
        faults.push(Fault::invalid(format!("`headers.{key}` changes no header")));
    }
}

fn check_validation(
    resolver: &Resolver<'_, '_>,
    policy: &Object,
    validation: &Node,
    faults: &mut Faults,
) {
    let from = ReferenceGrantFrom {
        group: ENVOY_GATEWAY,
        kind: "ClientTrafficPolicy",
        namespace: policy.namespace(),
    };
    let refs = list(validation, &["caCertificateRefs"]);
    for reference in refs {
        let found = check_data(resolver, from, reference, &["ca.crt"])
            .and_then(|()| check_authority(resolver, from, reference));
        faults.keep(found);
    }
    let mode = text(validation, &["mode"]);
    // Without a mode, certificates are verified, always or (`optional`) if there is one.
    let needs = !matches!(mode, Some("Request" | "RequireAny"));
    if needs && refs.is_empty() {
        faults.push(Fault::invalid(
            "`tls.clientValidation` names no certificate authority (`caCertificateRefs`)",
        ));
    }
    for reference in list(validation, &["crl", "refs"]) {
        faults.keep(check_data(resolver, from, reference, &["ca.crl"]));
    }
}

/// The ciphers of Envoy's TLS library up to TLS 1.2, without those that end with an underscore in IANA's names.
const CIPHERS: &[&str] = &[
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA",
    "AES128-GCM-SHA256",
    "AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-RSA-AES256-SHA",
    "AES256-GCM-SHA384",
    "AES256-SHA",
];

/// Whether Envoy knows a cipher, by OpenSSL's name or by that of IANA's registry.
fn is_cipher(name: &str) -> bool {
    CIPHERS
        .iter()
        .any(|cipher| *cipher == name || registered(cipher) == name)
}

/// The name of a cipher in IANA's registry.
fn registered(cipher: &str) -> String {
    let (exchange, rest) = match cipher {
        it if it.starts_with("ECDHE-ECDSA-") => {
            ("ECDHE_ECDSA", it.trim_start_matches("ECDHE-ECDSA-"))
        }
        it if it.starts_with("ECDHE-RSA-") => ("ECDHE_RSA", it.trim_start_matches("ECDHE-RSA-")),
        it => ("RSA", it),
    };
    let rest = match rest {
        "AES128-SHA" => "AES_128_CBC_SHA".to_owned(),
        "AES256-SHA" => "AES_256_CBC_SHA".to_owned(),
        "CHACHA20-POLY1305" => "CHACHA20_POLY1305_SHA256".to_owned(),
        other => other.replace("AES", "AES_").replace('-', "_"),
    };
    format!("TLS_{exchange}_WITH_{rest}")
}

/// Whether a reference leads to a certificate that can be read.
fn check_authority(
    resolver: &Resolver<'_, '_>,
    from: ReferenceGrantFrom<'_>,
    reference: &Node,
) -> Result<(), Fault> {
    let kind = text(reference, &["kind"]).unwrap_or("Secret");
    let key = Key {
        namespace: text(reference, &["namespace"]).unwrap_or(from.namespace),
        name: text(reference, &["name"]).unwrap_or_default(),
    };
    let Some(object) = resolver.index.here(kind, key) else {
        return Ok(());
    };
    match has_certificate(object, &["ca.crt"]) {
        Some(false) => Err(Fault::invalid(format!(
            "{kind} {key} holds no certificate that can be read"
        ))),
        _ => Ok(()),
    }
}

/// Whether a Secret, ConfigMap or ClusterTrustBundle has the key that is needed.
pub(super) fn check_data(
    resolver: &Resolver<'_, '_>,
    from: ReferenceGrantFrom<'_>,
    reference: &Node,
    keys: &[&str],
) -> Result<(), Fault> {
    let kind = text(reference, &["kind"]).unwrap_or("Secret");
    let key = Key {
        namespace: text(reference, &["namespace"]).unwrap_or(from.namespace),
        name: text(reference, &["name"]).unwrap_or_default(),
    };
    match kind {
        "Secret" | "ConfigMap" => {
            if text(reference, &["group"]).is_some() {
                return Err(Fault::invalid(format!("the group of a {kind} is empty")));
            }
            resolver.permit(from, "", kind, key)?;
            let object = resolver.index.find(kind, key, Fault::invalid)?;
            match holds_any(object, keys) {
                true => Ok(()),
                false => Err(Fault::invalid(format!(
                    "{kind} {key} has no `{}`",
                    keys.join("`, `")
                ))),
            }
        }
        "ClusterTrustBundle" => {
            let key = Key {
                namespace: "",
                ..key
            };
            resolver.index.find(kind, key, Fault::invalid).map(|_| ())
        }
        other => Err(Fault::invalid(format!("a {other} can't hold certificates"))),
    }
}
