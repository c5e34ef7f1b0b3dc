//! The simple settings: which key of `cluster.toml` sets which field of an object. This is the inverse of the
//! templates.

use crate::import::config::{flag, texts};
use crate::import::toml::can_say;
use manifest::value::{Kind, Map, Node, variable};

/// The type of a setting.
#[derive(Clone, Copy, Debug)]
pub(super) enum SettingType {
    /// A string.
    Text,
    /// A string with a default.
    TextOr(&'static str),
    /// An integer, or a Flux variable.
    Count,
    /// An integer with a default.
    CountOr(i64),
    /// A boolean.
    Flag,
    /// A boolean with a default.
    FlagOr(bool),
    /// A list of strings.
    Texts,
    /// Any value.
    Any,
    /// A map that exists or not: `{}` is `true`.
    Switch,
}

/// A key with its path in the table, a field with its path in the object, and the type.
pub(super) type Row = (&'static str, &'static str, SettingType);

use SettingType::{Any, Count, CountOr, Flag, FlagOr, Switch, Text, TextOr, Texts};

/// `[chart]`, from the HelmRelease.
pub(super) const RELEASE: &[Row] = &[
    ("release.interval", "spec.interval", TextOr("1h")),
    ("image_registry", "spec.values.global.imageRegistry", Text),
    (
        "enable_backend",
        "spec.values.config.envoyGateway.extensionApis.enableBackend",
        Flag,
    ),
    (
        "enable_lua",
        "spec.values.config.envoyGateway.extensionApis.enableLua",
        Flag,
    ),
    (
        "enable_envoy_patch_policy",
        "spec.values.config.envoyGateway.extensionApis.enableEnvoyPatchPolicy",
        Flag,
    ),
];

/// `[chart]`, from the OCIRepository.
pub(super) const SOURCE: &[Row] = &[
    ("source.interval", "spec.interval", TextOr("15m")),
    ("digest", "spec.ref.digest", Text),
];

/// `[proxy]`; `{}` is `envoyDeployment` or `envoyDaemonSet`.
pub(super) const PROXY: &[Row] = &[
    ("replicas", "spec.provider.kubernetes.{}.replicas", Count),
    (
        "resources",
        "spec.provider.kubernetes.{}.container.resources",
        Any,
    ),
    ("image", "spec.provider.kubernetes.{}.container.image", Text),
    (
        "image_repository",
        "spec.provider.kubernetes.{}.container.imageRepository",
        Text,
    ),
    (
        "external_traffic_policy",
        "spec.provider.kubernetes.envoyService.externalTrafficPolicy",
        Text,
    ),
    ("drain_timeout", "spec.shutdown.drainTimeout", Text),
    ("log_level", "spec.logging.level.default", Text),
    (
        "prometheus_compression",
        "spec.telemetry.metrics.prometheus.compression.type",
        Text,
    ),
    ("ip_family", "spec.ipFamily", Text),
];

/// `[client_traffic]`.
pub(super) const CLIENT: &[Row] = &[
    ("tls.min_version", "spec.tls.minVersion", Text),
    ("tls.max_version", "spec.tls.maxVersion", Text),
    ("tls.alpn", "spec.tls.alpnProtocols", Texts),
    ("tls.ciphers", "spec.tls.ciphers", Texts),
    (
        "http2.on_invalid_message",
        "spec.http2.onInvalidMessage",
        Text,
    ),
    (
        "http2.max_concurrent_streams",
        "spec.http2.maxConcurrentStreams",
        Count,
    ),
    (
        "http2.stream_window",
        "spec.http2.initialStreamWindowSize",
        Text,
    ),
    (
        "http2.connection_window",
        "spec.http2.initialConnectionWindowSize",
        Text,
    ),
    ("http3", "spec.http3", Switch),
    (
        "client_ip.trusted_cidrs",
        "spec.clientIPDetection.xForwardedFor.trustedCIDRs",
        Texts,
    ),
    (
        "client_ip.trusted_hops",
        "spec.clientIPDetection.xForwardedFor.numTrustedHops",
        Count,
    ),
    (
        "client_ip.header",
        "spec.clientIPDetection.customHeader.name",
        Text,
    ),
    (
        "client_ip.direct",
        "spec.clientIPDetection.directSourceIP",
        Switch,
    ),
    (
        "timeouts.request_received",
        "spec.timeout.http.requestReceivedTimeout",
        Text,
    ),
    ("timeouts.idle", "spec.timeout.http.idleTimeout", Text),
    (
        "timeouts.stream_idle",
        "spec.timeout.http.streamIdleTimeout",
        Text,
    ),
    ("timeouts.tcp_idle", "spec.timeout.tcp.idleTimeout", Text),
    ("buffer_limit", "spec.connection.bufferLimit", Text),
    (
        "connection_limit",
        "spec.connection.connectionLimit.value",
        Count,
    ),
    (
        "headers.remove",
        "spec.headers.earlyRequestHeaders.remove",
        Texts,
    ),
    (
        "headers.with_underscores",
        "spec.headers.withUnderscoresAction",
        Text,
    ),
    (
        "headers.envoy_headers",
        "spec.headers.enableEnvoyHeaders",
        Flag,
    ),
    (
        "path.escaped_slashes",
        "spec.path.escapedSlashesAction",
        Text,
    ),
];

/// `[backend_traffic]`.
pub(super) const BACKEND: &[Row] = &[
    ("retry.attempts", "spec.retry.numRetries", Count),
    ("retry.on", "spec.retry.retryOn.triggers", Texts),
    ("retry.timeout", "spec.retry.perRetry.timeout", Text),
    ("timeouts.request", "spec.timeout.http.requestTimeout", Text),
    (
        "timeouts.connection_idle",
        "spec.timeout.http.connectionIdleTimeout",
        Text,
    ),
    (
        "timeouts.max_connection_duration",
        "spec.timeout.http.maxConnectionDuration",
        Text,
    ),
    ("timeouts.connect", "spec.timeout.tcp.connectTimeout", Text),
    ("buffer_limit", "spec.connection.bufferLimit", Text),
];

/// `tcp_keepalive` of both kinds of traffic.
pub(super) const KEEPALIVE: &[Row] = &[
    ("probes", "probes", Count),
    ("idle_time", "idleTime", Text),
    ("interval", "interval", Text),
];

/// `[cert_manager.certificates.NAME]`.
pub(super) const CERTIFICATE: &[Row] = &[
    ("issuer", "spec.issuerRef.name", Text),
    (
        "issuer_kind",
        "spec.issuerRef.kind",
        TextOr("ClusterIssuer"),
    ),
    ("duration", "spec.duration", Text),
];

/// `[monitoring.dashboards.NAME]`.
pub(super) const DASHBOARD: &[Row] = &[
    ("url", "spec.url", Text),
    ("id", "spec.grafanaCom.id", Count),
    ("revision", "spec.grafanaCom.revision", Count),
    ("folder", "spec.folder", Text),
];

/// `[autoscaling]`.
pub(super) const SCALED: &[Row] = &[
    ("min", "spec.minReplicaCount", CountOr(1)),
    ("max", "spec.maxReplicaCount", CountOr(2)),
    ("cooldown", "spec.cooldownPeriod", Count),
    ("fallback.failures", "spec.fallback.failureThreshold", Count),
    ("fallback.replicas", "spec.fallback.replicas", Count),
];

/// `[flux]`.
pub(super) const FLUX: &[Row] = &[
    ("interval", "spec.interval", TextOr("1h")),
    ("retry_interval", "spec.retryInterval", Text),
    ("timeout", "spec.timeout", Text),
    ("prune", "spec.prune", FlagOr(true)),
    ("wait", "spec.wait", Flag),
    (
        "source.kind",
        "spec.sourceRef.kind",
        TextOr("GitRepository"),
    ),
    ("source.name", "spec.sourceRef.name", TextOr("flux-system")),
    (
        "source.namespace",
        "spec.sourceRef.namespace",
        TextOr("flux-system"),
    ),
    ("health_checks", "spec.healthChecks", Any),
    ("post_build", "spec.postBuild", Any),
    ("decryption", "spec.decryption", Any),
    ("common_labels", "spec.commonMetadata.labels", Any),
];

/// `[flux.config]`.
pub(super) const FLUX_CONFIG: &[Row] = &[
    ("wait", "spec.wait", Flag),
    ("health_checks", "spec.healthChecks", Any),
];

/// Converts a value to a setting; `None` if it can't be expressed, or is the default.
fn taken(value: &Node, takes: SettingType) -> Option<Node> {
    let plain = || Node::from_json(value.to_json());
    match takes {
        Text => value.as_str().map(|_| plain()),
        TextOr(default) => value
            .as_str()
            .filter(|text| *text != default)
            .map(|_| plain()),
        Count | CountOr(_) if value.as_str().is_some_and(variable::in_text) => Some(plain()),
        Count => value.as_i64().map(|_| plain()),
        CountOr(default) => value
            .as_i64()
            .filter(|number| *number != default)
            .map(|_| plain()),
        Flag => value.as_bool().map(|_| plain()),
        FlagOr(default) => value
            .as_bool()
            .filter(|flag| *flag != default)
            .map(|_| plain()),
        Texts => {
            let items: Option<Vec<&str>> = value.as_list()?.iter().map(Node::as_str).collect();
            items.map(texts)
        }
        Any => can_say(value).then(plain),
        Switch => value.as_map().map(|_| flag(true)),
    }
}

/// The settings for an object. `part` replaces `{}` in the paths of the rows.
pub(super) fn lift(rows: &[Row], object: &Node, part: &str) -> Map {
    let mut table = Node::map();
    for (key, path, takes) in rows {
        let path: Vec<&str> = path
            .split('.')
            .map(|step| if step == "{}" { part } else { step })
            .collect();
        let value = object.path(&path).and_then(|value| taken(value, *takes));
        if let Some(value) = value {
            put(&mut table, key, value);
        }
    }
    match table.kind {
        Kind::Map(map) => map,
        _ => Map::default(),
    }
}

/// Sets the value at a dotted path.
pub fn put(table: &mut Node, path: &str, value: Node) {
    let Some(map) = table.as_map_mut() else {
        return;
    };
    match path.split_once('.') {
        None => {
            map.insert(path, value);
        }
        Some((first, rest)) => {
            if map.get(first).and_then(Node::as_map).is_none() {
                map.insert(first, Node::map());
            }
            if let Some(below) = map.get_mut(first) {
                put(below, rest, value);
            }
        }
    }
}
