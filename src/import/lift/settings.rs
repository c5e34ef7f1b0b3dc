//! The simple settings: which key of `cluster.toml` sets which field of an object. This is the inverse of the
//! templates.

use super::rows::Row;
use super::rows::SettingType::{
    Any, Count, CountOr, Flag, FlagOr, NamedValues, Names, Switch, Text, TextOr, Texts,
};

/// `[chart]`, from the HelmRelease.
pub(super) const RELEASE: &[Row] = &[
    ("release.interval", "spec.interval", TextOr("1h")),
    ("release.timeout", "spec.timeout", Text),
    ("release.drift_detection", "spec.driftDetection.mode", Text),
    ("release.max_history", "spec.maxHistory", Count),
    (
        "release.install.crds",
        "spec.install.crds",
        TextOr("CreateReplace"),
    ),
    (
        "release.install.retries",
        "spec.install.remediation.retries",
        Count,
    ),
    (
        "release.install.remediate_last_failure",
        "spec.install.remediation.remediateLastFailure",
        Flag,
    ),
    (
        "release.upgrade.crds",
        "spec.upgrade.crds",
        TextOr("CreateReplace"),
    ),
    (
        "release.upgrade.retries",
        "spec.upgrade.remediation.retries",
        Count,
    ),
    (
        "release.upgrade.remediate_last_failure",
        "spec.upgrade.remediation.remediateLastFailure",
        Flag,
    ),
    (
        "release.upgrade.strategy",
        "spec.upgrade.remediation.strategy",
        Text,
    ),
    (
        "release.upgrade.cleanup_on_fail",
        "spec.upgrade.cleanupOnFail",
        Flag,
    ),
    ("release.keep_history", "spec.uninstall.keepHistory", Flag),
    ("image_registry", "spec.values.global.imageRegistry", Text),
    (
        "rate_limit.redis",
        "spec.values.config.envoyGateway.rateLimit.backend.redis.url",
        Text,
    ),
    (
        "rate_limit.fail_closed",
        "spec.values.config.envoyGateway.rateLimit.failClosed",
        Flag,
    ),
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

/// `[argocd]`, from the first Application.
pub(super) const APPLICATION: &[Row] = &[
    ("namespace", "metadata.namespace", TextOr("argocd")),
    ("project", "spec.project", TextOr("default")),
    (
        "destination.server",
        "spec.destination.server",
        TextOr("https://kubernetes.default.svc"),
    ),
    ("destination.name", "spec.destination.name", Text),
    ("prune", "spec.syncPolicy.automated.prune", FlagOr(true)),
    (
        "self_heal",
        "spec.syncPolicy.automated.selfHeal",
        FlagOr(true),
    ),
];

/// `[argocd]`, from the Application of a folder.
pub(super) const APPLICATION_OF_FOLDER: &[Row] = &[
    ("repository", "spec.source.repoURL", Text),
    ("revision", "spec.source.targetRevision", TextOr("HEAD")),
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
    ("min_drain_duration", "spec.shutdown.minDrainDuration", Text),
    ("workload_name", "spec.provider.kubernetes.{}.name", Text),
    ("log_level", "spec.logging.level.default", Text),
    (
        "prometheus_compression",
        "spec.telemetry.metrics.prometheus.compression.type",
        Text,
    ),
    ("ip_family", "spec.ipFamily", Text),
    (
        "node_selector",
        "spec.provider.kubernetes.{}.pod.nodeSelector",
        Any,
    ),
    (
        "tolerations",
        "spec.provider.kubernetes.{}.pod.tolerations",
        Any,
    ),
    ("affinity", "spec.provider.kubernetes.{}.pod.affinity", Any),
    (
        "topology_spread",
        "spec.provider.kubernetes.{}.pod.topologySpreadConstraints",
        Any,
    ),
    (
        "priority_class",
        "spec.provider.kubernetes.{}.pod.priorityClassName",
        Text,
    ),
    (
        "security_context",
        "spec.provider.kubernetes.{}.container.securityContext",
        Any,
    ),
    (
        "pod_security_context",
        "spec.provider.kubernetes.{}.pod.securityContext",
        Any,
    ),
    ("pod_labels", "spec.provider.kubernetes.{}.pod.labels", Any),
    (
        "pod_annotations",
        "spec.provider.kubernetes.{}.pod.annotations",
        Any,
    ),
    (
        "env",
        "spec.provider.kubernetes.{}.container.env",
        NamedValues,
    ),
    (
        "image_pull_secrets",
        "spec.provider.kubernetes.{}.pod.imagePullSecrets",
        Names,
    ),
    (
        "disruption_budget.min_available",
        "spec.provider.kubernetes.envoyPDB.minAvailable",
        Any,
    ),
    (
        "disruption_budget.max_unavailable",
        "spec.provider.kubernetes.envoyPDB.maxUnavailable",
        Any,
    ),
    (
        "hpa.min",
        "spec.provider.kubernetes.envoyHpa.minReplicas",
        Count,
    ),
    (
        "hpa.max",
        "spec.provider.kubernetes.envoyHpa.maxReplicas",
        Count,
    ),
    (
        "hpa.metrics",
        "spec.provider.kubernetes.envoyHpa.metrics",
        Any,
    ),
    (
        "hpa.behavior",
        "spec.provider.kubernetes.envoyHpa.behavior",
        Any,
    ),
    (
        "service.name",
        "spec.provider.kubernetes.envoyService.name",
        Text,
    ),
    (
        "service.type",
        "spec.provider.kubernetes.envoyService.type",
        Text,
    ),
    (
        "service.labels",
        "spec.provider.kubernetes.envoyService.labels",
        Any,
    ),
    (
        "service.annotations",
        "spec.provider.kubernetes.envoyService.annotations",
        Any,
    ),
    (
        "service.load_balancer_class",
        "spec.provider.kubernetes.envoyService.loadBalancerClass",
        Text,
    ),
    (
        "service.source_ranges",
        "spec.provider.kubernetes.envoyService.loadBalancerSourceRanges",
        Texts,
    ),
    (
        "service.node_ports",
        "spec.provider.kubernetes.envoyService.allocateLoadBalancerNodePorts",
        Flag,
    ),
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
        "connection_close_delay",
        "spec.connection.connectionLimit.closeDelay",
        Text,
    ),
    (
        "max_accept_per_socket_event",
        "spec.connection.maxAcceptPerSocketEvent",
        Count,
    ),
    ("tls.client_ca_mode", "spec.tls.clientValidation.mode", Text),
    (
        "tls.client_ca_optional",
        "spec.tls.clientValidation.optional",
        Flag,
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
        "headers.response_set",
        "spec.headers.lateResponseHeaders.set",
        NamedValues,
    ),
    (
        "headers.response_remove",
        "spec.headers.lateResponseHeaders.remove",
        Texts,
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
    ("renew_before", "spec.renewBefore", Text),
    ("common_name", "spec.commonName", Text),
    ("usages", "spec.usages", Texts),
    ("key.algorithm", "spec.privateKey.algorithm", Text),
    ("key.size", "spec.privateKey.size", Count),
    ("key.rotation", "spec.privateKey.rotationPolicy", Text),
    ("key.encoding", "spec.privateKey.encoding", Text),
    ("secret_labels", "spec.secretTemplate.labels", Any),
    ("secret_annotations", "spec.secretTemplate.annotations", Any),
    ("revision_history_limit", "spec.revisionHistoryLimit", Count),
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
    ("retry_interval", "spec.retryInterval", Text),
    ("timeout", "spec.timeout", Text),
    ("wait", "spec.wait", Flag),
    ("health_checks", "spec.healthChecks", Any),
];
