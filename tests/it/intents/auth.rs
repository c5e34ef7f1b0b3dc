//! `[auth.NAME]`

use super::object;
use crate::common::Project;

fn policy(tables: &str) -> String {
    object(&format!("[auth.guard]\n{tables}"), "SecurityPolicy")
}

/// The fields after the targets.
fn fields(tables: &str) -> String {
    let text = policy(&format!("gateways = \"envoy-external\"\n{tables}"));
    let (_, after) = text.split_once("name: envoy-external\n").expect("a target");
    after.to_owned()
}

#[test]
fn all_gateways_are_guarded_unless_some_or_routes_are_named() {
    let targets = |keys: &str| {
        let text = policy(&format!("{keys}\nbasic.users = \"users\""));
        let lines = text.lines().skip_while(|line| !line.contains("targetRefs"));
        let lines: Vec<&str> = lines
            .take_while(|line| !line.contains("basicAuth"))
            .collect();
        lines[1..]
            .join("\n")
            .replace("    - group: gateway.networking.k8s.io\n", "")
            .replace('\n', "")
    };
    assert_eq!(
        targets(""),
        "      kind: Gateway      name: envoy-external      kind: Gateway      name: envoy-internal"
    );
    assert_eq!(
        targets("gateways = \"envoy-internal\"\nlistener = \"https\""),
        "      kind: Gateway      name: envoy-internal      sectionName: https"
    );
    assert_eq!(
        targets("routes = \"wiki\""),
        "      kind: HTTPRoute      name: wiki"
    );
}

#[test]
fn each_guard_is_rendered() {
    assert_eq!(
        fields(
            "oidc = { issuer = \"https://id.example.com\", client_id = \"gateway\", client_secret = \"oidc\", scopes = [\"email\"], cookie_domain = \"example.com\" }"
        ),
        "  oidc:
    provider:
      issuer: https://id.example.com
    clientID: gateway
    clientSecret:
      name: oidc
    cookieDomain: example.com
    scopes:
      - email
"
    );
    assert_eq!(
        fields("allow = [\"10.10.30.0/24\", \"fd00:30::/64\"]\ndeny = \"10.10.30.128/25\""),
        "  authorization:
    defaultAction: Deny
    rules:
      - action: Deny
        principal:
          clientCIDRs:
            - 10.10.30.128/25
      - action: Allow
        principal:
          clientCIDRs:
            - 10.10.30.0/24
            - fd00:30::/64
"
    );
    assert_eq!(
        fields(
            "jwt = { issuer = \"https://id.example.com\", audiences = \"api\", jwks = \"https://id.example.com/jwks\", claims_to_headers = { x-user = \"sub\" } }"
        ),
        "  jwt:
    providers:
      - name: guard
        issuer: https://id.example.com
        audiences:
          - api
        claimToHeaders:
          - claim: sub
            header: x-user
        remoteJWKS:
          uri: https://id.example.com/jwks
"
    );
    assert_eq!(
        fields(
            "api_key = { secrets = \"clients\", headers = \"x-api-key\" }\nbasic.users = \"users\""
        ),
        "  apiKeyAuth:
    credentialRefs:
      - name: clients
    extractFrom:
      - headers:
          - x-api-key
  basicAuth:
    users:
      name: users
"
    );
}

#[test]
fn a_service_in_another_namespace_gets_a_grant_there() {
    let project = Project::new().minimal(
        "[auth.authelia]\ngateways = \"envoy-external\"\next_auth = { service = \"authelia\", namespace = \"security\", port = 9091, path = \"/api/authz/ext-authz/\", headers_to_backend = [\"Remote-User\"] }\n",
    );
    project.run(["render"]).success();
    let envoy = project.read(crate::common::ENVOY);
    let fields = "  extAuth:
    http:
      backendRefs:
        - name: authelia
          namespace: security
          port: 9091
      headersToBackend:
        - Remote-User
      path: /api/authz/ext-authz/
";
    assert!(envoy.contains(fields), "{envoy}");
    let folder = "kubernetes/apps/network/envoy-gateway/routes-security";
    let grant = project.read(&format!("{folder}/referencegrant.yaml"));
    assert!(
        grant.ends_with(
            "kind: ReferenceGrant
metadata:
  name: authelia
  namespace: security
spec:
  from:
    - group: gateway.envoyproxy.io
      kind: SecurityPolicy
      namespace: network
  to:
    - group: \"\"
      kind: Service
      name: authelia
"
        ),
        "{grant}"
    );
    let flux = project.read("kubernetes/apps/network/envoy-gateway/ks.yaml");
    assert!(flux.contains("targetNamespace: security"), "{flux}");
    let run = project.run(["validate"]);
    assert!(!run.stdout.contains("grant"), "{run}");
}
