//! Envoy Gateway: the release notes of 1.6.0 to 1.9.0 and of their patch releases. Other changes are reported by schemas
//! (empty `clientIPDetection`, `mergeType` at gateways, `extractFrom`, `idleTimeout`), `reference/extension-disabled`
//! (Lua), `version/gate` (TCPRoute and UDPRoute, `disableLua`), `version/deprecated-field` and `flux/crds-stay-old`.

use super::{Change, Effect, Project, Seen, Touches, always, change, in_any};
use manifest::value::Node;

pub(super) const PROJECT: Project = Project {
    name: "envoy-gateway",
    title: "Envoy Gateway",
    covers: ("1.5.0", "1.9.0"),
    changes: CHANGES,
};

const RELEASE: &[&str] = &["HelmRelease"];
const ROUTES: &[&str] = &["HTTPRoute", "GRPCRoute"];
const PATCH: &[&str] = &["EnvoyPatchPolicy"];
/// The kinds that contain queries for Prometheus.
const QUERIES: &[&str] = &[
    "PrometheusRule",
    "GrafanaDashboard",
    "ConfigMap",
    "ScaledObject",
];

/// A change of the names or the structure of what Envoy gets, which patches refer to by these words.
const fn patched(
    at: &'static [&'static str],
    words: fn(&Seen<'_>) -> bool,
    message: &'static str,
) -> Change {
    change(
        at,
        Effect::Behaves,
        Touches::Field(PATCH, "spec.jsonPatches[]", words),
        message,
        "a patch whose path or name is not found is not applied",
        "compare the patch with what `egctl config envoy-proxy` prints after the upgrade",
    )
}

/// A change of what Envoy gets, which extension servers read and change.
const fn extended(at: &'static [&'static str], message: &'static str) -> Change {
    change(
        at,
        Effect::Behaves,
        Touches::Field(
            RELEASE,
            "spec.values.config.envoyGateway.extensionManager",
            is_chart,
        ),
        message,
        "an extension server that looks for the old names or places doesn't find them",
        "read the release notes, and update the extension server before the upgrade",
    )
}

fn is_chart(seen: &Seen<'_>) -> bool {
    let (chart, source) = (
        seen.of_object(&["spec", "chart", "spec", "chart"]),
        seen.of_object(&["spec", "chartRef", "name"]),
    );
    if !source.is_empty() {
        return seen.objects.iter().any(|it| {
            let text = |path: &[&str]| it.node.path(path).and_then(Node::as_str);
            let url = text(&["spec", "url"]).or(text(&["spec", "chart"]));
            it.name() == source && url.is_some_and(|it| it.ends_with("gateway-helm"))
        });
    }
    chart.ends_with("gateway-helm")
}

fn mirrors_and_answers(seen: &Seen<'_>) -> bool {
    let filters = seen.node.get("filters").and_then(Node::as_list);
    let has = |kind: &str| {
        filters
            .unwrap_or_default()
            .iter()
            .any(|filter| filter.get("type").and_then(Node::as_str) == Some(kind))
    };
    let answers = || {
        let filters = filters.unwrap_or_default().iter();
        let mut names = filters.filter_map(|it| it.path(&["extensionRef", "name"])?.as_str());
        names.any(|name| {
            seen.objects.iter().any(|it| {
                it.kind() == "HTTPRouteFilter"
                    && it.name() == name
                    && it.node.path(&["spec", "directResponse"]).is_some()
            })
        })
    };
    has("RequestMirror") && (has("RequestRedirect") || answers())
}

fn rewrites_the_host_of_a_backend(seen: &Seen<'_>) -> bool {
    let items = |key: &str| {
        seen.node
            .get(key)
            .and_then(Node::as_list)
            .unwrap_or_default()
    };
    let rewrites = items("filters")
        .iter()
        .any(|filter| filter.path(&["urlRewrite", "hostname"]).is_some());
    let dynamic = |name: &str| {
        seen.objects.iter().any(|it| {
            let kind = it.node.path(&["spec", "type"]).and_then(Node::as_str);
            it.kind() == "Backend" && it.name() == name && kind == Some("DynamicResolver")
        })
    };
    rewrites
        && items("backendRefs").iter().any(|it| {
            let text = |key: &str| it.get(key).and_then(Node::as_str).unwrap_or_default();
            text("kind") == "Backend" && dynamic(text("name"))
        })
}

fn leaves_crds(seen: &Seen<'_>) -> bool {
    let value = seen.object.node.path(&[
        "spec",
        "values",
        "crds",
        "gatewayAPI",
        "safeUpgradePolicy",
        "enabled",
    ]);
    is_chart(seen) && seen.text() == "Skip" && value.and_then(Node::as_bool) != Some(false)
}

fn is_ambiguous(seen: &Seen<'_>) -> bool {
    let sources = seen.node.as_list().unwrap_or_default();
    let is_one = |source: &Node| {
        let keys = ["headers", "params", "cookies"];
        keys.into_iter()
            .filter(|key| source.get(key).is_some())
            .count()
            == 1
    };
    sources.is_empty() || !sources.iter().all(is_one)
}

const CHANGES: &[Change] = &[
    change(
        &["1.6.0"],
        Effect::Behaves,
        Touches::Field(&["Backend"], "spec.tls", |it| it.lacks("sni")),
        "the server name for a Backend without `sni` is the host of the request, and the certificate must be for it",
        "the Backend's certificate must then be valid for that host, or requests fail with 503",
        "write `sni:` with the name that the Backend's certificate has",
    ),
    change(
        &["1.6.0"],
        Effect::Behaves,
        Touches::Field(&["EnvoyProxy"], "spec.backendTLS", |it| {
            it.lacks("alpnProtocols")
        }),
        "Envoy offers `h2` and `http/1.1` to backends with TLS",
        "a backend that accepts HTTP/2 gets it, which it did not before",
        "write `alpnProtocols: [http/1.1]` to keep HTTP/1.1",
    ),
    change(
        &["1.6.0"],
        Effect::Behaves,
        Touches::Field(ROUTES, "spec.rules[].filters[].requestMirror", always),
        "mirrored requests keep their host",
        "before, `-shadow` was appended to the host, so the mirror could tell copies by it",
        "if the mirror looks at the host, let it look at something else",
    ),
    change(
        &["1.6.0"],
        Effect::Behaves,
        Touches::Words(
            &["Job", "CronJob", "Deployment", "ConfigMap"],
            &["egctl experimental collect", "egctl x collect"],
            in_any,
        ),
        "`egctl experimental collect` leaves out secrets (SDS)",
        "what it collects has no certificates any more",
        "add `--sds true` if they are needed",
    ),
    change(
        &["1.6.0"],
        Effect::Behaves,
        Touches::Field(&["SecurityPolicy"], "spec.oidc", |it| {
            it.lacks("refreshToken")
        }),
        "refresh tokens are used where the provider issues them",
        "a session lasts as long as its refresh token, not only as long as its access token",
        "write `refreshToken: false` under `oidc` to keep it as it was",
    ),
    change(
        &["1.6.0"],
        Effect::Behaves,
        Touches::Field(
            &["BackendTrafficPolicy"],
            "spec.healthCheck.passive.consecutiveGatewayErrors",
            always,
        ),
        "the counted gateway errors now always eject the backend",
        "before, Envoy counted them but ejected nothing",
        "check the number, or remove it",
    ),
    change(
        &["1.7.0"],
        Effect::Behaves,
        Touches::Field(&["SecurityPolicy"], "spec.oidc", always),
        "metrics of OIDC have the name of the policy in their names",
        "dashboards and alerts with the old names of `oauth_…` metrics show nothing",
        "look for them as `securitypolicy/NAMESPACE/NAME.oauth_…`",
    ),
    change(
        &["1.7.0", "1.6.6"],
        Effect::Behaves,
        Touches::Field(ROUTES, "spec.rules[].filters[].extensionRef", always),
        "a rule whose filter is not valid answers with 500",
        "before, requests could reach the backend without the filter",
        "see with `gatewayctl status` whether the filter is accepted",
    ),
    change(
        &["1.7.0"],
        Effect::Behaves,
        Touches::Field(
            &["HTTPRoute"],
            "spec.rules[]",
            rewrites_the_host_of_a_backend,
        ),
        "the rewritten host decides which address a DynamicResolver looks up",
        "before, the host of the request was looked up, so requests may now go to another server",
        "check that the rewritten host is the one to connect to",
    ),
    change(
        &["1.7.0", "1.6.6"],
        Effect::Breaks,
        Touches::Field(&["HTTPRoute"], "spec.rules[]", mirrors_and_answers),
        "a route that mirrors requests which it redirects or answers itself is not accepted",
        "all requests for the route are answered with 404",
        "remove the mirror, or move it to a rule without a redirect and without a direct response",
    ),
    change(
        &["1.7.0"],
        Effect::Behaves,
        Touches::Field(&["BackendTrafficPolicy"], "spec.compression", always),
        "Envoy no longer asks backends for compressed responses if it compresses itself",
        "Envoy removes `Accept-Encoding` from requests, so backends send uncompressed responses",
        "nothing to do; expect more traffic between Envoy and the backends",
    ),
    change(
        &["1.7.0"],
        Effect::Behaves,
        Touches::Field(&["BackendTrafficPolicy"], "spec.compressor", always),
        "Envoy no longer asks backends for compressed responses if it compresses itself",
        "Envoy removes `Accept-Encoding` from requests, so backends send uncompressed responses",
        "nothing to do; expect more traffic between Envoy and the backends",
    ),
    change(
        &["1.7.0"],
        Effect::Behaves,
        Touches::Words(
            QUERIES,
            &["_rq_time_count", "_total_match_count", "_cx_open"],
            in_any,
        ),
        "the names and tags of some metrics of Envoy's clusters differ",
        "queries with the old names (`envoy_cluster_…_rq_time_count`, `…_total_match_count`, `envoy_cluster_circuit_breakers_…_cx_open`) find nothing",
        "see at `/stats/prometheus` of a proxy how they are called now",
    ),
    change(
        &["1.7.0"],
        Effect::Behaves,
        Touches::Field(&["BackendTrafficPolicy"], "spec.responseOverride", always),
        "the filter that replaces responses is the first one",
        "it now also sees responses of other filters, such as those of authentication and rate limits",
        "check which responses are replaced; `filterOrder` of the EnvoyProxy sets another order",
    ),
    change(
        &["1.7.0"],
        Effect::Behaves,
        Touches::Field(&["EnvoyExtensionPolicy"], "spec.lua", always),
        "the controller runs scripts with fewer libraries and with limits",
        "a script that reads files, starts programs or runs long is refused by the controller's check",
        "run `gatewayctl validate`, which checks scripts as the controller does",
    ),
    change(
        &["1.8.0"],
        Effect::Behaves,
        Touches::Field(&["SecurityPolicy"], "spec.extAuth.timeout", |it| {
            it.text() == "0s"
        }),
        "a timeout of `0s` disables the timeout",
        "before, it failed each request immediately; now a request waits as long as the service takes",
        "write how long a request may wait",
    ),
    change(
        &["1.8.0"],
        Effect::Behaves,
        Touches::Field(
            &["EnvoyProxy"],
            "spec.telemetry.tracing.samplingFraction",
            always,
        ),
        "a hundred times as many requests are traced",
        "before, the fraction was treated as a percentage",
        "divide the fraction by 100 to keep the rate as it is",
    ),
    change(
        &["1.8.0"],
        Effect::Behaves,
        Touches::Field(
            &["HTTPRouteFilter"],
            "spec.directResponse.body.inline",
            |it| it.text().contains('%'),
        ),
        "Envoy replaces text between `%` signs in the body",
        "a body with literal `%` signs is changed, or refused",
        "write `%%` for a literal percent sign",
    ),
    change(
        &["1.8.0"],
        Effect::Behaves,
        Touches::Field(RELEASE, "spec.values.config.envoyGateway.logging", is_chart),
        "the controller's logs have another form",
        "what parses them by their fields, such as the time, may find nothing",
        "check what collects the logs",
    ),
    extended(
        &["1.8.0"],
        "the filter of OIDC is one for all routes, and what comes from merged SecurityPolicies has other names",
    ),
    patched(
        &["1.8.0"],
        |it| it.says(&["oauth2", "oidc"]),
        "OIDC has one filter for all routes",
    ),
    patched(
        &["1.8.0"],
        |it| {
            it.says(&[
                "securitypolicy/",
                "jwt",
                "basic_auth",
                "ext_authz",
                "oauth2",
            ])
        },
        "what comes from merged SecurityPolicies is named after the policy that contains the setting",
    ),
    change(
        &["1.9.0", "1.8.1"],
        Effect::Behaves,
        Touches::Field(RELEASE, "spec.upgrade.crds", leaves_crds),
        "the chart itself has the ValidatingAdmissionPolicy `safe-upgrades.gateway.networking.k8s.io`, whatever becomes of the CRDs",
        "Helm refuses the upgrade if the policy is there and belongs to something else",
        "set `crds.gatewayAPI.safeUpgradePolicy.enabled: false` in the values, or give the policy and its binding the annotations of Helm",
    ),
    change(
        &["1.9.0", "1.8.2"],
        Effect::Breaks,
        Touches::Field(
            &["SecurityPolicy"],
            "spec.apiKeyAuth.extractFrom",
            is_ambiguous,
        ),
        "each entry of `extractFrom` has exactly one of `headers`, `params` and `cookies`",
        "the API server refuses the policy; before, such an entry found no key",
        "write an entry for each place that a key may be in",
    ),
    extended(
        &["1.9.0"],
        "JWT, DNS, Lua, shared rate limits, the system's CA certificates and SDS have other names or places in what Envoy gets",
    ),
    patched(
        &["1.9.0", "1.8.3"],
        |it| it.says(&["http.lua", "LuaPerRoute"]),
        "the filters of Lua are at the listener, with other names",
    ),
    change(
        &["1.9.0"],
        Effect::Breaks,
        Touches::Field(&["Secret"], "stringData.url", |it| {
            it.text().starts_with('/')
        }),
        "the URL of a Secret for SDS begins with `unix://`",
        "a path alone is refused, and what refers to the Secret gets no certificate",
        "write `unix://` before the path",
    ),
    patched(
        &["1.9.0"],
        |it| it.says(&["jwt_authn", "requirementMap", "requirement_map", "jwt"]),
        "the providers and requirements of JWT have names that come from their content",
    ),
    patched(
        &["1.9.0"],
        |it| {
            it.says(&[
                "dns_refresh_rate",
                "respect_dns_ttl",
                "dns_lookup_family",
                "dnsRefreshRate",
                "respectDnsTtl",
                "dnsLookupFamily",
                "STRICT_DNS",
                "LOGICAL_DNS",
            ])
        },
        "clusters with DNS have their settings in `cluster_type` (`envoy.cluster.dns`)",
    ),
    change(
        &["1.9.0"],
        Effect::Behaves,
        Touches::Field(
            RELEASE,
            "spec.values.deployment.envoyGateway.resources",
            is_chart,
        ),
        "the controller keeps an index of EndpointSlices, which takes memory",
        "in a cluster with many EndpointSlices it may reach its limit and be killed",
        "raise the memory, or add `EndpointSliceIndex` to `config.envoyGateway.runtimeFlags.disabled`",
    ),
    patched(
        &["1.9.0"],
        |it| it.says(&["rate_limits", "rateLimits"]),
        "shared global rate limits are in `typedPerFilterConfig`, not in `route.rateLimits`",
    ),
    change(
        &["1.9.0"],
        Effect::Behaves,
        Touches::Field(
            &["BackendTLSPolicy"],
            "spec.validation.wellKnownCACertificates",
            |it| it.text() == "System",
        ),
        "the system's CA certificates become one secret that all backends share",
        "proxies reload it, so connections to these backends may fail briefly during the upgrade",
        "upgrade when there is little traffic",
    ),
    change(
        &["1.9.0"],
        Effect::Behaves,
        Touches::Field(&["Backend"], "spec.tls.wellKnownCACertificates", |it| {
            it.text() == "System"
        }),
        "the system's CA certificates become one secret that all backends share",
        "proxies reload it, so connections to these backends may fail briefly during the upgrade",
        "upgrade when there is little traffic",
    ),
    patched(
        &["1.9.0"],
        |it| {
            it.says(&[
                "validationContextSdsSecretConfig",
                "validation_context_sds_secret_config",
                "-ca",
            ])
        },
        "the system's CA certificates are the secret `system_ca_certificates`, which can't be patched",
    ),
    change(
        &["1.9.0"],
        Effect::Behaves,
        Touches::Field(&["EnvoyProxy"], "spec.telemetry.tracing", |it| {
            it.lacks("clientSamplingFraction")
        }),
        "clients can't force a trace any more",
        "client sampling is now 0% by default; before, it was 100%",
        "write `clientSamplingFraction: {numerator: 100}` to keep it as it is",
    ),
    patched(
        &["1.9.0"],
        |it| it.says(&["unix:", "/sds", "sds_", "sds-"]),
        "the clusters of SDS have a hash at the end of their names",
    ),
    change(
        &["1.9.0"],
        Effect::Behaves,
        Touches::Field(&["EnvoyProxy"], "spec.bootstrap.value", |it| {
            it.text().contains("use_eds_cache_for_ads")
        }),
        "the bootstrap doesn't set `envoy.restart_features.use_eds_cache_for_ads`, because Envoy always does so",
        "a bootstrap that replaces the whole still sets it, and a later Envoy refuses a flag that it doesn't know",
        "remove the flag",
    ),
    change(
        &["1.9.0"],
        Effect::Behaves,
        Touches::Field(
            RELEASE,
            "spec.values.deployment.envoyGateway.securityContext",
            is_chart,
        ),
        "the controller runs with a read-only root filesystem",
        "these values are merged with that default, and what writes to the container's disk fails",
        "write `readOnlyRootFilesystem: false` if something needs to write",
    ),
    change(
        &["1.9.0"],
        Effect::Behaves,
        Touches::Field(
            RELEASE,
            "spec.values.certgen.job.pod.securityContext",
            is_chart,
        ),
        "the pod of the certgen Job has a security context of its own",
        "these values are merged with `runAsUser: 65532`, `runAsNonRoot: true` and others, which they may contradict",
        "remove what the chart now sets itself",
    ),
];
