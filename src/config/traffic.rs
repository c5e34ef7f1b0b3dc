//! `[client_traffic]`, `[backend_traffic]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rate_limit::{ErrorPage, RateLimit};
use super::types::{Count, Pairs, Text, Texts, Toggle};
use manifest::diagnostic::Spanned;

/// How a shared policy selects its gateways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Attach {
    /// By name, with `targetRefs`.
    #[default]
    Names,
    /// All Gateways of the namespace, with `targetSelectors`.
    Selector,
}

table! {
    #[serde(rename_all(serialize = "camelCase"))]
    /// TCP keep-alive. `{}` or `true` enables it with the operating system's values.
    pub struct Keepalive {
        /// How many unanswered probes close the connection.
        pub probes: Option<Spanned<Count>>,
        /// How long a connection is idle before the first probe.
        pub idle_time: Option<Text>,
        /// The time between probes.
        pub interval: Option<Text>,
    }
}

object_table! {
    /// A ClientTrafficPolicy, which configures the connections from clients.
    pub struct ClientTraffic {
        /// The name of the policy. Default: `envoy`, or the gateway's name if it belongs to one gateway.
        pub name: Option<Text>,
        /// How gateways are selected: `names` or `selector`. Default: `names`.
        pub attach: Option<Spanned<Attach>>,
        /// The gateways that the policy targets. Default: all that have no policy of their own.
        pub gateways: Texts,
        /// TLS between clients and the gateway.
        pub tls: ClientTls,
        /// HTTP/2 settings.
        pub http2: Option<Http2>,
        /// Whether HTTP/3 is offered.
        pub http3: Option<Spanned<bool>>,
        /// How the client's address is determined behind other proxies.
        pub client_ip: Option<ClientIp>,
        /// `true` requires the PROXY protocol; `"optional"` also accepts connections without it.
        pub proxy_protocol: Option<Spanned<ProxyProtocol>>,
        /// TCP keep-alive towards clients.
        pub tcp_keepalive: Option<Toggle<Keepalive>>,
        /// Timeouts towards clients.
        pub timeouts: ClientTimeouts,
        /// The maximum number of bytes that are buffered for a connection (`32Ki`, `4Mi`).
        #[serde(deserialize_with = "super::types::text_or_number")]
        #[schemars(with = "Option<super::types::TextOrNumber>")]
        pub buffer_limit: Option<Text>,
        /// The maximum number of simultaneous connections.
        pub connection_limit: Option<Spanned<Count>>,
        /// How long a connection above the limit stays open before it is closed.
        pub connection_close_delay: Option<Text>,
        /// How many connections are accepted at once (`maxAcceptPerSocketEvent`); 0 means no limit.
        pub max_accept_per_socket_event: Option<Spanned<Count>>,
        /// How request headers are treated.
        pub headers: Headers,
        /// How request paths are treated.
        pub path: Path,
    }
}

table! {
    /// TLS between clients and the gateway.
    pub struct ClientTls {
        /// The lowest TLS version: `"1.0"` to `"1.3"`.
        #[serde(deserialize_with = "super::types::text_or_number")]
        #[schemars(with = "Option<super::types::TextOrNumber>")]
        pub min_version: Option<Text>,
        /// The highest TLS version: `"1.0"` to `"1.3"`.
        #[serde(deserialize_with = "super::types::text_or_number")]
        #[schemars(with = "Option<super::types::TextOrNumber>")]
        pub max_version: Option<Text>,
        /// The application protocols that are offered, in order of preference: `h2`, `http/1.1`.
        pub alpn: Texts,
        /// The cipher suites for TLS 1.2 and earlier.
        pub ciphers: Texts,
        /// The Secrets or ConfigMaps with the authorities (`ca.crt`) that sign the clients' certificates. Then
        /// clients must show a certificate (mutual TLS).
        pub client_ca: Texts,
        /// `Secret` or `ConfigMap`: what `client_ca` names. Default: `Secret`.
        pub client_ca_kind: Option<Spanned<CaKind>>,
        /// How certificates of clients are verified (Envoy Gateway 1.8.0 and later): `RequireAndVerify`, or
        /// `VerifyIfGiven`, which also accepts clients without a certificate; `RequireAny` and `Request` verify
        /// nothing. Default: `RequireAndVerify`.
        pub client_ca_mode: Option<Text>,
        /// `true` accepts clients without a certificate, before Envoy Gateway 1.8.0; later versions have
        /// `client_ca_mode`.
        pub client_ca_optional: Option<Spanned<bool>>,
    }
}

/// The kind of object with a certificate authority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum CaKind {
    /// A Secret.
    #[default]
    Secret,
    /// A ConfigMap.
    ConfigMap,
}

/// The field of a BackendTrafficPolicy that compression is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CompressionField {
    /// `spec.compressor`, which has an order of preference.
    Compressor,
    /// `spec.compression`, which Envoy Gateway deprecates.
    Compression,
}

table! {
    /// HTTP/2 between clients and the gateway.
    pub struct Http2 {
        /// What to terminate after a malformed message: `TerminateConnection` or `TerminateStream`.
        pub on_invalid_message: Option<Text>,
        /// The maximum number of concurrent streams in a connection.
        pub max_concurrent_streams: Option<Spanned<Count>>,
        /// The flow-control window of a stream (`64Ki`).
        #[serde(deserialize_with = "super::types::text_or_number")]
        #[schemars(with = "Option<super::types::TextOrNumber>")]
        pub stream_window: Option<Text>,
        /// The flow-control window of a connection (`1Mi`).
        #[serde(deserialize_with = "super::types::text_or_number")]
        #[schemars(with = "Option<super::types::TextOrNumber>")]
        pub connection_window: Option<Text>,
    }
}

table! {
    /// How the client's address is determined. Set exactly one of these keys.
    pub struct ClientIp {
        /// From `X-Forwarded-For`: the networks of the trusted proxies.
        pub trusted_cidrs: Texts,
        /// From `X-Forwarded-For`: the number of trusted proxies.
        pub trusted_hops: Option<Spanned<Count>>,
        /// From another header, by its name.
        pub header: Option<Text>,
        /// From the connection itself; headers are ignored (Envoy Gateway 1.9.0 and later).
        pub direct: Option<Spanned<bool>>,
    }
}

/// Whether connections start with the PROXY protocol.
#[derive(Clone, Debug)]
pub enum ProxyProtocol {
    /// Required on all connections, or on none.
    Flag(bool),
    /// Accepted, but not required.
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

/// Writes what the CRD takes: `{}` or `{"optional": true}`, and nothing if it is off.
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
    /// Timeouts towards clients.
    pub struct ClientTimeouts {
        /// The time in which the complete request must arrive.
        pub request_received: Option<Text>,
        /// The time after which an idle connection is closed.
        pub idle: Option<Text>,
        /// The time after which an idle stream is closed.
        pub stream_idle: Option<Text>,
        /// The time after which an idle TCP connection is closed.
        pub tcp_idle: Option<Text>,
    }
}

table! {
    /// How request headers are treated.
    pub struct Headers {
        /// Headers that are set before the request is processed.
        pub set: Pairs,
        /// Headers that are removed before the request is processed.
        pub remove: Texts,
        /// What happens to header names with underscores: `Allow`, `RejectRequest` or `DropHeader`.
        pub with_underscores: Option<Text>,
        /// Whether Envoy adds its own headers (`x-envoy-…`).
        pub envoy_headers: Option<Spanned<bool>>,
        /// Headers that are set in every response, such as `Strict-Transport-Security` (Envoy Gateway 1.6.0 and
        /// later).
        pub response_set: Pairs,
        /// Headers that are removed from every response (Envoy Gateway 1.6.0 and later).
        pub response_remove: Texts,
    }
}

table! {
    /// How request paths are treated.
    pub struct Path {
        /// What happens to escaped slashes (`%2F`): `KeepUnchanged`, `RejectRequest`, `UnescapeAndForward` or
        /// `UnescapeAndRedirect`.
        pub escaped_slashes: Option<Text>,
        /// `false` leaves repeated slashes (`//`) as they are.
        pub merge_slashes: Option<Spanned<bool>>,
    }
}

object_table! {
    /// A BackendTrafficPolicy, which configures the connections to backends.
    pub struct BackendTraffic {
        /// The name of the policy. Default: `envoy`, or the gateway's name if it belongs to one gateway.
        pub name: Option<Text>,
        /// How gateways are selected: `names` or `selector`. Default: `names`.
        pub attach: Option<Spanned<Attach>>,
        /// The gateways that the policy targets. Default: all that have no policy of their own.
        pub gateways: Texts,
        /// Response compression, in order of preference: `Zstd`, `Brotli`, `Gzip`.
        pub compression: Texts,
        /// The field in which compression is written: `compressor`, or `compression`, which newer versions deprecate.
        /// Default: `compressor` since Envoy Gateway 1.6.
        pub compression_as: Option<Spanned<CompressionField>>,
        /// When and how often failed requests are retried.
        pub retry: Option<Retry>,
        /// How many requests are accepted.
        pub rate_limit: Option<RateLimit>,
        /// Responses in place of those with some statuses.
        pub error_pages: Vec<ErrorPage>,
        /// TCP keep-alive towards backends.
        pub tcp_keepalive: Option<Toggle<Keepalive>>,
        /// Timeouts towards backends.
        pub timeouts: BackendTimeouts,
        /// The maximum number of bytes that are buffered for a connection (`32Ki`, `8Mi`).
        #[serde(deserialize_with = "super::types::text_or_number")]
        #[schemars(with = "Option<super::types::TextOrNumber>")]
        pub buffer_limit: Option<Text>,
    }
}

table! {
    /// When and how often failed requests are retried.
    pub struct Retry {
        /// The maximum number of retries.
        pub attempts: Option<Spanned<Count>>,
        /// The conditions on which to retry: `reset`, `connect-failure`, `5xx`, …
        pub on: Texts,
        /// The HTTP statuses on which to retry.
        pub statuses: Vec<Spanned<Count>>,
        /// The timeout of each attempt.
        pub timeout: Option<Text>,
    }
}

table! {
    /// Timeouts towards backends.
    pub struct BackendTimeouts {
        /// The time in which the response must be complete; `0s` means no limit.
        pub request: Option<Text>,
        /// The time after which an idle connection is closed.
        pub connection_idle: Option<Text>,
        /// The maximum age of a connection.
        pub max_connection_duration: Option<Text>,
        /// The time in which a TCP connection must be established.
        pub connect: Option<Text>,
    }
}
