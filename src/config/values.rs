//! The values that keys of `cluster.toml` take, as far as a JSON Schema can tell them: closed sets of words, and the form of
//! addresses, durations and versions. It refuses only what `validate` refuses, too; a Flux variable may stand everywhere.

use serde_json::{Map, Value, json};

/// What a string may be.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// One of some words: those of this field of a CRD, if it is passed on to one.
    OneOf(&'static str, &'static [&'static str]),
    /// A duration of Go, which the Gateway API's and Flux' are, too.
    Duration,
    /// A duration of Prometheus, which has days and weeks.
    Scrape,
    /// An IP address.
    Address,
    /// An IP address or a network.
    Network,
    /// A network, or the first and the last address of a range.
    Range,
    /// The version of a release.
    Version,
    /// The digest of an image.
    Digest,
}

/// Where a Flux variable stands. Its value is not known.
const VARIABLE: &str = r"\$\{";

const IPV4: &str = r"((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const IPV6: &str = "[0-9a-fA-F]*:[0-9a-fA-F:]*(\\.[0-9.]+)?";

const TLS: &[&str] = &["Auto", "1.0", "1.1", "1.2", "1.3"];
const COMPRESSION: &[&str] = &["Gzip", "Brotli", "Zstd"];

/// The table of a key, the key, and what it takes.
const KEYS: &[(&str, &[&str], Form)] = &[
    (
        "Versions",
        &["gateway_api_channel"],
        Form::OneOf("", &["standard", "experimental"]),
    ),
    (
        "Release",
        &["drift_detection"],
        Form::OneOf(
            "HelmRelease.spec.driftDetection.mode",
            &["enabled", "warn", "disabled"],
        ),
    ),
    (
        "ReleaseAction",
        &["crds"],
        Form::OneOf(
            "HelmRelease.spec.install.crds",
            &["CreateReplace", "Create", "Skip"],
        ),
    ),
    (
        "ReleaseAction",
        &["strategy"],
        Form::OneOf(
            "HelmRelease.spec.upgrade.remediation.strategy",
            &["rollback", "uninstall"],
        ),
    ),
    (
        "Proxy",
        &["external_traffic_policy"],
        Form::OneOf(
            "EnvoyProxy.spec.provider.kubernetes.envoyService.externalTrafficPolicy",
            &["Local", "Cluster"],
        ),
    ),
    (
        "Proxy",
        &["prometheus_compression"],
        Form::OneOf(
            "EnvoyProxy.spec.telemetry.metrics.prometheus.compression.type",
            COMPRESSION,
        ),
    ),
    (
        "Proxy",
        &["ip_family"],
        Form::OneOf("EnvoyProxy.spec.ipFamily", &["IPv4", "IPv6", "DualStack"]),
    ),
    (
        "Proxy",
        &["log_level"],
        Form::OneOf("", &["trace", "debug", "info", "warn", "error"]),
    ),
    (
        "ProxyService",
        &["type"],
        Form::OneOf(
            "EnvoyProxy.spec.provider.kubernetes.envoyService.type",
            &["LoadBalancer", "NodePort", "ClusterIP"],
        ),
    ),
    (
        "ClientTls",
        &["min_version"],
        Form::OneOf("ClientTrafficPolicy.spec.tls.minVersion", TLS),
    ),
    (
        "ClientTls",
        &["max_version"],
        Form::OneOf("ClientTrafficPolicy.spec.tls.maxVersion", TLS),
    ),
    (
        "ClientTls",
        &["client_ca_mode"],
        Form::OneOf(
            "ClientTrafficPolicy.spec.tls.clientValidation.mode",
            &["RequireAndVerify", "VerifyIfGiven", "RequireAny", "Request"],
        ),
    ),
    (
        "Headers",
        &["with_underscores"],
        Form::OneOf(
            "ClientTrafficPolicy.spec.headers.withUnderscoresAction",
            &["Allow", "RejectRequest", "DropHeader"],
        ),
    ),
    (
        "Path",
        &["escaped_slashes"],
        Form::OneOf(
            "ClientTrafficPolicy.spec.path.escapedSlashesAction",
            &[
                "KeepUnchanged",
                "RejectRequest",
                "UnescapeAndForward",
                "UnescapeAndRedirect",
            ],
        ),
    ),
    (
        "BackendTraffic",
        &["compression"],
        Form::OneOf("BackendTrafficPolicy.spec.compressor.type", COMPRESSION),
    ),
    (
        "RateLimit",
        &["type"],
        Form::OneOf(
            "BackendTrafficPolicy.spec.rateLimit.type",
            &["Local", "Global"],
        ),
    ),
    (
        "PrivateKey",
        &["algorithm"],
        Form::OneOf(
            "Certificate.spec.privateKey.algorithm",
            &["RSA", "ECDSA", "Ed25519"],
        ),
    ),
    (
        "PrivateKey",
        &["rotation"],
        Form::OneOf(
            "Certificate.spec.privateKey.rotationPolicy",
            &["Always", "Never"],
        ),
    ),
    (
        "PrivateKey",
        &["encoding"],
        Form::OneOf("Certificate.spec.privateKey.encoding", &["PKCS1", "PKCS8"]),
    ),
    (
        "Rules",
        &["tls_floor"],
        Form::OneOf("", &["1.0", "1.1", "1.2", "1.3"]),
    ),
    ("Source", &["interval"], Form::Duration),
    ("Release", &["interval", "timeout"], Form::Duration),
    (
        "Proxy",
        &["drain_timeout", "min_drain_duration"],
        Form::Duration,
    ),
    ("ClientTraffic", &["connection_close_delay"], Form::Duration),
    ("Keepalive", &["idle_time", "interval"], Form::Duration),
    (
        "ClientTimeouts",
        &["request_received", "idle", "stream_idle", "tcp_idle"],
        Form::Duration,
    ),
    ("Retry", &["timeout"], Form::Duration),
    (
        "BackendTimeouts",
        &[
            "request",
            "connection_idle",
            "max_connection_duration",
            "connect",
        ],
        Form::Duration,
    ),
    ("ExtAuth", &["timeout"], Form::Duration),
    ("External", &["timeout"], Form::Duration),
    (
        "Flux",
        &["interval", "retry_interval", "timeout"],
        Form::Duration,
    ),
    ("FluxConfig", &["retry_interval", "timeout"], Form::Duration),
    ("Certificate", &["duration", "renew_before"], Form::Duration),
    ("Monitor", &["interval"], Form::Scrape),
    ("Gateway", &["address"], Form::Address),
    ("Peer", &["address"], Form::Address),
    ("ProxyService", &["source_ranges"], Form::Network),
    ("ClientIp", &["trusted_cidrs"], Form::Network),
    (
        "RateLimitRule",
        &["network", "each_client_of"],
        Form::Network,
    ),
    ("Auth", &["allow", "deny"], Form::Network),
    ("Cilium", &["pools"], Form::Range),
    ("Chart", &["version"], Form::Version),
    ("Chart", &["digest"], Form::Digest),
    (
        "Versions",
        &[
            "envoy_gateway",
            "gateway_api",
            "keda",
            "cilium",
            "cert_manager",
            "grafana_operator",
            "prometheus_operator",
            "external_dns",
            "kustomize_controller",
            "helm_controller",
            "source_controller",
        ],
        Form::Version,
    ),
];

/// The closed sets that are passed on to a CRD: the field, as `explain` takes it, and its words.
pub fn closed_sets() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    let sets = KEYS.iter().filter_map(|(_, _, form)| match form {
        Form::OneOf(field, words) => Some((*field, *words)),
        _ => None,
    });
    sets.filter(|(field, _)| !field.is_empty())
}

impl Form {
    /// The pattern of the strings.
    fn pattern(self) -> String {
        let own = match self {
            Form::OneOf(_, words) => words.join("|").replace('.', r"\."),
            Form::Duration => r"0|([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+".to_owned(),
            Form::Scrape => "0|([0-9]+(ms|[smhdwy]))+".to_owned(),
            Form::Address => format!("{IPV4}|{IPV6}"),
            Form::Network => format!("({IPV4}|{IPV6})(/[0-9]{{1,3}})?"),
            Form::Range => {
                format!(r"({IPV4}|{IPV6})(/[0-9]{{1,3}}|\s*-\s*({IPV4}|{IPV6}))?")
            }
            Form::Version => r"v?[0-9]+(\.[0-9xX*]+)*([-+][0-9A-Za-z.+-]+)?".to_owned(),
            Form::Digest => "sha256:[0-9a-f]{64}".to_owned(),
        };
        format!("^\\s*({own})\\s*$|{VARIABLE}")
    }
}

/// Adds to each key what it takes.
pub(super) fn describe(schema: &mut Value) {
    for (table, keys, form) in KEYS {
        for key in *keys {
            let place = format!("/$defs/{table}/properties/{key}");
            if let Some(found) = schema.pointer_mut(&place).and_then(Value::as_object_mut) {
                describe_one(found, *form);
            }
        }
    }
}

fn describe_one(schema: &mut Map<String, Value>, form: Form) {
    if let Some(Value::Array(parts)) = schema.get_mut("anyOf") {
        // One string, or a list of them.
        for part in parts.iter_mut() {
            let strings = match part.get("items") {
                Some(_) => part.get_mut("items"),
                None => Some(part),
            };
            if let Some(strings) = strings.and_then(Value::as_object_mut) {
                strings.insert("pattern".to_owned(), form.pattern().into());
            }
        }
        return;
    }
    let Form::OneOf(_, words) = form else {
        schema.insert("pattern".to_owned(), form.pattern().into());
        return;
    };
    let mut known: Vec<Value> = words.iter().map(|word| json!(word)).collect();
    let takes_numbers = schema.get("type").is_some_and(Value::is_array);
    if takes_numbers {
        let numbers = words.iter().filter_map(|word| word.parse::<f64>().ok());
        known.extend(numbers.map(|number| json!(number)));
    }
    schema.remove("type");
    let variable = json!({"type": "string", "pattern": VARIABLE});
    schema.insert("anyOf".to_owned(), json!([{"enum": known}, variable]));
}

/// Whether a part of a schema only stands for Flux variables.
pub(super) fn is_variable(schema: &Value) -> bool {
    let pattern = schema.get("pattern").and_then(Value::as_str);
    pattern == Some(VARIABLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::schema::json_schema;

    #[test]
    fn every_key_in_the_table_is_a_key_of_its_table() {
        let schema = json_schema();
        for (table, keys, _) in KEYS {
            for key in *keys {
                let place = format!("/$defs/{table}/properties/{key}");
                assert!(schema.pointer(&place).is_some(), "{place}");
            }
        }
    }

    #[test]
    fn patterns_take_what_is_written_and_no_mistakes() {
        let fits = |form: Form, text: &str| {
            let pattern = regex::Regex::new(&form.pattern()).expect("a pattern");
            pattern.is_match(text)
        };
        let right = [
            (Form::Duration, "1h30m"),
            (Form::Duration, "0.5s"),
            (Form::Scrape, "1d"),
            (Form::Address, "10.10.30.26"),
            (Form::Address, "fd00::1"),
            (Form::Address, "${GATEWAY_IP}"),
            (Form::Network, "::/0"),
            (Form::Network, "10.0.0.0/8"),
            (Form::Range, "10.10.30.20 - 10.10.30.40"),
            (Form::Range, "10.10.30.0/24"),
            (Form::Version, "v1.9.0"),
            (Form::Version, "2.0.0-rc.1"),
        ];
        for (form, text) in right {
            assert!(fits(form, text), "{form:?} {text}");
        }
        let wrong = [
            (Form::Duration, "10"),
            (Form::Duration, "1 hour"),
            (Form::Address, "10.10.30.256"),
            (Form::Address, "10.10.30"),
            (Form::Address, "10.10.30.26/24"),
            (Form::Network, "10.0.0.0/"),
            (Form::Version, "latest"),
            (Form::Digest, "sha256:abc"),
        ];
        for (form, text) in wrong {
            assert!(!fits(form, text), "{form:?} {text}");
        }
    }
}
