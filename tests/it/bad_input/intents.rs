//! Mistakes in tables that say what is wanted: hosts outside the cluster, guards, limits.

use super::refused;
use crate::common::MINIMAL;

/// [`MINIMAL`] with a table and its keys after it.
fn with(table: &str, keys: &str) -> String {
    format!("{MINIMAL}\n[{table}]\n{keys}\n")
}

#[test]
fn a_host_outside_the_cluster_must_be_complete() {
    let host = |keys: &str| {
        with(
            "external.nas",
            &format!("gateways = \"envoy-internal\"\n{keys}"),
        )
    };
    let at = |keys: &str| host(&format!("address = \"10.10.30.40\"\n{keys}"));
    let said = refused(&[
        (
            "no gateway",
            with("external.nas", "address = \"10.10.30.40\""),
        ),
        ("no address", host("")),
        ("a URL", host("address = \"https://nas.example.com:5001\"")),
        ("a variable that may be both", host("address = \"${NAS}\"")),
        (
            "an address and a name",
            host("address = [\"10.10.30.40\", \"nas.example.com\"]"),
        ),
        ("TLS to an address", at("tls = true")),
        (
            "TLS that validates nothing",
            at("tls = { insecure = true, ca = \"internal-ca\" }"),
        ),
        ("an unknown listener", at("listener = \"htps\"")),
        (
            "no listener that serves the hostname",
            at(
                "hostnames = \"nas.example.org\"\n[gateways.envoy-internal.listeners.https]\nhostname = \"*.example.com\"",
            ),
        ),
        (
            "Backends are disabled",
            at("").replace("[chart]\n", "[chart]\nenable_backend = false\n"),
        ),
    ]);
    snapshot!("external", said);
}

#[test]
fn a_guard_must_be_complete() {
    let guard = |keys: &str| with("auth.guard", keys);
    let said = refused(&[
        ("nothing at all", guard("")),
        (
            "a login without a client",
            guard("oidc.issuer = \"https://id.example.com\""),
        ),
        (
            "a service without a name",
            guard("ext_auth.path = \"/auth\""),
        ),
        ("passwords without users", guard("basic = {}")),
        (
            "tokens without keys",
            guard("jwt.issuer = \"https://id.example.com\""),
        ),
        (
            "keys that nobody has",
            guard("api_key.headers = \"x-api-key\""),
        ),
        (
            "keys that nobody sends",
            guard("api_key.secrets = \"clients\""),
        ),
        ("an empty list", guard("allow = []")),
        ("no network", guard("allow = \"10.10.30.1/24\"")),
        (
            "a path over gRPC",
            guard("ext_auth = { service = \"a\", port = 1, protocol = \"grpc\", path = \"/\" }"),
        ),
        (
            "an unknown listener, and two policies of one name",
            guard(
                "basic.users = \"users\"\nlistener = \"htps\"\n[security_policies.guard]\nspec.cors.allowMethods = [\"GET\"]",
            ),
        ),
    ]);
    snapshot!("auth", said);
}

#[test]
fn limits_and_error_pages_must_have_a_meaning() {
    let said = refused(&[
        (
            "a global limit without a Redis",
            with(
                "[backend_traffic.rate_limit.global]",
                "requests = 10\nper = \"second\"",
            ),
        ),
        (
            "a limit without a time, and a network counted twice",
            with(
                "[backend_traffic.rate_limit.local]",
                "requests = 3\nnetwork = \"10.10.30.0/24\"\neach_client_of = \"10.10.30.1/24\"",
            ),
        ),
        (
            "a page for nothing, with two bodies",
            with(
                "[backend_traffic.error_pages]",
                "body = \"a\"\nconfig_map = \"b\"",
            ),
        ),
        (
            "half a range",
            with("[backend_traffic.error_pages]", "range = [500]"),
        ),
    ]);
    snapshot!("limits", said);
}

#[test]
fn redirects_and_responses_must_have_a_meaning() {
    let on = "gateways = \"envoy-external\"\nhostnames = \"old.example.com\"\n";
    let redirect = |keys: &str| with("redirects.old", &format!("{on}{keys}"));
    let said = refused(&[
        ("a redirect to nowhere", redirect("")),
        ("no URL", redirect("to = \"www.example.com\"")),
        (
            "a status that doesn't redirect",
            redirect("to = \"/new\"\nstatus = 404"),
        ),
        (
            "no hostname",
            with(
                "redirects.old",
                "gateways = \"envoy-external\"\nto = \"/new\"",
            ),
        ),
        (
            "two bodies",
            with(
                "responses.robots",
                &format!("{on}body = \"a\"\nconfig_map = \"b\""),
            ),
        ),
    ]);
    snapshot!("answers", said);
}

#[test]
fn who_publishes_names_must_fit_together() {
    let publishers = |keys: &str| with("dns.publishers.cloudflare", keys);
    let said = refused(&[
        (
            "an unknown source",
            publishers("sources = \"gateway-httproutes\""),
        ),
        (
            "an unknown gateway",
            publishers("gateways = \"envoy-extern\""),
        ),
        ("no version", publishers("version = \"newest\"")),
        (
            "two targets for one annotation",
            publishers(
                "target = \"a.example.com\"\n[dns.publishers.unifi]\ntarget = \"b.example.com\"",
            ),
        ),
        (
            "a target that nothing reads",
            publishers(
                "gateways = \"envoy-external\"\n[gateways.envoy-internal.dns]\ntarget = \"lan.example.com\"",
            ),
        ),
        (
            "a prefix that nothing reads",
            publishers("kind = \"k8s-gateway\"\nannotation_prefix = \"dns.example.com\""),
        ),
        (
            "an endpoint that nothing reads",
            publishers("sources = \"service\"\n[gateways.envoy-internal.dns]\nendpoint = true"),
        ),
        (
            "an endpoint without an address",
            with("gateways.other", "address = []\ndns.endpoint = true"),
        ),
    ]);
    snapshot!("dns", said);
}

#[test]
fn a_tunnel_must_be_complete() {
    let said = refused(&[
        ("no gateway", with("tunnel", "id = \"abc\"")),
        (
            "no identifier",
            with("tunnel", "gateways = \"envoy-external\""),
        ),
        (
            "two names",
            with(
                "tunnel",
                "gateways = \"envoy-external\"\nid = \"abc\"\ntarget = \"tunnel.example.net\"",
            ),
        ),
        (
            "no hostname",
            with("tunnel", "gateways = \"envoy-external\"\nid = \"abc\"")
                .replace("[chart]", "dns.enabled = false\n[chart]"),
        ),
    ]);
    snapshot!("tunnel", said);
}

#[test]
fn a_network_policy_needs_known_ports() {
    let said = refused(&[
        (
            "a host in the place of a network",
            with("network_policies", "clients = \"10.10.30.1/24\""),
        ),
        (
            "an unknown port",
            with(
                "network_policies",
                "[gateways.envoy-internal.listeners.https]\nport = \"${PORT}\"",
            ),
        ),
        (
            "proxies of several gateways",
            with("network_policies", "[proxy]\nspec.mergeGateways = true"),
        ),
    ]);
    snapshot!("network_policies", said);
}

#[test]
fn listeners_of_teams_and_domains_must_be_complete() {
    let set = |keys: &str| with("listener_sets.shop", keys);
    let said = refused(&[
        (
            "no namespace",
            set(
                "gateway = \"envoy-external\"\nhostnames = \"a.example.com\"\ncertificates = \"a\"",
            ),
        ),
        (
            "no gateway",
            set("namespace = \"shop\"\nhostnames = \"a.example.com\"\ncertificates = \"a\""),
        ),
        (
            "an unknown gateway",
            set(
                "namespace = \"shop\"\ngateway = \"envoy\"\nhostnames = \"a.example.com\"\ncertificates = \"a\"",
            ),
        ),
        (
            "no hostname",
            set("namespace = \"shop\"\ngateway = \"envoy-external\""),
        ),
        (
            "no certificate",
            set(
                "namespace = \"shop\"\ngateway = \"envoy-external\"\nhostnames = \"a.example.com\"",
            ),
        ),
        (
            "a variable in the place of a domain",
            with("gateways.envoy-external.domains.\"${DOMAIN}\"", ""),
        ),
    ]);
    snapshot!("listeners", said);
}
