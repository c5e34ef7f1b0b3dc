//! `[client_traffic]`, `[backend_traffic]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::{Count, Pairs, Text, Texts, Toggle};
use manifest::diagnostic::Spanned;

/// How a shared policy finds its gateways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Attach {
    /// By name: `targetRefs`.
    #[default]
    Names,
    /// All Gateways of the namespace: `targetSelectors`.
    Selector,
}

table! {
    #[serde(rename_all(serialize = "camelCase"))]
    /// TCP keep-alive; `{}` or `true` switches it on with the system's values.
    pub struct Keepalive {
        /// Probes without an answer until the connection is given up.
        pub probes: Option<Spanned<Count>>,
        /// Idle time before the first probe.
        pub idle_time: Option<Text>,
        /// Time between probes.
        pub interval: Option<Text>,
    }
}

object_table! {
    /// A ClientTrafficPolicy: what clients may do.
    pub struct ClientTraffic {
        /// The name of the policy. Default: `envoy`; of a gateway's own, the gateway's name.
        pub name: Option<Text>,
        /// `names` or `selector`. Default: `names`.
        pub attach: Option<Spanned<Attach>>,
        /// The gateways that it is for. Default: all that have none of their own.
        pub gateways: Texts,
        /// TLS towards clients.
        pub tls: ClientTls,
        /// HTTP/2.
        pub http2: Option<Http2>,
        /// Whether HTTP/3 is offered.
        pub http3: Option<Spanned<bool>>,
        /// How the client's address is found behind other proxies.
        pub client_ip: Option<ClientIp>,
        /// `true` expects the PROXY protocol, `"optional"` takes connections without it too.
        pub proxy_protocol: Option<ProxyProtocol>,
        /// TCP keep-alive.
        pub tcp_keepalive: Option<Toggle<Keepalive>>,
        /// Time limits.
        pub timeouts: ClientTimeouts,
        /// The most bytes that are kept of a connection (`32Ki`, `4Mi`).
        pub buffer_limit: Option<Text>,
        /// The most connections at a time.
        pub connection_limit: Option<Spanned<Count>>,
        /// Request headers.
        pub headers: Headers,
        /// Request paths.
        pub path: Path,
    }
}

table! {
    /// TLS towards clients.
    pub struct ClientTls {
        /// `"1.0"` to `"1.3"`.
        pub min_version: Option<Text>,
        /// `"1.0"` to `"1.3"`.
        pub max_version: Option<Text>,
        /// The protocols on offer, the first preferred: `h2`, `http/1.1`.
        pub alpn: Texts,
        /// Cipher suites up to TLS 1.2.
        pub ciphers: Texts,
    }
}

table! {
    /// HTTP/2 towards clients.
    pub struct Http2 {
        /// What a malformed message ends: `TerminateConnection` or `TerminateStream`.
        pub on_invalid_message: Option<Text>,
        /// The most streams of a connection.
        pub max_concurrent_streams: Option<Spanned<Count>>,
        /// The flow-control window of a stream (`64Ki`).
        pub stream_window: Option<Text>,
        /// The flow-control window of a connection (`1Mi`).
        pub connection_window: Option<Text>,
    }
}

table! {
    /// How the client's address is found. Exactly one way.
    pub struct ClientIp {
        /// From `X-Forwarded-For`: the networks of the proxies to trust.
        pub trusted_cidrs: Texts,
        /// From `X-Forwarded-For`: how many proxies to trust.
        pub trusted_hops: Option<Spanned<Count>>,
        /// From a header of your own.
        pub header: Option<Text>,
        /// The address that the connection comes from, whatever headers say (Envoy Gateway 1.9.0 and later).
        pub direct: Option<Spanned<bool>>,
    }
}

/// Whether connections start with the PROXY protocol.
#[derive(Clone, Debug)]
pub enum ProxyProtocol {
    /// Always, or never.
    Flag(bool),
    /// Where they do.
    Optional,
}

impl<'de> Deserialize<'de> for ProxyProtocol {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use manifest::value::{Kind, Node};
        match Node::deserialize(deserializer)?.kind {
            Kind::Bool(value) => Ok(ProxyProtocol::Flag(value)),
            Kind::String(text) if text == "optional" => Ok(ProxyProtocol::Optional),
            _ => Err(serde::de::Error::custom(
                "expected true, false or \"optional\"",
            )),
        }
    }
}

impl ProxyProtocol {
    /// Whether it is on at all.
    pub fn is_on(&self) -> bool {
        !matches!(self, ProxyProtocol::Flag(false))
    }
}

/// As the CRD has it: `{}` or `{"optional": true}`; as nothing where it is off.
impl Serialize for ProxyProtocol {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ProxyProtocol::Flag(false) => serializer.serialize_none(),
            ProxyProtocol::Flag(true) => serializer.collect_map::<&str, bool, _>([]),
            ProxyProtocol::Optional => serializer.collect_map([("optional", true)]),
        }
    }
}

impl JsonSchema for ProxyProtocol {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ProxyProtocol".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"enum": [true, false, "optional"]})
    }
}

table! {
    /// Time limits towards clients.
    pub struct ClientTimeouts {
        /// Until the whole request has come.
        pub request_received: Option<Text>,
        /// Until an idle connection is closed.
        pub idle: Option<Text>,
        /// Until an idle stream is closed.
        pub stream_idle: Option<Text>,
        /// Until an idle TCP connection is closed.
        pub tcp_idle: Option<Text>,
    }
}

table! {
    /// Request headers.
    pub struct Headers {
        /// Set before anything looks at the request.
        pub set: Pairs,
        /// Removed before anything looks at the request.
        pub remove: Texts,
        /// What becomes of header names with underscores: `Allow`, `RejectRequest` or `DropHeader`.
        pub with_underscores: Option<Text>,
        /// Whether Envoy adds its own headers.
        pub envoy_headers: Option<Spanned<bool>>,
    }
}

table! {
    /// Request paths.
    pub struct Path {
        /// What becomes of `%2F`: `KeepUnchanged`, `RejectRequest`, `UnescapeAndForward` or `UnescapeAndRedirect`.
        pub escaped_slashes: Option<Text>,
        /// `false` leaves `//` as it is.
        pub merge_slashes: Option<Spanned<bool>>,
    }
}

object_table! {
    /// A BackendTrafficPolicy: how requests go on to backends.
    pub struct BackendTraffic {
        /// The name of the policy. Default: `envoy`; of a gateway's own, the gateway's name.
        pub name: Option<Text>,
        /// `names` or `selector`. Default: `names`.
        pub attach: Option<Spanned<Attach>>,
        /// The gateways that it is for. Default: all that have none of their own.
        pub gateways: Texts,
        /// Response compression, the first preferred: `Zstd`, `Brotli`, `Gzip`.
        pub compression: Texts,
        /// Retries.
        pub retry: Option<Retry>,
        /// TCP keep-alive towards backends.
        pub tcp_keepalive: Option<Toggle<Keepalive>>,
        /// Time limits.
        pub timeouts: BackendTimeouts,
        /// The most bytes that are kept of a connection (`32Ki`, `8Mi`).
        pub buffer_limit: Option<Text>,
    }
}

table! {
    /// Retries.
    pub struct Retry {
        /// How often.
        pub attempts: Option<Spanned<Count>>,
        /// When: `reset`, `connect-failure`, `5xx`, …
        pub on: Texts,
        /// Statuses on which to retry.
        pub statuses: Vec<Spanned<Count>>,
        /// The time limit of each attempt.
        pub timeout: Option<Text>,
    }
}

table! {
    /// Time limits towards backends.
    pub struct BackendTimeouts {
        /// Until the response is complete; `0s` is without limit.
        pub request: Option<Text>,
        /// Until an idle connection is closed.
        pub connection_idle: Option<Text>,
        /// The age at which a connection is closed.
        pub max_connection_duration: Option<Text>,
        /// Until a TCP connection stands.
        pub connect: Option<Text>,
    }
}
