//! Checks where a SecurityPolicy gets credentials from: JWT providers, users, API keys, and OIDC.

use std::collections::BTreeSet;

use crate::Resolver;
use crate::fault::Fault;
use crate::grant::ReferenceGrantFrom;
use crate::index::{ENVOY_GATEWAY, Key};
use crate::read::{has, list, text};
use crate::tls::data;
use crate::view::GatewayId;
use k8s_syntax::base64;
use manifest::Object;
use manifest::value::{Node, variable};

/// Checks the issuer of a JWT provider, and where its keys are.
pub(super) fn check_provider(provider: &Node) -> Result<(), Fault> {
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
pub(super) fn check_local_keys(
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

/// A SecurityPolicy, as ReferenceGrants name it.
fn from(owner: &Object) -> ReferenceGrantFrom<'_> {
    ReferenceGrantFrom {
        group: ENVOY_GATEWAY,
        kind: "SecurityPolicy",
        namespace: owner.namespace(),
    }
}

/// The length of a SHA-1 hash.
const SHA1_BYTES: usize = 20;

pub(super) fn check_users(
    resolver: &Resolver<'_, '_>,
    owner: &Object,
    basic: &Node,
) -> Result<(), Fault> {
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

pub(super) fn check_keys(
    resolver: &Resolver<'_, '_>,
    owner: &Object,
    keys: &Node,
) -> Result<(), Fault> {
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

pub(super) fn check_oidc<'a>(
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
