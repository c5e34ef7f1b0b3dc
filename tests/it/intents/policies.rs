//! Rate limits, error pages and headers of policies

use super::{file, object};

#[test]
fn local_rate_limits_and_error_pages_are_rendered() {
    let rendered = object(
        "[backend_traffic]\nrate_limit.local = [\n{ requests = 100, per = \"minute\", each_client_of = \"0.0.0.0/0\", path = \"/api\" },\n\
         { requests = 1000, per = \"minute\" },\n]\n[[backend_traffic.error_pages]]\nstatuses = [404]\nrange = [500, 599]\nbody = \"later\"\n\
         [[backend_traffic.error_pages]]\nstatuses = [403]\nstatus = 404\nconfig_map = \"pages\"\ncontent_type = \"text/html\"\n",
        "BackendTrafficPolicy",
    );
    let fields = "  rateLimit:
    local:
      rules:
        - limit:
            requests: 100
            unit: Minute
          clientSelectors:
            - sourceCIDR:
                type: Distinct
                value: 0.0.0.0/0
              path:
                type: PathPrefix
                value: /api
        - limit:
            requests: 1000
            unit: Minute
  responseOverride:
    - match:
        statusCodes:
          - type: Value
            value: 404
          - type: Range
            range:
              start: 500
              end: 599
      response:
        body:
          type: Inline
          inline: later
    - match:
        statusCodes:
          - type: Value
            value: 403
      response:
        statusCode: 404
        contentType: text/html
        body:
          type: ValueRef
          valueRef:
            group: \"\"
            kind: ConfigMap
            name: pages
";
    assert!(rendered.contains(fields), "{rendered}");
}

const GLOBAL: &str = "[[backend_traffic.rate_limit.global]]\nrequests = 10\nper = \"second\"\neach_value_of = \"x-user\"\nheaders.x-plan = \"free\"\n";

#[test]
fn global_rate_limits_need_their_redis_in_the_chart() {
    let tables = GLOBAL;
    let redis = "redis.databases.svc.cluster.local:6379";
    let config = crate::common::MINIMAL.replace(
        "version = \"1.9.0\"",
        &format!("version = \"1.9.0\"\nrate_limit = {{ redis = \"{redis}\", fail_closed = true }}"),
    );
    let project = crate::common::Project::new().config(format!("{config}\n{tables}"));
    project.run(["render"]).success();
    let run = project.run(["validate"]);
    assert!(!run.stdout.contains("error"), "{run}");
    let release = project.read(&format!("{}/helmrelease.yaml", crate::common::APP));
    let values = format!(
        "        rateLimit:
          backend:
            type: Redis
            redis:
              url: {redis}
          failClosed: true
"
    );
    assert!(release.contains(&values), "{release}");
    let policy = project.read(crate::common::ENVOY);
    let fields = "  rateLimit:
    global:
      rules:
        - limit:
            requests: 10
            unit: Second
          clientSelectors:
            - headers:
                - name: x-plan
                  type: Exact
                  value: free
                - name: x-user
                  type: Distinct
";
    assert!(policy.contains(fields), "{policy}");
}

#[test]
fn versions_before_1_6_need_the_type_of_limits() {
    let config = crate::common::MINIMAL.replace("1.9.0", "1.5.9");
    let project = crate::common::Project::new().config(format!(
        "{config}\n[backend_traffic]\nrate_limit.local = [{{ requests = 10, per = \"second\" }}]\n"
    ));
    project.run(["render"]).success();
    project.run(["validate"]).success();
    let rendered = project.read(crate::common::ENVOY);
    assert!(
        rendered.contains("  rateLimit:\n    type: Local\n"),
        "{rendered}"
    );
}

#[test]
fn an_intent_that_the_declared_version_lacks_names_the_version_that_has_it() {
    let config = crate::common::MINIMAL.replace("1.9.0", "1.5.9");
    let project = crate::common::Project::new().config(format!(
        "{config}\n[client_traffic]\nheaders.response_set.Strict-Transport-Security = \"max-age=31536000\"\n"
    ));
    let run = project.run(["validate"]);
    assert!(run.stdout.contains("lateResponseHeaders"), "{run}");
    assert!(run.stdout.contains("1.6"), "{run}");
    assert!(run.stdout.contains("cluster.toml:14"), "{run}");
}

#[test]
fn clients_must_show_certificates_of_an_authority() {
    let rendered = object(
        "[client_traffic]\ntls = { client_ca = \"partners\", client_ca_kind = \"ConfigMap\", client_ca_mode = \"VerifyIfGiven\" }\n\
         headers.response_set.X-Frame-Options = \"DENY\"\nmax_accept_per_socket_event = 0\n",
        "ClientTrafficPolicy",
    );
    for part in [
        "  connection:\n    maxAcceptPerSocketEvent: 0\n",
        "    lateResponseHeaders:\n      set:\n        - name: X-Frame-Options\n          value: DENY\n",
        "    clientValidation:\n      mode: VerifyIfGiven\n      caCertificateRefs:\n        - kind: ConfigMap\n          name: partners\n",
    ] {
        assert!(rendered.contains(part), "{rendered}");
    }
}

#[test]
fn a_gateway_that_lacks_the_authority_of_the_shared_policy_is_reported() {
    let run = crate::common::Project::new()
        .minimal(
            "[client_traffic]\ntls.client_ca = \"partners\"\n[gateways.envoy-external.client_traffic]\nhttp3 = true\n",
        )
        .run(["validate"]);
    let message = "envoy-external has its own `client_traffic`, which doesn't set `tls.client_ca`";
    assert!(run.stdout.contains(message), "{run}");
}

#[test]
fn compression_is_written_to_the_field_that_is_named() {
    let with = |more: &str| {
        let tables = format!("[backend_traffic]\ncompression = [\"Brotli\", \"Gzip\"]\n{more}");
        object(&tables, "BackendTrafficPolicy")
    };
    assert!(with("").contains("  compressor:\n    - type: Brotli\n      brotli: {}\n"));
    let old = with("compression_as = \"compression\"\n");
    assert!(
        old.contains("  compression:\n    - type: Brotli\n    - type: Gzip\n"),
        "{old}"
    );
}

#[test]
fn certificates_have_keys_and_names_of_their_own() {
    let rendered = file(
        "[cert_manager.certificates.example-com]\nissuer = \"letsencrypt\"\ncommon_name = \"example.com\"\nkey = { algorithm = \"ECDSA\", size = 256, rotation = \"Always\" }\n\
         renew_before = \"360h\"\nusages = [\"digital signature\", \"server auth\"]\nsecret_annotations.\"example.com/copy\" = \"true\"\n",
        "certificate.yaml",
    );
    let fields = "  privateKey:
    algorithm: ECDSA
    rotationPolicy: Always
    size: 256
  renewBefore: 360h
  secretName: example-com-tls
  secretTemplate:
    annotations:
      example.com/copy: \"true\"
  usages:
    - digital signature
    - server auth
";
    assert!(rendered.contains(fields), "{rendered}");
    assert!(
        rendered.contains("  commonName: example.com\n"),
        "{rendered}"
    );
}
