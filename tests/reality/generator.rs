//! Random front doors: a `cluster.toml` with random values of all settings that reach the controller or Envoy, and
//! applications behind it. The same number always gives the same front door.

use std::fmt::Write as _;

/// A random front door.
pub struct RandomFrontDoor {
    /// `cluster.toml`.
    pub config: String,
    /// The manifests beside it.
    pub apps: String,
    /// URLs to ask.
    pub urls: Vec<String>,
}

/// A setting: how many of a hundred front doors have it, its key, and its values in TOML.
type Setting = (u32, &'static str, &'static [&'static str]);

/// The names of gateways.
const GATEWAYS: [&str; 3] = ["envoy-external", "envoy-internal", "envoy-guest"];

/// The settings of a front door as a whole.
const SHARED: &[Setting] = &[
    (20, "chart.enable_envoy_patch_policy", &["true", "false"]),
    (30, "chart.enable_backend", &["true", "false"]),
    (30, "chart.enable_lua", &["true", "false"]),
    (20, "chart.registry", &["\"mirror.gcr.io\""]),
    (
        10,
        "chart.deploy",
        &["\"ControllerNamespace\"", "\"GatewayNamespace\""],
    ),
    (20, "chart.name", &["\"gateway\""]),
    (10, "class.name", &["\"front\""]),
    (10, "class.labels", &["{ tier = \"front\" }"]),
    (10, "dns.enabled", &["true", "false"]),
    (20, "monitoring.proxies.interval", &["\"30s\""]),
    (10, "flux.interval", &["\"30m\""]),
    (10, "flux.namespaced", &["true", "false"]),
    (10, "namespace.name", &["\"network\"", "\"envoy-system\""]),
    (10, "namespace.in_objects", &["true", "false"]),
    (10, "layout.config_folder", &["\"config\""]),
    (30, "redirect.enabled", &["true", "false"]),
    (30, "redirect.status", &["301", "302", "308"]),
    (
        30,
        "lua.block_user_agents",
        &["[\"GPTBot\", \"CCBot\"]", "\"a.b[c]%d\""],
    ),
    (30, "tcp.postgres.port", &["5432"]),
    (10, "udp.games.port", &["27015"]),
];

/// The settings of the proxies, shared or for a gateway.
const PROXY: &[Setting] = &[
    (10, "proxy.kind", &["\"Deployment\"", "\"DaemonSet\""]),
    (20, "proxy.replicas", &["1", "2"]),
    (
        10,
        "proxy.image_repository",
        &["\"mirror.gcr.io/envoyproxy/envoy\""],
    ),
    (
        20,
        "proxy.external_traffic_policy",
        &["\"Cluster\"", "\"Local\""],
    ),
    (20, "proxy.drain_timeout", &["\"180s\"", "\"5m\""]),
    (
        20,
        "proxy.log_level",
        &["\"info\"", "\"debug\"", "\"warn\""],
    ),
    (
        20,
        "proxy.prometheus_compression",
        &["\"Gzip\"", "\"Brotli\"", "\"Zstd\""],
    ),
    (
        20,
        "proxy.ip_family",
        &["\"IPv4\"", "\"DualStack\"", "\"IPv6\""],
    ),
    (
        10,
        "proxy.resources",
        &["{ requests = { cpu = \"100m\" } }"],
    ),
    (10, "proxy.labels", &["{ tier = \"front\" }"]),
    (5, "proxy.spec.mergeGateways", &["true", "false"]),
    (10, "proxy.spec.preserveRouteOrder", &["true", "false"]),
    (10, "proxy.spec.concurrency", &["2"]),
    (
        5,
        "proxy.spec.luaValidation",
        &["\"Strict\"", "\"InsecureSyntax\"", "\"Disabled\""],
    ),
];

/// The settings for clients, shared or for a gateway.
const CLIENTS: &[Setting] = &[
    (20, "client_traffic.attach", &["\"names\"", "\"selector\""]),
    (
        30,
        "client_traffic.tls.min_version",
        &["\"1.2\"", "\"1.3\"", "\"1.0\""],
    ),
    (
        10,
        "client_traffic.tls.max_version",
        &["\"1.3\"", "\"1.2\""],
    ),
    (
        30,
        "client_traffic.tls.alpn",
        &["[\"h2\", \"http/1.1\"]", "\"http/1.1\"", "[]"],
    ),
    (
        10,
        "client_traffic.tls.ciphers",
        &["[\"ECDHE-ECDSA-AES128-GCM-SHA256\", \"ECDHE-RSA-AES128-GCM-SHA256\"]"],
    ),
    (
        20,
        "client_traffic.http2.on_invalid_message",
        &["\"TerminateStream\"", "\"TerminateConnection\""],
    ),
    (
        20,
        "client_traffic.http2.max_concurrent_streams",
        &["100", "1"],
    ),
    (
        20,
        "client_traffic.http2.stream_window",
        &["\"64Ki\"", "\"1Mi\""],
    ),
    (
        20,
        "client_traffic.http2.connection_window",
        &["\"64Ki\"", "\"1Mi\""],
    ),
    (40, "client_traffic.http3", &["true", "false"]),
    (
        30,
        "client_traffic.client_ip.trusted_cidrs",
        &["[\"10.42.0.0/16\"]", "[\"10.42.0.0/16\", \"fd00::/8\"]"],
    ),
    (10, "client_traffic.client_ip.trusted_hops", &["1", "2"]),
    (
        10,
        "client_traffic.client_ip.header",
        &["\"Cf-Connecting-Ip\""],
    ),
    (10, "client_traffic.client_ip.direct", &["true"]),
    (
        5,
        "client_traffic.proxy_protocol",
        &["false", "\"optional\""],
    ),
    (
        30,
        "client_traffic.tcp_keepalive",
        &[
            "true",
            "{ idle_time = \"20m\", interval = \"60s\", probes = 3 }",
        ],
    ),
    (
        20,
        "client_traffic.timeouts.request_received",
        &["\"30s\"", "\"0s\""],
    ),
    (20, "client_traffic.timeouts.idle", &["\"15m\"", "\"1h\""]),
    (20, "client_traffic.timeouts.stream_idle", &["\"5m\""]),
    (10, "client_traffic.timeouts.tcp_idle", &["\"1h\""]),
    (20, "client_traffic.buffer_limit", &["\"32Ki\"", "\"4Mi\""]),
    (20, "client_traffic.connection_limit", &["10000"]),
    (
        20,
        "client_traffic.headers.set",
        &["{ X-Front = \"door\" }"],
    ),
    (
        20,
        "client_traffic.headers.remove",
        &["\"X-Real-Ip\"", "[\"X-A\", \"X-B\"]"],
    ),
    (
        20,
        "client_traffic.headers.with_underscores",
        &["\"Allow\"", "\"RejectRequest\"", "\"DropHeader\""],
    ),
    (
        10,
        "client_traffic.headers.envoy_headers",
        &["true", "false"],
    ),
    (
        20,
        "client_traffic.path.escaped_slashes",
        &[
            "\"KeepUnchanged\"",
            "\"RejectRequest\"",
            "\"UnescapeAndForward\"",
            "\"UnescapeAndRedirect\"",
        ],
    ),
    (20, "client_traffic.path.merge_slashes", &["true", "false"]),
    (5, "client_traffic.spec.http1.enableTrailers", &["true"]),
    (
        5,
        "client_traffic.spec.headers.preserveXRequestID",
        &["true"],
    ),
];

/// The settings for backends, shared or for a gateway.
const BACKENDS: &[Setting] = &[
    (20, "backend_traffic.attach", &["\"names\"", "\"selector\""]),
    (
        40,
        "backend_traffic.compression",
        &["\"Gzip\"", "[\"Zstd\", \"Brotli\", \"Gzip\"]"],
    ),
    (30, "backend_traffic.retry.attempts", &["2", "5"]),
    (
        30,
        "backend_traffic.retry.on",
        &[
            "\"reset\"",
            "[\"connect-failure\", \"retriable-status-codes\"]",
        ],
    ),
    (20, "backend_traffic.retry.statuses", &["[502, 503]"]),
    (20, "backend_traffic.retry.timeout", &["\"2s\""]),
    (
        30,
        "backend_traffic.tcp_keepalive",
        &["true", "{ idle_time = \"20m\" }"],
    ),
    (
        30,
        "backend_traffic.timeouts.request",
        &["\"0s\"", "\"30s\""],
    ),
    (20, "backend_traffic.timeouts.connection_idle", &["\"1h\""]),
    (
        10,
        "backend_traffic.timeouts.max_connection_duration",
        &["\"1h\""],
    ),
    (20, "backend_traffic.timeouts.connect", &["\"5s\""]),
    (20, "backend_traffic.buffer_limit", &["\"32Ki\"", "\"4Mi\""]),
    (
        10,
        "backend_traffic.spec.circuitBreaker",
        &["{ maxConnections = 4096 }"],
    ),
    (
        10,
        "backend_traffic.spec.loadBalancer",
        &[
            "{ type = \"RoundRobin\" }",
            "{ type = \"ConsistentHash\", consistentHash = { type = \"SourceIP\" } }",
        ],
    ),
    (
        5,
        "backend_traffic.spec.rateLimit",
        &["{ local = { rules = [{ limit = { requests = 1000, unit = \"Second\" } }] } }"],
    ),
    (
        5,
        "backend_traffic.spec.requestBuffer",
        &["{ limit = \"1Mi\" }"],
    ),
];

/// The settings of a gateway alone.
const GATEWAY: &[Setting] = &[
    (
        20,
        "address_as",
        &["\"annotation\"", "\"legacy-annotation\"", "\"spec\""],
    ),
    (10, "dns.enabled", &["true", "false"]),
    (20, "passthrough", &["[\"vault.example.com\"]"]),
    (30, "listeners.https.hostname", &["\"*.example.com\""]),
    (10, "listeners.http.enabled", &["false"]),
    (10, "listeners.http.hostname", &["\"*.example.com\""]),
    (10, "listeners.https.namespaces", &["\"Same\"", "\"All\""]),
    (
        10,
        "listeners.web",
        &[
            "{ protocol = \"HTTP\", port = 8080 }",
            "{ protocol = \"HTTPS\", port = 8443, hostname = \"*.example.com\" }",
        ],
    ),
    (
        5,
        "listeners.other",
        &["{ protocol = \"HTTPS\", port = 443, hostname = \"other.example.com\" }"],
    ),
    (10, "infrastructure.labels", &["{ zone = \"a\" }"]),
    (10, "redirect.status", &["302"]),
    (10, "labels", &["{ zone = \"a\" }"]),
];

/// Policies by their own keys.
const POLICIES: &[Setting] = &[
    (
        15,
        "security_policies.inside.spec.authorization",
        &[
            "{ defaultAction = \"Deny\", rules = [{ action = \"Allow\", principal = { clientCIDRs = [\"10.0.0.0/8\"] } }] }",
        ],
    ),
    (
        10,
        "security_policies.pages.spec.cors",
        &["{ allowOrigins = [\"https://www.example.com\"], allowMethods = [\"GET\"] }"],
    ),
];

/// Numbers that follow from another (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// True in so many of a hundred cases.
    fn chance(&mut self, percent: u32) -> bool {
        self.next() % 100 < u64::from(percent)
    }

    fn choose<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        let length = u64::try_from(items.len()).expect("a length");
        let at = usize::try_from(self.next() % length).expect("a place");
        &items[at]
    }
}

/// The front door with this number.
pub fn front_door(number: u64) -> RandomFrontDoor {
    let mut numbers = Numbers(number);
    let count = *numbers.choose(&[1, 2, 2, 2, 3]);
    let gateways = &GATEWAYS[..count];
    let mut config = "domain = \"example.com\"\ncertificates = \"example-com-tls\"\n".to_owned();
    let mut add = |line: String| {
        config.push_str(&line);
        config.push('\n');
    };
    add("chart.version = \"1.9.0\"".to_owned());
    for settings in [SHARED, PROXY, CLIENTS, BACKENDS] {
        for (key, value) in chosen(&mut numbers, settings) {
            add(format!("{key} = {value}"));
        }
    }
    if numbers.chance(40) {
        add("ssh.namespace = \"dev\"".to_owned());
    }
    for (key, value) in chosen(&mut numbers, POLICIES) {
        add(format!("{key} = {value}"));
        let (policy, _) = key.split_once(".spec").expect("a key of a policy");
        add(format!(
            "{policy}.gateways = [\"{}\"]",
            numbers.choose(gateways)
        ));
    }
    for (nth, gateway) in gateways.iter().enumerate() {
        add(format!("gateways.{gateway}.address = \"10.10.30.2{nth}\""));
        let own = [GATEWAY, PROXY, CLIENTS, BACKENDS];
        for (at, settings) in own.into_iter().enumerate() {
            // Most gateways have no table of their own for what is shared.
            if at == 0 || numbers.chance(15) {
                for (key, value) in chosen(&mut numbers, settings) {
                    add(format!("gateways.{gateway}.{key} = {value}"));
                }
            }
        }
    }
    let (apps, urls) = applications(&mut numbers, gateways);
    RandomFrontDoor { config, apps, urls }
}

/// The settings that this front door has. Of those that exclude each other, only the first.
fn chosen(numbers: &mut Numbers, settings: &[Setting]) -> Vec<(&'static str, &'static str)> {
    let mut all: Vec<(&'static str, &'static str)> = Vec::new();
    for (percent, key, values) in settings {
        let is_chosen = numbers.chance(*percent);
        let value = *numbers.choose(values);
        let is_excluded =
            |part: &str| key.contains(part) && all.iter().any(|(it, _)| it.contains(part));
        if is_chosen && !is_excluded("client_ip.") {
            all.push((key, value));
        }
    }
    all
}

/// Applications behind the gateways, and URLs for each.
fn applications(numbers: &mut Numbers, gateways: &[&str]) -> (String, Vec<String>) {
    let mut apps = String::new();
    let mut urls = vec!["https://unknown.example.com/".to_owned()];
    for (nth, gateway) in gateways.iter().enumerate() {
        let host = format!("app{nth}.example.com");
        let section = *numbers.choose(&["", ", sectionName: https"]);
        let filter = *numbers.choose(&[
            "{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}",
            "{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /v1}}}",
            "{type: RequestRedirect, requestRedirect: {path: {type: ReplaceFullPath, replaceFullPath: /new}}}",
            "{type: RequestRedirect, requestRedirect: {hostname: www.example.com, statusCode: 301}}",
            "{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-A, value: b}]}}",
        ]);
        let backends = match filter.contains("RequestRedirect") {
            true => "",
            false => ", backendRefs: [{name: api, port: 8080}]",
        };
        let separator = if nth == 0 { "" } else { "---\n" };
        let _ = write!(
            apps,
            "{separator}apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: app{nth}, namespace: network}}
spec:
  hostnames: [{host}]
  parentRefs: [{{name: {gateway}{section}}}]
  rules:
    - backendRefs: [{{name: app{nth}, port: 80}}]
    - {{matches: [{{path: {{type: PathPrefix, value: /api}}}}], filters: [{filter}]{backends}}}
    - {{matches: [{{path: {{type: Exact, value: /exact}}, method: GET, headers: [{{name: x-a, value: b}}]}}], backendRefs: [{{name: exact, port: 80}}]}}
"
        );
        for path in ["", "api/a", "apis", "exact", "a%2Fb//c"] {
            for scheme in ["http", "https"] {
                urls.push(format!("{scheme}://{host}/{path}"));
            }
        }
    }
    (apps, urls)
}
