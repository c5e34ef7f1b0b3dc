//! Checks the settings of SecurityPolicies.

use std::collections::BTreeSet;

use super::extension::check_settings;
use super::traffic::is_cidr;
use super::units::check_durations;
use super::{Content, Scope, lacking};
use crate::Resolver;
use crate::fault::{Fault, Faults};
use crate::grant::ReferenceGrantFrom;
use crate::index::{ENVOY_GATEWAY, Key};
use crate::policy::PolicyKind;
use crate::read::{flag, has, list, text};
use crate::rules::is_pattern;
use crate::telemetry::is_cel;
use crate::tls::data;
use crate::view::{GatewayId, ListenerId, RouteKind};
use k8s_syntax::base64;
use manifest::Object;
use manifest::value::{Node, variable};

/// Finds contradictions within the settings, which don't depend on other objects.
pub(crate) fn check_form(spec: Option<&Node>, scope: Scope<'_>, faults: &mut Faults) {
    let Some(spec) = spec else {
        return;
    };
    if matches!(
        scope,
        Scope::Route(RouteKind::Tcp, _) | Scope::Rule(RouteKind::Tcp, ..)
    ) {
        check_tcp(spec, faults);
        return;
    }
    for source in list(spec, &["apiKeyAuth", "extractFrom"]) {
        let given = ["headers", "params", "cookies"]
            .iter()
            .filter(|key| !list(source, &[key]).is_empty());
        if given.count() > 1 {
            faults.push(Fault::invalid(
                "`apiKeyAuth.extractFrom`: an entry must have exactly one of `headers`, `params`, `cookies`",
            ));
        }
    }
    if flag(spec, &["oidc", "passThroughAuthHeader"]) == Some(true) {
        let providers = list(spec, &["jwt", "providers"]);
        let reads_header = |it: &Node| {
            !has(it, &["extractFrom"]) || !list(it, &["extractFrom", "headers"]).is_empty()
        };
        if !providers.iter().any(reads_header) {
            faults.push(Fault::invalid(
                "`oidc.passThroughAuthHeader` needs a `jwt` provider that reads a header",
            ));
        } else if let Some(header) = text(spec, &["oidc", "forwardIDToken", "header"])
            && providers.iter().any(|it| reads(it, header))
        {
            faults.push(Fault::invalid(format!(
                "`oidc.forwardIDToken` can't write the header `{header}`, which a `jwt` provider reads"
            )));
        }
    }
}

/// Whether a JWT provider reads tokens from a header.
fn reads(provider: &Node, header: &str) -> bool {
    if !has(provider, &["extractFrom"]) {
        return header.eq_ignore_ascii_case("Authorization");
    }
    let mut headers = list(provider, &["extractFrom", "headers"]).iter();
    headers.any(|it| text(it, &["name"]).is_some_and(|name| name.eq_ignore_ascii_case(header)))
}

fn check_tcp(spec: &Node, faults: &mut Faults) {
    const HTTP_ONLY: &[&str] = &[
        "cors",
        "csrf",
        "jwt",
        "oidc",
        "apiKeyAuth",
        "basicAuth",
        "extAuth",
    ];
    if let Some(key) = HTTP_ONLY.iter().find(|key| has(spec, &[key])) {
        faults.push(Fault::invalid(format!(
            "`{key}` can't be used for TCP; only `authorization` can"
        )));
    }
    for rule in list(spec, &["authorization", "rules"]) {
        let is_http = has(rule, &["cel"])
            || ["jwt", "headers", "clientIPGeoLocations"]
                .iter()
                .any(|key| has(rule, &["principal", key]));
        if is_http {
            faults.push(Fault::invalid(
                "for TCP, `authorization` can only use `clientCIDRs`",
            ));
        }
    }
}

pub(crate) fn check<'a>(
    resolver: &mut Resolver<'a, '_>,
    content: &Content<'a, '_>,
    faults: &mut Faults,
) {
    let spec = content.spec;
    if matches!(content.scope, Scope::Route(..) | Scope::Rule(..)) {
        check_form(Some(spec), content.scope, faults);
        if !faults.is_empty() {
            return;
        }
    }
    if let Some(basic) = spec.get("basicAuth") {
        let owner = content.owner(&["basicAuth"]);
        faults.keep(check_users(resolver, owner, basic).map_err(|fault| fault.at("basicAuth")));
    }
    if let Some(keys) = spec.get("apiKeyAuth") {
        let owner = content.owner(&["apiKeyAuth"]);
        faults.keep(check_keys(resolver, owner, keys).map_err(|fault| fault.at("apiKeyAuth")));
    }
    if let Some(authorization) = spec.get("authorization") {
        check_authorization(authorization, faults);
        check_locations(resolver, content, authorization, faults);
    }
    for gateway in content.gateways {
        check_services(resolver, content, *gateway, faults);
    }
}

/// Checks the external services that the settings name.
fn check_services<'a>(
    resolver: &mut Resolver<'a, '_>,
    content: &Content<'a, '_>,
    gateway: GatewayId,
    faults: &mut Faults,
) {
    let spec = content.spec;
    if let Some(auth) = spec.get("extAuth") {
        let owner = content.owner(&["extAuth"]);
        let service = auth.get("http").or(auth.get("grpc"));
        let one = service.and_then(|it| it.get("backendRef")).cloned();
        let refs = service.map_or(&[][..], |it| list(it, &["backendRefs"]));
        let refs: Vec<Node> = if refs.is_empty() {
            one.into_iter().collect()
        } else {
            refs.to_vec()
        };
        let found = resolver.check_services(owner, &refs, gateway);
        faults.keep(found.map_err(|fault| fault.at("extAuth")));
        if let Some(service) = service {
            check_settings(service, faults);
        }
        for extension in list(auth, &["contextExtensions"]) {
            faults.keep(
                check_extension(resolver, owner, extension).map_err(|fault| fault.at("extAuth")),
            );
        }
    }
    if let Some(oidc) = spec.get("oidc") {
        let owner = content.owner(&["oidc"]);
        let found = check_oidc(resolver, owner, oidc, gateway);
        faults.keep(found.map_err(|fault| fault.at("oidc")));
        if let Some(provider) = oidc.get("provider") {
            check_settings(provider, faults);
        }
        check_durations(
            oidc,
            &[
                &["defaultTokenTTL"],
                &["defaultRefreshTokenTTL"],
                &["csrfTokenTTL"],
            ],
            faults,
        );
    }
    let owner = content.owner(&["jwt"]);
    for provider in list(spec, &["jwt", "providers"]) {
        let refs = list(provider, &["remoteJWKS", "backendRefs"]);
        if !refs.is_empty() {
            let found = resolver.check_services(owner, refs, gateway);
            faults.keep(found.map_err(|fault| fault.at("jwt")));
        }
        faults.keep(check_provider(provider).map_err(|fault| fault.at("jwt")));
        if let Some(remote) = provider.get("remoteJWKS") {
            check_settings(remote, faults);
            let durations: [&[&str]; 2] = [&["cacheDuration"], &["failedRefetchDuration"]];
            check_durations(remote, &durations, faults);
        }
        let local = provider.get("localJWKS");
        let local = local.filter(|it| text(it, &["type"]) == Some("ValueRef"));
        if let Some(reference) = local.and_then(|it| it.get("valueRef")) {
            let found = check_local_keys(resolver, owner, reference);
            faults.keep(found.map_err(|fault| fault.at("jwt")));
        }
    }
}

/// Checks the issuer of a JWT provider, and where its keys are.
fn check_provider(provider: &Node) -> Result<(), Fault> {
    let name = text(provider, &["name"]).unwrap_or_default();
    let issuer = text(provider, &["issuer"]).unwrap_or_default();
    if issuer.contains(':') && !is_request_uri(issuer) {
        return Err(Fault::invalid(format!(
            "the issuer of `{name}` contains `:`, so it must be a URI"
        )));
    }
    if has(provider, &["remoteJWKS"]) == has(provider, &["localJWKS"]) {
        return Err(Fault::invalid(format!(
            "`{name}` needs either `remoteJWKS` or `localJWKS`"
        )));
    }
    if let Some(remote) = provider.get("remoteJWKS")
        && !text(remote, &["uri"]).is_some_and(is_request_uri)
    {
        return Err(Fault::invalid(format!(
            "`remoteJWKS.uri` of `{name}` is not a URI"
        )));
    }
    let Some(local) = provider.get("localJWKS") else {
        return Ok(());
    };
    let needed = match text(local, &["type"]) {
        None | Some("Inline") => "inline",
        Some(_) => "valueRef",
    };
    match has(local, &[needed]) {
        true => Ok(()),
        false => Err(Fault::invalid(format!(
            "`localJWKS` of `{name}` has no `{needed}`"
        ))),
    }
}

/// Whether a text is an absolute URI or an absolute path, as Go reads it.
fn is_request_uri(text: &str) -> bool {
    if variable::in_text(text) {
        return true;
    }
    let has_scheme = text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    });
    let is_plain = !text.contains(|c: char| c.is_ascii_control());
    is_plain && (has_scheme || text.starts_with('/'))
}

/// Whether the ConfigMap with the keys of a JWT provider has any data.
fn check_local_keys(
    resolver: &Resolver<'_, '_>,
    owner: &Object,
    reference: &Node,
) -> Result<(), Fault> {
    let key = Key {
        namespace: owner.namespace(),
        name: text(reference, &["name"]).unwrap_or_default(),
    };
    let map = resolver.index.find("ConfigMap", key, Fault::invalid)?;
    let data = map.node.get("data").and_then(Node::as_map);
    match data.is_none_or(|data| data.is_empty()) {
        true => Err(Fault::invalid(format!(
            "ConfigMap {key} contains no keys (`jwks`)"
        ))),
        false => Ok(()),
    }
}

fn from(owner: &Object) -> ReferenceGrantFrom<'_> {
    ReferenceGrantFrom {
        group: ENVOY_GATEWAY,
        kind: "SecurityPolicy",
        namespace: owner.namespace(),
    }
}

/// The length of a SHA-1 hash.
const SHA1_BYTES: usize = 20;

fn check_users(resolver: &Resolver<'_, '_>, owner: &Object, basic: &Node) -> Result<(), Fault> {
    let Some(reference) = basic.get("users") else {
        return Ok(());
    };
    let secret = resolver.secret(from(owner), reference)?;
    let key = Key::of(secret);
    let Some(users) = data(secret, ".htpasswd") else {
        return Err(Fault::invalid(format!("Secret {key} has no `.htpasswd`")));
    };
    if has(&secret.node, &["sops"]) {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&users).into_owned();
    let is_hashed = |line: &str| {
        let hash = line
            .split_once(':')
            .and_then(|(_, hash)| hash.strip_prefix("{SHA}"));
        let hash = hash.and_then(base64::decode);
        hash.is_some_and(|hash| hash.len() == SHA1_BYTES)
    };
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    match lines.all(is_hashed) {
        true => Ok(()),
        false => Err(Fault::invalid(format!(
            "Secret {key}: each line must be a user, `:` and a hash made by `htpasswd -s` (`{{SHA}}`)"
        ))),
    }
}

fn check_keys(resolver: &Resolver<'_, '_>, owner: &Object, keys: &Node) -> Result<(), Fault> {
    let (mut clients, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for reference in list(keys, &["credentialRefs"]) {
        let secret = resolver.secret(from(owner), reference)?;
        if has(&secret.node, &["sops"]) {
            continue;
        }
        let names = ["data", "stringData"]
            .iter()
            .filter_map(|key| secret.node.get(key)?.as_map());
        let names: BTreeSet<&str> = names
            .flat_map(|map| map.iter().map(|(name, _)| name))
            .collect();
        for name in names {
            if clients.insert(name.to_owned()) && !seen.insert(data(secret, name)) {
                return Err(Fault::invalid(format!(
                    "two clients have the same key: `{name}` of Secret {} and another one",
                    Key::of(secret)
                )));
            }
        }
    }
    Ok(())
}

fn check_oidc<'a>(
    resolver: &mut Resolver<'a, '_>,
    owner: &'a Object,
    oidc: &Node,
    gateway: GatewayId,
) -> Result<(), Fault> {
    let refs = list(oidc, &["provider", "backendRefs"]);
    if !refs.is_empty() {
        resolver.check_services(owner, refs, gateway)?;
    }
    let secrets = [
        ("clientIDRef", "client-id"),
        ("clientSecret", "client-secret"),
    ];
    for (field, key) in secrets {
        let Some(reference) = oidc
            .get(field)
            .filter(|_| field != "clientIDRef" || !has(oidc, &["clientID"]))
        else {
            continue;
        };
        let secret = resolver.secret(from(owner), reference)?;
        if data(secret, key).is_none() {
            return Err(Fault::invalid(format!(
                "Secret {} has no `{key}`",
                Key::of(secret)
            )));
        }
    }
    if let Some(url) = text(oidc, &["redirectURL"]).filter(|url| !is_redirect_url(url)) {
        return Err(Fault::invalid(format!(
            "`redirectURL` is `{url}`; it must be an HTTP or HTTPS URL with a path"
        )));
    }
    if let Some(url) = text(oidc, &["provider", "tokenEndpoint"])
        && host_of(url).parse::<std::net::IpAddr>().is_ok()
    {
        return Err(Fault::invalid(format!(
            "`provider.tokenEndpoint` is `{url}`; its host must be a name, not an address"
        )));
    }
    let key = Key {
        namespace: &resolver.settings.namespace,
        name: "envoy-oidc-hmac",
    };
    // The controller's certgen job creates this Secret.
    resolver
        .index
        .find("Secret", key, Fault::invalid)
        .map(|_| ())
}

/// Whether a redirect URL has a scheme, a host and a path other than `/`.
fn is_redirect_url(url: &str) -> bool {
    const SCHEMES: [&str; 3] = ["http", "https", "%REQ(x-forwarded-proto)%"];
    let Some((scheme, rest)) = url.split_once("://") else {
        return variable::in_text(url);
    };
    let place = rest.find('/').unwrap_or_default();
    variable::in_text(url)
        || (SCHEMES.contains(&scheme) && place > 0 && rest.get(place..) != Some("/"))
}

/// The host of a URL, without its port and brackets.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    match host.strip_prefix('[') {
        Some(host) => host.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

fn check_extension(
    resolver: &Resolver<'_, '_>,
    owner: &Object,
    extension: &Node,
) -> Result<(), Fault> {
    let Some(reference) = extension.get("valueRef") else {
        return Ok(());
    };
    let kind = text(reference, &["kind"]).unwrap_or_default();
    let key = Key {
        namespace: owner.namespace(),
        name: text(reference, &["name"]).unwrap_or_default(),
    };
    let wanted = text(reference, &["key"]).unwrap_or_default();
    let object = resolver.index.find(kind, key, Fault::invalid)?;
    let is_there = ["data", "stringData"]
        .iter()
        .any(|map| has(&object.node, &[map, wanted]));
    match is_there {
        true => Ok(()),
        false => Err(Fault::invalid(format!("{kind} {key} has no `{wanted}`"))),
    }
}

fn check_authorization(authorization: &Node, faults: &mut Faults) {
    for rule in list(authorization, &["rules"]) {
        if let Some(cel) = text(rule, &["cel"]).filter(|cel| !is_cel(cel)) {
            faults.push(Fault::invalid(format!(
                "authorization: `{cel}` is not a CEL expression"
            )));
        }
        for cidr in list(rule, &["principal", "clientCIDRs"])
            .iter()
            .filter_map(Node::as_str)
        {
            if !is_cidr(cidr) {
                faults.push(Fault::invalid(format!(
                    "authorization: `{cidr}` is not a CIDR"
                )));
            }
        }
        let path = rule.path(&["operation", "path"]);
        let pattern = path.filter(|it| text(it, &["type"]) == Some("RegularExpression"));
        if let Some(pattern) = pattern
            .and_then(|it| text(it, &["value"]))
            .filter(|it| !is_pattern(it))
        {
            faults.push(Fault::invalid(format!(
                "authorization: `{pattern}` is not a valid regular expression"
            )));
        }
    }
}

/// Rules by geolocation need the client's address and a GeoIP database.
fn check_locations(
    resolver: &Resolver<'_, '_>,
    content: &Content<'_, '_>,
    authorization: &Node,
    faults: &mut Faults,
) {
    const DATABASES: [(&str, &[&str]); 6] = [
        ("country", &["countryDbSource", "cityDbSource"]),
        ("region", &["cityDbSource"]),
        ("city", &["cityDbSource"]),
        ("asn", &["asnDbSource"]),
        ("isp", &["ispDbSource"]),
        ("anonymous", &["anonymousIpDbSource"]),
    ];
    let rules = list(authorization, &["rules"]).iter();
    let places: Vec<&Node> = rules
        .flat_map(|rule| list(rule, &["principal", "clientIPGeoLocations"]))
        .collect();
    if places.is_empty() {
        return;
    }
    let effective_policies = resolver.view.effective_policies();
    for id in content.listeners {
        let Some(listener) = resolver.view.listener(*id) else {
            continue;
        };
        let is_used = !listener.routes.is_empty()
            || !matches!(content.scope, Scope::Route(..) | Scope::Rule(..));
        if !matches!(listener.protocol, "HTTP" | "HTTPS") || !listener.is_ready() || !is_used {
            continue;
        }
        let detection = detection_at(resolver, &effective_policies, *id);
        let ways = detection.map_or(0, |it| {
            ["xForwardedFor", "customHeader", "directSourceIP"]
                .iter()
                .filter(|key| has(it, &[key]))
                .count()
        });
        if ways != 1 {
            faults.push(Fault::invalid(format!("authorization by geolocation: a ClientTrafficPolicy must say how listener `{}` learns the client's address (one way of `clientIPDetection`)", listener.name)).at_listener(*id));
            continue;
        }
        if detection.is_some_and(|it| !list(it, &["xForwardedFor", "trustedCIDRs"]).is_empty()) {
            faults.push(Fault::invalid("authorization by geolocation can't be combined with `clientIPDetection.xForwardedFor.trustedCIDRs`").at_listener(*id));
            continue;
        }
        let gateway = resolver.view.gateway(listener.gateway);
        let settings = gateway.and_then(|it| it.infra.settings.as_ref());
        let Some(database) = settings.and_then(|it| it.path(&["geoIP", "provider", "maxMind"]))
        else {
            let message = "authorization by geolocation needs `geoIP.provider` in the EnvoyProxy";
            let fault = lacking(resolver, listener.gateway, message.to_owned());
            faults.push(fault.at_listener(*id));
            continue;
        };
        for (place, sources) in DATABASES {
            if places.iter().any(|it| has(it, &[place]))
                && !sources.iter().any(|source| has(database, &[source]))
            {
                let sources = sources.join("` or `");
                let message =
                    format!("authorization by `{place}` needs `{sources}` in the EnvoyProxy");
                let fault = lacking(resolver, listener.gateway, message);
                faults.push(fault.at_listener(*id));
            }
        }
    }
}

/// How a listener detects the addresses of its clients.
fn detection_at<'a>(
    resolver: &Resolver<'a, '_>,
    effective_policies: &crate::policy::effective::EffectivePolicies<'a>,
    listener: ListenerId,
) -> Option<&'a Node> {
    let policies = resolver
        .view
        .effective(effective_policies, PolicyKind::Client, None, listener);
    let policy = resolver.view.policy(*policies.first()?)?;
    policy.object.node.path(&["spec", "clientIPDetection"])
}
