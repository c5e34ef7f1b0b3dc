//! Checks the settings of SecurityPolicies.

use super::credentials::{check_keys, check_local_keys, check_oidc, check_provider, check_users};
use super::extension::check_settings;
use super::traffic::is_cidr;
use super::units::check_durations;
use super::{Content, Scope, lacking};
use crate::Resolver;
use crate::fault::{Fault, Faults};
use crate::index::Key;
use crate::policy::PolicyKind;
use crate::read::{flag, has, list, text};
use crate::rules::is_pattern;
use crate::telemetry::is_cel;
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
