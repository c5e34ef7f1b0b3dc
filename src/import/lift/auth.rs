//! `[auth.NAME]`, from SecurityPolicies that say who may pass

use super::rows::SettingType::{Count, Flag, Names, Text, Texts};
use super::rows::{self, Row, put};
use super::{Form, Lift, policy_targets};
use crate::import::config::{flag, pairs, text, texts};
use crate::import::files::{only_item, text as text_at};
use crate::model::layout::Group;
use ipnet::IpNet;
use manifest::value::{Kind, Map, Node, variable};

/// `[auth.NAME.oidc]`.
const OIDC: &[Row] = &[
    ("issuer", "spec.oidc.provider.issuer", Text),
    (
        "authorization_endpoint",
        "spec.oidc.provider.authorizationEndpoint",
        Text,
    ),
    ("token_endpoint", "spec.oidc.provider.tokenEndpoint", Text),
    ("client_id", "spec.oidc.clientID", Text),
    ("client_secret", "spec.oidc.clientSecret.name", Text),
    ("scopes", "spec.oidc.scopes", Texts),
    ("redirect_url", "spec.oidc.redirectURL", Text),
    ("logout_path", "spec.oidc.logoutPath", Text),
    ("cookie_domain", "spec.oidc.cookieDomain", Text),
    (
        "access_token_cookie",
        "spec.oidc.cookieNames.accessToken",
        Text,
    ),
    ("id_token_cookie", "spec.oidc.cookieNames.idToken", Text),
    ("forward_access_token", "spec.oidc.forwardAccessToken", Flag),
    ("refresh_token", "spec.oidc.refreshToken", Flag),
];

/// `[auth.NAME.ext_auth]`; `{}` is `http` or `grpc`.
const EXT_AUTH: &[Row] = &[
    ("path", "spec.extAuth.{}.path", Text),
    ("headers", "spec.extAuth.headersToExtAuth", Texts),
    (
        "headers_to_backend",
        "spec.extAuth.{}.headersToBackend",
        Texts,
    ),
    ("fail_open", "spec.extAuth.failOpen", Flag),
    ("timeout", "spec.extAuth.timeout", Text),
    (
        "body_bytes",
        "spec.extAuth.bodyToExtAuth.maxRequestBytes",
        Count,
    ),
];

/// `[auth.NAME.basic]`.
const BASIC: &[Row] = &[
    ("users", "spec.basicAuth.users.name", Text),
    (
        "username_header",
        "spec.basicAuth.forwardUsernameHeader",
        Text,
    ),
];

/// `[auth.NAME.jwt]`, from its only provider.
const JWT: &[Row] = &[
    ("name", "name", Text),
    ("issuer", "issuer", Text),
    ("audiences", "audiences", Texts),
    ("jwks", "remoteJWKS.uri", Text),
];

/// `[auth.NAME.api_key]`.
const API_KEY: &[Row] = &[("secrets", "spec.apiKeyAuth.credentialRefs", Names)];

/// The guards of a table. A policy with none of them is no `auth`.
const GUARDS: [&str; 7] = [
    "oidc", "ext_auth", "basic", "jwt", "api_key", "allow", "deny",
];

impl Lift<'_> {
    /// Lifts a SecurityPolicy that guards gateways or routes; `false` if no guard of it can be expressed.
    pub(super) fn auth(&mut self, at: usize) -> bool {
        let node = self.node(at);
        let Some(mut table) = self.auth_targets(node) else {
            return false;
        };
        self.guards(node, &mut table);
        if !GUARDS.iter().any(|guard| table.get(guard).is_some()) {
            return false;
        }
        let name = self.name(at);
        if let Kind::Map(table) = table.kind {
            self.extend(&["auth", name], table);
        }
        self.slot(at, &["auth", name], Form::Object, Group::Policies);
        true
    }

    /// What a policy guards: gateways that are known, or routes of the namespace.
    fn auth_targets(&self, node: &Node) -> Option<Node> {
        let mut table = Node::map();
        let targets = policy_targets(node);
        if targets.at_gateway {
            let are_known = targets.gateways.iter().all(|name| self.has_gateway(name));
            if targets.gateways.is_empty() || !are_known {
                return None;
            }
            let all = self.gateways.iter().map(|gateway| &gateway.name);
            if targets.gateways.iter().ne(all) {
                put(&mut table, "gateways", texts(targets.gateways));
            }
            if let Some(listener) = targets.listener {
                put(&mut table, "listener", text(listener));
            }
            return Some(table);
        }
        let written = node.path(&["spec", "targetRefs"])?.as_list()?;
        let route = |target: &Node| {
            let is_route = text_at(target, &["kind"]) == "HTTPRoute";
            let is_whole = target.get("sectionName").is_none();
            (is_route && is_whole).then(|| text_at(target, &["name"]).to_owned())
        };
        let routes: Vec<String> = written.iter().map(route).collect::<Option<_>>()?;
        if routes.is_empty() {
            return None;
        }
        put(&mut table, "routes", texts(routes));
        Some(table)
    }

    fn guards(&self, node: &Node, table: &mut Node) {
        let mut add = |key: &str, settings: Map, needs: &[&str]| {
            let is_whole = needs.iter().all(|need| settings.contains_key(need));
            if is_whole {
                put(table, key, Node::new(Kind::Map(settings), None));
            }
        };
        let needs = ["issuer", "client_id", "client_secret"];
        add("oidc", rows::lift(OIDC, node, ""), &needs);
        add("basic", rows::lift(BASIC, node, ""), &["users"]);
        let mut key = rows::lift(API_KEY, node, "");
        if let Some(from) = only_item(node, &["spec", "apiKeyAuth", "extractFrom"]) {
            for place in ["headers", "params", "cookies"] {
                let names = crate::import::files::texts(from, place);
                if !names.is_empty() {
                    key.insert(place, texts(names));
                }
            }
        }
        if ["headers", "params", "cookies"]
            .iter()
            .any(|place| key.contains_key(place))
        {
            add("api_key", key, &["secrets"]);
        }
        if let Some(provider) = only_item(node, &["spec", "jwt", "providers"]) {
            add(
                "jwt",
                jwt(node, provider, text_at(node, &["metadata", "name"])),
                &["jwks"],
            );
        }
        if let Some(settings) = self.ext_auth(node) {
            add("ext_auth", settings, &["service", "port"]);
        }
        for (key, cidrs) in networks(node).unwrap_or_default() {
            put(table, key, texts(cidrs));
        }
    }

    fn ext_auth(&self, node: &Node) -> Option<Map> {
        let ext_auth = node.path(&["spec", "extAuth"])?;
        let protocol = match ext_auth.get("grpc").is_some() {
            true => "grpc",
            false => "http",
        };
        let asked = ext_auth.get(protocol)?;
        let service = only_item(asked, &["backendRefs"]).or(asked.get("backendRef"))?;
        if !matches!(text_at(service, &["kind"]), "" | "Service") {
            return None;
        }
        let mut settings = rows::lift(EXT_AUTH, node, protocol);
        settings.insert("service", text(service.get("name")?.as_str()?));
        settings.insert("port", Node::from_json(service.get("port")?.to_json()));
        if protocol == "grpc" {
            settings.insert("protocol", text(protocol));
            settings.remove("path");
            settings.remove("headers_to_backend");
        }
        let namespace = text_at(service, &["namespace"]);
        if !namespace.is_empty() && namespace != self.door.namespace {
            settings.insert("namespace", text(namespace));
            // A grant that exists is in the files of that namespace.
            settings.insert("grant", flag(false));
        }
        Some(settings)
    }
}

fn jwt(node: &Node, provider: &Node, policy: &str) -> Map {
    let mut settings = rows::lift(JWT, provider, "");
    if settings.get("name").and_then(Node::as_str) == Some(policy) {
        settings.remove("name");
    }
    let optional = node.path(&["spec", "jwt", "optional"]);
    if let Some(optional) = optional.and_then(Node::as_bool) {
        settings.insert("optional", flag(optional));
    }
    let claims = provider.get("claimToHeaders").and_then(Node::as_list);
    let claims: Vec<(&str, &str)> = claims
        .unwrap_or_default()
        .iter()
        .map(|one| (text_at(one, &["header"]), text_at(one, &["claim"])))
        .collect();
    if !claims.is_empty() {
        settings.insert("claims_to_headers", pairs(claims));
    }
    settings
}

/// The networks that are allowed and refused, if `authorization` is about nothing else.
fn networks(node: &Node) -> Option<Vec<(&'static str, Vec<&str>)>> {
    let authorization = node.path(&["spec", "authorization"])?;
    let rules = authorization.get("rules")?.as_list()?;
    let mut found = Vec::new();
    for rule in rules {
        let key = match text_at(rule, &["action"]) {
            "Allow" => "allow",
            "Deny" => "deny",
            _ => return None,
        };
        let principal = rule.get("principal")?;
        let is_plain = rule.as_map()?.len() == 2 && principal.as_map()?.len() == 1;
        let cidrs = crate::import::files::texts(principal, "clientCIDRs");
        if !is_plain || cidrs.is_empty() || !cidrs.iter().all(|text| is_network(text)) {
            return None;
        }
        found.push((key, cidrs));
    }
    let keys: Vec<&str> = found.iter().map(|(key, _)| *key).collect();
    let default = text_at(authorization, &["defaultAction"]);
    match (keys.as_slice(), default) {
        (["allow"] | ["deny", "allow"], "Deny") | (["deny"], "Allow") => Some(found),
        _ => None,
    }
}

/// Whether a text is a network as `cluster.toml` takes it, or a Flux variable.
pub(super) fn is_network(text: &str) -> bool {
    let parsed = text.parse::<IpNet>();
    variable::in_text(text) || parsed.is_ok_and(|net| net.addr() == net.network())
}
