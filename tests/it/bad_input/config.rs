//! Mistakes in the form of `cluster.toml`, and values without meaning.

use super::refused;
use crate::common::{MINIMAL, Project};

/// [`MINIMAL`] with tables after it.
fn with(tables: &str) -> String {
    format!("{MINIMAL}\n{tables}")
}

/// [`MINIMAL`] with one text replaced by another.
fn but(from: &str, to: &str) -> String {
    assert!(MINIMAL.contains(from), "{from}");
    MINIMAL.replace(from, to)
}

#[test]
fn what_is_no_toml_is_shown_at_its_line() {
    let said = refused(&[
        (
            "a string without its end",
            but("example.com\"", "example.com"),
        ),
        ("a table's header without its end", but("[chart]", "[chart")),
        (
            "a key without a value",
            but("version = \"1.9.0\"", "version ="),
        ),
        (
            "a key twice",
            but("[chart]\n", "[chart]\nversion = \"1.8.3\"\n"),
        ),
        ("a table twice", with("[chart]\nname = \"x\"")),
        (
            "YAML",
            "domain: example.com\ngateways:\n  - envoy-external\n".to_owned(),
        ),
        ("several at once", but("[chart]", "[chart\ndomain = = 3\n]")),
    ]);
    snapshot!("not_toml", said);
}

#[test]
fn an_unknown_key_is_shown_with_the_nearest_known_one() {
    let said = refused(&[
        ("at the top", but("domain", "domian")),
        ("in a table", but("version", "verison")),
        ("a table", with("[autoscalling]\nmin = 1")),
        ("in a table of the user's naming", but("address", "adress")),
        (
            "in an inline table",
            with("[ssh]\nbackend = { nmae = \"forgejo\" }"),
        ),
        (
            "a field of the object itself",
            with("[client_traffic]\nclientIPDetection = {}"),
        ),
        ("nothing near", with("[proxy]\nqqqqqqqq = 1")),
        ("a word", with("[proxy]\nkind = \"Daemonset\"")),
        (
            "a group of files",
            with("[layout.files]\ngatways = \"x.yaml\""),
        ),
    ]);
    snapshot!("unknown_key", said);
}

#[test]
fn a_wrong_type_is_shown_with_the_right_one() {
    let said = refused(&[
        ("a number for a string", but("\"example.com\"", "3")),
        ("a string for a number", with("[proxy]\nreplicas = \"two\"")),
        ("a string for a flag", with("[redirect]\nenabled = \"no\"")),
        (
            "a string for a table",
            format!("proxy = \"big\"\n{MINIMAL}"),
        ),
        ("a list for a string", but("\"1.9.0\"", "[\"1.9.0\"]")),
        (
            "a list with a number",
            but("\"10.10.30.26\"", "[\"10.10.30.26\", 7]"),
        ),
        (
            "a table for a list",
            with("[[lua]]\nblock_user_agents = {}"),
        ),
        ("a date", but("\"1.9.0\"", "1990-09-01")),
        (
            "a number beyond 64 bits",
            with("[proxy]\nreplicas = 99999999999999999999"),
        ),
        ("no number", with("[backend_traffic.spec]\nx = nan")),
    ]);
    snapshot!("wrong_type", said);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let config = r#"domian = "example.com"

[chart]
version = "1.9.0"
deploy = "GatewayNamspace"

[proxy]
replicas = "two"

[gateways.envoy-external]
address = "10.10.30.300"

[gateways.Envoy_Internal]
address = "10.10.30.25"
listeners = { https = { port = 70000 } }

[client_traffic.spec]
http4 = {}

[cilium]
pools = ["10.10.30.1/24"]
"#;
    snapshot!(
        "all_at_once",
        refused(&[("mistakes of all kinds", config.to_owned())])
    );
}

#[test]
fn addresses_are_checked_at_each_place_involved() {
    let pools = |pools: &str| with(&format!("[cilium]\npools = [{pools}]"));
    let said = refused(&[
        ("no address", but("10.10.30.26", "10.10.30.256")),
        (
            "a network as an address",
            but("10.10.30.26", "10.10.30.26/32"),
        ),
        (
            "two in one string",
            but("10.10.30.26", "10.10.30.26,10.10.30.27"),
        ),
        ("on two gateways", but("10.10.30.26", "10.10.30.25")),
        (
            "on two gateways, written otherwise",
            but("10.10.30.26", "fd00::25")
                .replace("\"10.10.30.25\"", "[\"10.10.30.25\", \"fd00:0::0025\"]"),
        ),
        (
            "twice on one gateway",
            but("\"10.10.30.26\"", "[\"10.10.30.26\", \"10.10.30.26\"]"),
        ),
        ("outside the pools", pools("\"10.10.30.24/31\"")),
        (
            "outside the pool that is rendered",
            with("[cilium]\npools = [\"10.10.30.24/31\"]\n[cilium.pool]\nfirst_and_last = true"),
        ),
        ("a pool with host bits", pools("\"10.10.30.1/24\"")),
        ("a pool that is none", pools("\"10.10.30.0-24\"")),
        (
            "a pool from high to low",
            pools("\"10.10.30.40-10.10.30.20\""),
        ),
        (
            "a trusted network with host bits",
            with("[client_traffic]\nclient_ip = { trusted_cidrs = [\"10.42.0.1/16\"] }"),
        ),
    ]);
    snapshot!("addresses", said);
}

#[test]
fn ports_are_checked_at_each_place_involved() {
    let listener = |table: &str| with(&format!("[gateways.envoy-internal.listeners]\n{table}"));
    let said = refused(&[
        ("zero", listener("http = { port = 0 }")),
        ("beyond 65535", listener("https = { port = 65536 }")),
        ("negative", listener("https = { port = -443 }")),
        (
            "of a route",
            with("[tcp.dns]\nport = 99999\nnamespace = \"dns\""),
        ),
        (
            "used twice",
            listener("other = { protocol = \"TCP\", port = 443 }"),
        ),
        (
            "used twice, by a route",
            with("[ssh]\nport = 80\nnamespace = \"dev\""),
        ),
        (
            "used twice, by two routes",
            with(
                "[tcp.a]\nport = 5432\nnamespace = \"a\"\n[tcp.b]\nport = 5432\nnamespace = \"b\"",
            ),
        ),
    ]);
    snapshot!("ports", said);
    // The same port number for TCP and for UDP is not a conflict.
    Project::new()
        .minimal("[tcp.dns-tcp]\nport = 53\nnamespace = \"dns\"\n[udp.dns]\nport = 53\nnamespace = \"dns\"")
        .run(["render"])
        .success();
}

#[test]
fn a_field_is_checked_against_the_declared_version() {
    let older = |tables: &str| with(tables).replace("1.9.0", "1.8.3");
    let direct = "[client_traffic.spec.clientIPDetection]\ndirectSourceIP = {}";
    let said = refused(&[
        ("in a later version", older(direct)),
        (
            "in no version",
            with("[backend_traffic.spec]\nconection = { bufferLimit = \"8Mi\" }"),
        ),
        (
            "a value that the field doesn't take",
            with("[proxy.spec.logging.level]\ndefault = \"loud\""),
        ),
        (
            "of another type",
            with("[client_traffic.spec]\nhttp3 = true"),
        ),
        (
            "in a listener",
            with("[gateways.envoy-internal.listeners.https.spec]\ntsl = {}"),
        ),
        (
            "in a policy",
            with("[security_policies.a.spec]\nauthorisation = {}"),
        ),
    ]);
    snapshot!("fields", said);
    Project::new().minimal(direct).run(["render"]).success();
}

#[test]
fn an_unknown_version_is_shown_with_those_that_are_known() {
    let said = refused(&[
        ("newer than any", but("1.9.0", "1.99.0")),
        ("older than any", but("1.9.0", "v1.4.6")),
        ("no version", but("1.9.0", "latest")),
        ("none", but("[chart]\nversion = \"1.9.0\"\n", "")),
        ("of another project", with("[versions]\nkeda = \"2.0\"")),
        (
            "a channel",
            with("[versions]\ngateway_api_channel = \"stable\""),
        ),
    ]);
    snapshot!("versions", said);
}

#[test]
fn what_is_named_must_be_there() {
    let said = refused(&[
        (
            "a gateway",
            with("[redirect]\ngateways = [\"envoy-externl\"]"),
        ),
        (
            "a gateway of Lua",
            with("[lua]\nblock_user_agents = [\"x\"]\ngateways = [\"nobody\"]"),
        ),
        (
            "a listener",
            with("[security_policies.a]\nlistener = \"htps\"\nspec.cors.allowOrigins = [\"*\"]"),
        ),
        ("a script", with("[lua]\nscript = \"nothing.lua\"")),
        ("templates", with("[layout]\ntemplates = \"nothing\"")),
        (
            "what is to be removed",
            with("[client_traffic]\nremove = [\"/spec/http4\"]"),
        ),
        (
            "no gateway at all",
            "domain = \"example.com\"\n[chart]\nversion = \"1.9.0\"\n".to_owned(),
        ),
        ("nothing at all", String::new()),
    ]);
    snapshot!("references", said);
}

#[test]
fn contradictions_are_told() {
    let said = refused(&[
        (
            "replicas twice",
            with(
                "[proxy]\nreplicas = 2\n[autoscaling]\nmax = 3\n[autoscaling.prometheus]\nserver = \"http://p\"\nquery = \"x\"\nthreshold = \"1\"",
            ),
        ),
        (
            "a minimum above the maximum",
            with(
                "[autoscaling]\nmin = 4\nmax = 3\n[autoscaling.prometheus]\nserver = \"http://p\"\nquery = \"x\"\nthreshold = \"1\"",
            ),
        ),
        (
            "two scripts",
            with("[lua]\nscript = \"a.lua\"\nblock_user_agents = [\"x\"]"),
        ),
        (
            "one folder for two",
            with("[layout]\nconfig_folder = \"app\""),
        ),
        (
            "a file of the folder's own",
            with("[layout.files]\ngateways = \"kustomization.yaml\""),
        ),
    ]);
    snapshot!("contradictions", said);
}

#[test]
fn what_is_not_utf_8_is_refused_at_its_byte() {
    let project = Project::new().config(b"domain = \"ex\xffample.com\"\n");
    project
        .run(["render"])
        .code(2)
        .warns("cluster.toml: byte 12 is not valid UTF-8");
    assert_eq!(project.files().len(), 1);
    // A file as Windows editors save it can be read.
    Project::new()
        .config(format!("\u{feff}{}", MINIMAL.replace('\n', "\r\n")))
        .run(["render"])
        .success();
}

#[test]
fn a_gateways_own_table_that_drops_protection_is_told() {
    let shared = "[client_traffic]\ntls.min_version = \"1.3\"\nclient_ip.trusted_cidrs = [\"10.42.0.0/16\"]\n";
    let validated = |own: &str| {
        let own = format!("{shared}[gateways.envoy-internal.client_traffic]\n{own}\n");
        Project::new()
            .config(with(&own))
            .run(["validate"])
            .success()
    };
    validated("http3 = false")
        .says("warning[config/not-inherited]: envoy-internal has its own `client_traffic`, which doesn't set `tls.min_version` and `client_ip`")
        .says("help: set `tls.min_version` and `client_ip` in `[gateways.envoy-internal.client_traffic]`, too");
    validated("tls.min_version = \"1.2\"\nclient_ip.trusted_hops = 1").never_says("not-inherited");
    validated(
        "spec.tls.minVersion = \"1.2\"\nspec.clientIPDetection.xForwardedFor.numTrustedHops = 1",
    )
    .never_says("not-inherited");
}
