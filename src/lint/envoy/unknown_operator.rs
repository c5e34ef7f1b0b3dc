//! Formats of access logs with operators that Envoy doesn't know.

use crate::lint::LintContext;
use crate::lint::front::ENVOY_GATEWAY;
use crate::lint::words::each_text;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::misspelt;
use manifest::finding;
use manifest::value::{Pointer, variable};

manifest::code! {
    "envoy"/"unknown-operator", Error, "A format of an access log with an operator that Envoy doesn't know.",
    r#"
The format of an access log contains an operator that Envoy doesn't know, such as `%RESPONSE_CODES%`. Envoy refuses the
whole configuration of the listener, so new proxies listen on no port, and others keep what they had. Only operators
are reported whose name is similar to that of a known one.

## Wrong

```yaml
format: {type: Text, text: "%START_TIME% %RESPONSE_CODES%\n"}
```

## Right

```yaml
format: {type: Text, text: "%START_TIME% %RESPONSE_CODE%\n"}
```
"#
}

/// The operators of Envoy 1.36 to 1.40 that access logs of Envoy Gateway use.
const KNOWN: &[&str] = &[
    "ACCESS_LOG_TYPE",
    "BYTES_RECEIVED",
    "BYTES_SENT",
    "CEL",
    "CLUSTER_METADATA",
    "CONNECTION_ID",
    "CONNECTION_TERMINATION_DETAILS",
    "CUSTOM_FLAGS",
    "DOWNSTREAM_DETECTED_CLOSE_TYPE",
    "DOWNSTREAM_DIRECT_LOCAL_ADDRESS",
    "DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT",
    "DOWNSTREAM_DIRECT_LOCAL_PORT",
    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS",
    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT",
    "DOWNSTREAM_DIRECT_REMOTE_PORT",
    "DOWNSTREAM_HANDSHAKE_DURATION",
    "DOWNSTREAM_HEADER_BYTES_RECEIVED",
    "DOWNSTREAM_HEADER_BYTES_SENT",
    "DOWNSTREAM_LOCAL_ADDRESS",
    "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
    "DOWNSTREAM_LOCAL_CLOSE_REASON",
    "DOWNSTREAM_LOCAL_PORT",
    "DOWNSTREAM_LOCAL_SUBJECT",
    "DOWNSTREAM_LOCAL_URI_SAN",
    "DOWNSTREAM_PEER_CERT",
    "DOWNSTREAM_PEER_CERT_V_END",
    "DOWNSTREAM_PEER_CERT_V_START",
    "DOWNSTREAM_PEER_FINGERPRINT_1",
    "DOWNSTREAM_PEER_FINGERPRINT_256",
    "DOWNSTREAM_PEER_ISSUER",
    "DOWNSTREAM_PEER_SERIAL",
    "DOWNSTREAM_PEER_SUBJECT",
    "DOWNSTREAM_PEER_URI_SAN",
    "DOWNSTREAM_REMOTE_ADDRESS",
    "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
    "DOWNSTREAM_REMOTE_PORT",
    "DOWNSTREAM_TLS_CIPHER",
    "DOWNSTREAM_TLS_SESSION_ID",
    "DOWNSTREAM_TLS_VERSION",
    "DOWNSTREAM_TRANSPORT_FAILURE_REASON",
    "DOWNSTREAM_WIRE_BYTES_RECEIVED",
    "DOWNSTREAM_WIRE_BYTES_SENT",
    "DURATION",
    "DYNAMIC_METADATA",
    "EMIT_TIME",
    "ENVIRONMENT",
    "FILTER_CHAIN_NAME",
    "FILTER_STATE",
    "GRPC_STATUS",
    "GRPC_STATUS_NUMBER",
    "HOSTNAME",
    "JA3_FINGERPRINT",
    "JA4_FINGERPRINT",
    "LISTENER_METADATA",
    "LOCAL_REPLY_BODY",
    "METADATA",
    "PATH",
    "PROTOCOL",
    "QUERY_PARAM",
    "QUERY_PARAMS",
    "REQ",
    "REQUESTED_SERVER_NAME",
    "REQUEST_DURATION",
    "REQUEST_HEADER",
    "REQUEST_HEADERS_BYTES",
    "REQUEST_TX_DURATION",
    "REQ_WITHOUT_QUERY",
    "RESP",
    "RESPONSE_CODE",
    "RESPONSE_CODE_DETAILS",
    "RESPONSE_DURATION",
    "RESPONSE_FLAGS",
    "RESPONSE_FLAGS_LONG",
    "RESPONSE_HEADERS_BYTES",
    "RESPONSE_TRAILERS_BYTES",
    "RESPONSE_TX_DURATION",
    "ROUNDTRIP_DURATION",
    "ROUTE_NAME",
    "SPAN_ID",
    "START_TIME",
    "START_TIME_LOCAL",
    "STREAM_ID",
    "TLS_JA3_FINGERPRINT",
    "TLS_JA4_FINGERPRINT",
    "TRACE_ID",
    "TRAILER",
    "UNIQUE_ID",
    "UPSTREAM_CLUSTER",
    "UPSTREAM_CLUSTER_RAW",
    "UPSTREAM_CONNECTION_ID",
    "UPSTREAM_CONNECTION_POOL_READY_DURATION",
    "UPSTREAM_DETECTED_CLOSE_TYPE",
    "UPSTREAM_FILTER_STATE",
    "UPSTREAM_HEADER_BYTES_RECEIVED",
    "UPSTREAM_HEADER_BYTES_SENT",
    "UPSTREAM_HOST",
    "UPSTREAM_HOSTS_ATTEMPTED",
    "UPSTREAM_HOST_NAME",
    "UPSTREAM_HOST_NAME_WITHOUT_PORT",
    "UPSTREAM_LOCAL_ADDRESS",
    "UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
    "UPSTREAM_LOCAL_CLOSE_REASON",
    "UPSTREAM_LOCAL_PORT",
    "UPSTREAM_METADATA",
    "UPSTREAM_PEER_CERT",
    "UPSTREAM_PEER_ISSUER",
    "UPSTREAM_PEER_SUBJECT",
    "UPSTREAM_PEER_URI_SAN",
    "UPSTREAM_PROTOCOL",
    "UPSTREAM_REMOTE_ADDRESS",
    "UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
    "UPSTREAM_REMOTE_PORT",
    "UPSTREAM_REQUEST_ATTEMPT_COUNT",
    "UPSTREAM_TLS_CIPHER",
    "UPSTREAM_TLS_SESSION_ID",
    "UPSTREAM_TLS_VERSION",
    "UPSTREAM_TRANSPORT_FAILURE_REASON",
    "UPSTREAM_WIRE_BYTES_RECEIVED",
    "UPSTREAM_WIRE_BYTES_SENT",
    "VIRTUAL_CLUSTER_NAME",
];

/// Reports misspelt operators.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for proxy in context.of_kind(ENVOY_GATEWAY, "EnvoyProxy") {
        let mut place = Pointer::root()
            .key("spec")
            .key("telemetry")
            .key("accessLog");
        let Some(settings) = proxy.object.node.at(&place) else {
            continue;
        };
        let mut wrong = Vec::new();
        each_text(settings, &mut place, &mut |at, text| {
            wrong.extend(unknown(text).map(|(name, near)| (at.clone(), name, near)));
        });
        for (place, name, near) in wrong {
            let message = format!("Envoy has no operator `%{name}%`");
            let one = finding(CODE, proxy.object, &place, message)
                .why("Envoy refuses the listener, so new proxies listen on no port")
                .help(format!("write `%{near}%`"));
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
    found
}

/// The first operator in a format that is a misspelling of a known one.
fn unknown(format: &str) -> Option<(&str, &'static str)> {
    if !format.contains('%') || variable::in_text(format) {
        return None;
    }
    let mut rest = format;
    while let Some((_, after)) = rest.split_once('%') {
        let is_letter = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let end = after.find(|c: char| !is_letter(c)).unwrap_or(after.len());
        let (name, after_name) = after.split_at_checked(end)?;
        // Operators have arguments in brackets, and a length behind a colon.
        let is_operator = after_name.starts_with(['%', '(', ':']);
        if name.is_empty() || !is_operator {
            rest = after.strip_prefix('%').unwrap_or(after);
            continue;
        }
        if !KNOWN.contains(&name)
            && let Some(near) = misspelt(name, KNOWN.iter().copied())
        {
            return Some((name, near));
        }
        rest = after_name.split_once('%').map_or("", |(_, rest)| rest);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::support::told;

    #[test]
    fn a_misspelt_operator_is_told() {
        let with = |text: &str| {
            let text = format!(
                "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {{name: a, namespace: network}}
spec:
  telemetry:
    accessLog:
      settings:
        - format: {{type: Text, text: '{text}'}}
          sinks: [{{type: File, file: {{path: /dev/stdout}}}}]
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(with("%START_TIME% %REQ(:METHOD)% 100%"), [""; 0]);
        assert_eq!(
            with("%START_TIME% %RESPONSE_CODES%"),
            [
                "error envoy/unknown-operator /spec/telemetry/accessLog/settings/0/format/text: Envoy has no operator `%RESPONSE_CODES%`"
            ]
        );
        assert_eq!(
            unknown("%DOWNSTREM_REMOTE_ADDRESS%"),
            Some(("DOWNSTREM_REMOTE_ADDRESS", "DOWNSTREAM_REMOTE_ADDRESS"))
        );
        assert_eq!(
            unknown("%START_TIME(%Y-%m-%dT%H:%M:%S)% %SOME_NEW_OPERATOR%"),
            None
        );
    }
}
