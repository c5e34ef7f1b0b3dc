//! Checks the settings of SecurityPolicies.

use std::collections::BTreeSet;

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
use crate::tls::data;
use crate::view::{GatewayId, ListenerId, RouteKind};
use manifest::Object;
use manifest::value::Node;

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
        }
    }
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
        if let Some(reference) = provider.path(&["localJWKS", "valueRef"]) {
            let key = Key {
                namespace: owner.namespace(),
                name: text(reference, &["name"]).unwrap_or_default(),
            };
            faults.keep(
                resolver
                    .index
                    .find("ConfigMap", key, Fault::invalid)
                    .map_err(|fault| fault.at("jwt")),
            );
        }
    }
}

fn from(owner: &Object) -> ReferenceGrantFrom<'_> {
    ReferenceGrantFrom {
        group: ENVOY_GATEWAY,
        kind: "SecurityPolicy",
        namespace: owner.namespace(),
    }
}

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
        line.split_once(':')
            .is_some_and(|(_, hash)| hash.starts_with("{SHA}"))
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
            faults.push(Fault::invalid(format!("authorization by geolocation: a ClientTrafficPolicy must say how listener `{}` learns the client's address (one way of `clientIPDetection`)", listener.name)));
            continue;
        }
        if detection.is_some_and(|it| !list(it, &["xForwardedFor", "trustedCIDRs"]).is_empty()) {
            faults.push(Fault::invalid("authorization by geolocation can't be combined with `clientIPDetection.xForwardedFor.trustedCIDRs`"));
            continue;
        }
        let gateway = resolver.view.gateway(listener.gateway);
        let settings = gateway.and_then(|it| it.infra.settings.as_ref());
        let Some(database) = settings.and_then(|it| it.path(&["geoIP", "provider", "maxMind"]))
        else {
            let message = "authorization by geolocation needs `geoIP.provider` in the EnvoyProxy";
            faults.push(lacking(resolver, listener.gateway, message.to_owned()));
            continue;
        };
        for (place, sources) in DATABASES {
            if places.iter().any(|it| has(it, &[place]))
                && !sources.iter().any(|source| has(database, &[source]))
            {
                let sources = sources.join("` or `");
                let message =
                    format!("authorization by `{place}` needs `{sources}` in the EnvoyProxy");
                faults.push(lacking(resolver, listener.gateway, message));
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
