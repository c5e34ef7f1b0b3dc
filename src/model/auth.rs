//! SecurityPolicies that say who may pass a gateway, and the ReferenceGrants that they need.

use serde::Serialize;

use super::ObjectInput;
use super::address;
use super::gateway::Gateway;
use super::listener::check_port;
use super::names::{self, Rule};
use super::policy::missing_listener;
use super::route::chosen;
use crate::config::auth::{ApiKey, Auth as Table, ExtAuth, ExtAuthProtocol, Oidc};
use crate::config::types::Overlay;
use crate::config::{Cluster, Text, Texts, codes};
use manifest::diagnostic::{Diagnostic, Span};

/// The values for the template of a SecurityPolicy.
#[derive(Clone, Debug, Serialize)]
pub struct Auth {
    /// The name of the policy.
    pub name: Text,
    /// The objects that it guards.
    pub targets: Vec<Target>,
    /// The settings from `cluster.toml`.
    pub set: Table,
    /// The name of the provider of tokens.
    pub jwt_name: Text,
    /// Whether the service that decides is asked over gRPC.
    pub is_grpc: bool,
    /// The namespace of the service that decides, if it is another one than that of the gateways.
    pub ext_auth_namespace: Option<Text>,
}

/// An object that a policy guards.
#[derive(Clone, Debug, Serialize)]
pub struct Target {
    /// `Gateway` or `HTTPRoute`.
    pub kind: &'static str,
    /// The name of the object.
    pub name: Text,
    /// The listener of the gateway.
    pub listener: Option<Text>,
}

/// The values for the template of a ReferenceGrant.
#[derive(Clone, Debug, Serialize)]
pub struct Grant {
    /// The name of the grant.
    pub name: Text,
    /// The namespace of the grant and of the Service.
    pub namespace: Text,
    /// The namespace of the policies that may use the Service.
    pub from: Text,
    /// The name of the Service.
    pub service: Text,
}

/// Builds the policies, and the grants for Services in other namespaces.
pub fn build(
    cluster: &Cluster,
    gateways: &[ObjectInput<Gateway>],
    namespace: &Text,
    problems: &mut Vec<Diagnostic>,
) -> (Vec<ObjectInput<Auth>>, Vec<ObjectInput<Grant>>) {
    let (mut policies, mut grants) = (Vec::new(), Vec::new());
    for (name, table) in cluster.auth.iter() {
        names::check(Rule::Subdomain, "a policy's name", name, problems);
        check(name, table, problems);
        let elsewhere = |service: &ExtAuth| {
            let own = service.namespace.clone();
            own.filter(|own| own.value != namespace.value)
        };
        let service_namespace = table.ext_auth.as_ref().and_then(elsewhere);
        if let Some(there) = &service_namespace {
            names::check(Rule::Label, "a namespace's name", there, problems);
        }
        let is_granted = |service: &&ExtAuth| service.grant.as_ref().is_none_or(|it| it.value);
        let service = table.ext_auth.as_ref().filter(is_granted);
        let service = service.and_then(|service| service.service.as_ref());
        if let (Some(there), Some(service)) = (&service_namespace, service) {
            grants.push(ObjectInput {
                values: Grant {
                    name: name.clone(),
                    namespace: there.clone(),
                    from: namespace.clone(),
                    service: service.clone(),
                },
                overlay: Overlay::default(),
            });
        }
        let jwt = table.jwt.as_ref().and_then(|jwt| jwt.name.clone());
        let protocol = table.ext_auth.as_ref().and_then(|it| it.protocol.as_ref());
        policies.push(ObjectInput {
            values: Auth {
                name: name.clone(),
                targets: targets(name, table, gateways, problems),
                jwt_name: jwt.unwrap_or_else(|| name.clone()),
                is_grpc: protocol.is_some_and(|it| it.value == ExtAuthProtocol::Grpc),
                ext_auth_namespace: service_namespace,
                set: table.clone(),
            },
            overlay: table.overlay(),
        });
    }
    (policies, grants)
}

/// The routes that are named, or else gateways.
fn targets(
    name: &Text,
    table: &Table,
    gateways: &[ObjectInput<Gateway>],
    problems: &mut Vec<Diagnostic>,
) -> Vec<Target> {
    let target = |kind, name: &Text, listener: Option<&Text>| Target {
        kind,
        name: name.clone(),
        listener: listener.cloned(),
    };
    let routes = table
        .routes
        .iter()
        .map(|route| target("HTTPRoute", route, None));
    let mut targets: Vec<Target> = routes.collect();
    for route in table.routes.iter() {
        names::check(Rule::Subdomain, "a route's name", route, problems);
    }
    if targets.is_empty() || table.gateways.is_given() {
        let chosen = chosen(gateways, &table.gateways, problems);
        if let Some(listener) = &table.listener {
            problems.extend(missing_listener(listener, &chosen, gateways));
        }
        let listener = table.listener.as_ref();
        targets.extend(chosen.iter().map(|one| target("Gateway", one, listener)));
    }
    if targets.is_empty() {
        problems.push(missing(
            format!("auth.{} guards nothing", name.value),
            table.gateways.span.or(name.span),
            "it would attach to nothing",
            "add `gateways = \"envoy-external\"`, or the names of `routes`",
        ));
    }
    targets
}

/// Reports what is missing or has no meaning. A guard that is not complete must never be written, because nobody would
/// notice that it doesn't guard.
fn check(name: &Text, table: &Table, problems: &mut Vec<Diagnostic>) {
    let auth = &name.value;
    let mut need = |is_there: bool, what: &str, why: &str, help: &str| {
        if !is_there {
            let message = format!("auth.{auth} has no {what}");
            problems.push(missing(message, name.span, why, help));
        }
    };
    let guards = [
        table.oidc.is_some(),
        table.ext_auth.is_some(),
        table.basic.is_some(),
        table.jwt.is_some(),
        table.api_key.is_some(),
        table.allow.is_given(),
        table.deny.is_given(),
        table.spec.is_some(),
    ];
    need(
        guards.contains(&true),
        "guard",
        "every request would pass",
        "add `oidc`, `ext_auth`, `basic`, `jwt`, `api_key`, `allow` or `deny`",
    );
    if let Some(oidc) = &table.oidc {
        for (key, is_there, example) in oidc_keys(oidc) {
            need(
                is_there,
                &format!("`oidc.{key}`"),
                "nobody could log in",
                &format!("add `oidc.{key} = \"{example}\"`"),
            );
        }
    }
    if let Some(service) = &table.ext_auth {
        let why = "there would be nobody to ask, and every request would be refused";
        let help = "add `ext_auth.service = \"authelia\"`, the name of the Service";
        need(service.service.is_some(), "`ext_auth.service`", why, help);
        let help = "add `ext_auth.port = 9091`, the port of the Service";
        need(service.port.is_some(), "`ext_auth.port`", why, help);
    }
    if let Some(basic) = &table.basic {
        need(
            basic.users.is_some(),
            "`basic.users`",
            "there would be nobody who may pass",
            "add `basic.users = \"users\"`, the name of the Secret with `.htpasswd`",
        );
    }
    if let Some(jwt) = &table.jwt {
        need(
            jwt.jwks.is_some() || table.spec.is_some(),
            "`jwt.jwks`",
            "without the issuer's keys no token can be validated",
            "add `jwt.jwks = \"https://id.example.com/jwks.json\"`",
        );
    }
    if let Some(key) = &table.api_key {
        let help =
            "add `api_key.secrets = \"clients\"`, the name of a Secret with a key for each client";
        let why = "there would be nobody who may pass";
        need(key.secrets.is_given(), "`api_key.secrets`", why, help);
        need(
            is_sent(key),
            "place where clients send the key",
            "no key would ever be found",
            "add `api_key.headers = \"x-api-key\"`, or `params` or `cookies`",
        );
    }
    check_values(name, table, problems);
}

fn oidc_keys(oidc: &Oidc) -> [(&'static str, bool, &'static str); 3] {
    [
        ("issuer", oidc.issuer.is_some(), "https://id.example.com"),
        ("client_id", oidc.client_id.is_some(), "gateway"),
        ("client_secret", oidc.client_secret.is_some(), "oidc-client"),
    ]
}

fn is_sent(key: &ApiKey) -> bool {
    [&key.headers, &key.params, &key.cookies]
        .into_iter()
        .any(Texts::is_given)
}

fn check_values(name: &Text, table: &Table, problems: &mut Vec<Diagnostic>) {
    for cidr in table.allow.iter().chain(table.deny.iter()) {
        address::network(cidr, problems);
    }
    if table.allow.is_given() && table.allow.is_empty() {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_INVALID_VALUE,
                format!("auth.{} allows no network at all", name.value),
            )
            .at(table.allow.span)
            .why("it would refuse every request")
            .help("list the networks: `allow = [\"10.10.30.0/24\"]`; or remove `allow`"),
        );
    }
    let Some(service) = &table.ext_auth else {
        return;
    };
    if let Some(text) = &service.service {
        names::check(Rule::Label, "a Service's name", text, problems);
    }
    if let Some(port) = &service.port {
        check_port(
            &format!("the service of auth.{}", name.value),
            port,
            problems,
        );
    }
    let grpc = service.protocol.as_ref();
    let Some(grpc) = grpc.filter(|it| it.value == ExtAuthProtocol::Grpc) else {
        return;
    };
    let path = service.path.as_ref().and_then(|path| path.span);
    if let Some(span) = path.or(service.headers_to_backend.span) {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_CONTRADICTION,
                "a service that speaks gRPC takes neither `path` nor `headers_to_backend`",
            )
            .at(span)
            .related(grpc.span, "gRPC is chosen here")
            .why("the API has these fields only for HTTP, so they would have no effect")
            .help("remove the key, or set `protocol = \"http\"`"),
        );
    }
}

fn missing(message: String, span: Option<Span>, why: &str, help: &str) -> Diagnostic {
    Diagnostic::new(codes::CONFIG_MISSING_KEY, message)
        .at(span)
        .why(why)
        .help(help)
}

/// The namespaces of grants, which need a Kustomization of their own each.
pub fn namespaces(grants: &[ObjectInput<Grant>]) -> impl Iterator<Item = &Text> {
    grants.iter().map(|grant| &grant.values.namespace)
}
