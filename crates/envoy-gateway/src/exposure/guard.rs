//! The guards of an exposure: the parts of policies that can refuse a client.

use super::table::{Guard, GuardKind, Trusted};
use crate::policy::PolicyKind;
use crate::policy::effective::EffectivePolicies;
use crate::read::{flag, has, int, list, text};
use crate::{ListenerId, PolicyId, Resolved, RouteId};
use manifest::Object;
use manifest::value::{Node, Pointer};

/// The kinds of policy that can have guards.
const KINDS: [PolicyKind; 4] = [
    PolicyKind::Client,
    PolicyKind::Security,
    PolicyKind::Extension,
    PolicyKind::Backend,
];

/// The settings that are guards: the kind of policy, the path of the setting, and the kind of guard.
const SETTINGS: &[(PolicyKind, &[&str], GuardKind)] = &[
    (PolicyKind::Security, &["oidc"], GuardKind::Oidc),
    (PolicyKind::Security, &["jwt"], GuardKind::Jwt),
    (PolicyKind::Security, &["basicAuth"], GuardKind::BasicAuth),
    (PolicyKind::Security, &["apiKeyAuth"], GuardKind::ApiKey),
    (PolicyKind::Security, &["extAuth"], GuardKind::ExternalAuth),
    (
        PolicyKind::Security,
        &["authorization"],
        GuardKind::Authorization,
    ),
    (
        PolicyKind::Client,
        &["tls", "clientValidation"],
        GuardKind::ClientCertificate,
    ),
    (PolicyKind::Backend, &["rateLimit"], GuardKind::RateLimit),
    (PolicyKind::Extension, &["lua"], GuardKind::Lua),
    (PolicyKind::Extension, &["wasm"], GuardKind::Wasm),
    (
        PolicyKind::Extension,
        &["extProc"],
        GuardKind::ExternalProcessing,
    ),
];

/// The guards of a rule of a route at a listener, or of the listener itself.
pub fn guards<'a>(
    resolved: &Resolved<'a>,
    effective_policies: &EffectivePolicies<'a>,
    route: Option<(RouteId, Option<&'a str>)>,
    listener: ListenerId,
) -> Vec<Guard> {
    let protocol = resolved.listener(listener).map_or("", |it| it.protocol);
    let is_tls = matches!(protocol, "HTTPS" | "TLS");
    let is_http = matches!(protocol, "HTTP" | "HTTPS");
    let mut guards = Vec::new();
    for kind in KINDS {
        let settings = SETTINGS.iter().filter(|(of, ..)| *of == kind);
        let policies = resolved.effective(effective_policies, kind, route, listener);
        let policies: Vec<(&Object, &Node)> = policies
            .iter()
            .filter_map(|id| policy_spec(resolved, *id))
            .collect();
        for (_, path, guard) in settings {
            // For connections that Envoy doesn't parse, only the client's address is known.
            let stands = match guard {
                GuardKind::ClientCertificate => is_tls,
                GuardKind::Authorization => protocol != "UDP",
                _ => is_http,
            };
            if !stands {
                continue;
            }
            // The most specific policy with this setting applies.
            let found = policies
                .iter()
                .find_map(|(object, spec)| Some((object, spec.path(path)?)));
            guards.extend(found.and_then(|(object, node)| guard_of(*guard, object, node)));
        }
    }
    if is_tls
        && !guards
            .iter()
            .any(|it| it.kind == GuardKind::ClientCertificate)
    {
        guards.extend(frontend(resolved, listener));
    }
    guards.sort();
    guards
}

/// What a setting of an object checks, given the path of the setting or of a value in it.
pub fn kind_of_setting(object: &Object, pointer: &Pointer) -> Option<GuardKind> {
    if object.kind() == "Gateway" {
        let frontend = Pointer::root().key("spec").key("tls").key("frontend");
        let is_it = pointer.steps().starts_with(frontend.steps());
        return is_it.then_some(GuardKind::ClientCertificate);
    }
    let settings = SETTINGS
        .iter()
        .filter(|(kind, ..)| kind.as_str() == object.kind());
    let mut settings = settings.map(|(_, path, guard)| {
        let spec = Pointer::root().key("spec");
        (path.iter().fold(spec, |at, key| at.key(*key)), *guard)
    });
    let found = settings.find(|(setting, _)| pointer.steps().starts_with(setting.steps()));
    found.map(|(_, guard)| guard)
}

fn policy_spec<'a>(resolved: &Resolved<'a>, id: PolicyId) -> Option<(&'a Object, &'a Node)> {
    let policy = resolved.policy(id)?;
    Some((policy.object, policy.spec()?))
}

/// A setting as a guard; `None` if it refuses nobody.
fn guard_of(kind: GuardKind, object: &Object, node: &Node) -> Option<Guard> {
    let is_optional = || flag(node, &["optional"]) == Some(true);
    let is_guard = match kind {
        GuardKind::Jwt => !is_optional(),
        // These modes let clients without a certificate through.
        GuardKind::ClientCertificate => match text(node, &["mode"]) {
            Some("Request" | "AllowInsecureFallback" | "VerifyIfGiven") => false,
            Some(_) => true,
            None => !is_optional(),
        },
        GuardKind::Lua | GuardKind::Wasm | GuardKind::ExternalProcessing => {
            node.as_list().is_some_and(|all| !all.is_empty())
        }
        GuardKind::Authorization => authorizes(node),
        _ => node.as_map().is_some(),
    };
    is_guard.then(|| Guard {
        kind,
        policy: named(object),
        is_everywhere: true,
        allows: match kind {
            GuardKind::Authorization => allowed(node),
            _ => Vec::new(),
        },
    })
}

/// The object as `Kind namespace/name`.
pub fn named(object: &Object) -> String {
    let key = crate::index::Key::of(object);
    format!("{} {key}", object.kind())
}

/// Whether an authorization can refuse anybody. Requests that match no rule are denied unless `defaultAction`
/// says otherwise (Envoy Gateway 1.9).
fn authorizes(node: &Node) -> bool {
    let denies = text(node, &["defaultAction"]).unwrap_or("Deny") == "Deny";
    let rules = list(node, &["rules"]);
    let has_action = |action: &str| {
        rules
            .iter()
            .any(|rule| text(rule, &["action"]) == Some(action))
    };
    let lets_all_in = rules.iter().any(|rule| {
        let only_addresses = rule
            .get("principal")
            .and_then(Node::as_map)
            .is_some_and(|principal| principal.iter().all(|(key, _)| key == "clientCIDRs"));
        text(rule, &["action"]) == Some("Allow")
            && !has(rule, &["operation"])
            && only_addresses
            && cidrs(rule).any(|cidr| cidr.ends_with("/0"))
    });
    has_action("Deny") || (denies && !lets_all_in)
}

fn cidrs(rule: &Node) -> impl Iterator<Item = &str> {
    let cidrs = list(rule, &["principal", "clientCIDRs"]).iter();
    cidrs.filter_map(Node::as_str)
}

fn allowed(node: &Node) -> Vec<String> {
    let rules = list(node, &["rules"]).iter();
    let allows = rules.filter(|rule| text(rule, &["action"]) == Some("Allow"));
    let mut all: Vec<String> = allows.flat_map(cidrs).map(str::to_owned).collect();
    all.sort();
    all.dedup();
    all
}

/// The client certificate that a Gateway itself requires (`spec.tls.frontend`, Gateway API 1.5).
fn frontend(resolved: &Resolved<'_>, listener: ListenerId) -> Option<Guard> {
    let (gateway, validation) = resolved.frontend_validation(listener)?;
    let is_strict = text(validation, &["mode"]).is_none_or(|mode| mode == "AllowValidOnly");
    is_strict.then(|| Guard {
        kind: GuardKind::ClientCertificate,
        policy: named(gateway),
        is_everywhere: true,
        allows: Vec::new(),
    })
}

/// The lowest TLS version that Envoy accepts if no policy says otherwise.
const LOWEST_TLS: &str = "1.2";

/// The lowest TLS version that a listener accepts, and the policy that says so, if one does.
pub fn lowest_tls<'a>(
    resolved: &Resolved<'a>,
    effective_policies: &EffectivePolicies<'a>,
    listener: ListenerId,
) -> (&'a str, Option<&'a Object>) {
    let policies = resolved.effective(effective_policies, PolicyKind::Client, None, listener);
    let written = policies.iter().find_map(|id| {
        let (object, spec) = policy_spec(resolved, *id)?;
        Some((text(spec, &["tls", "minVersion"])?, object))
    });
    match written {
        Some((version, policy)) if version != "Auto" => (version, Some(policy)),
        _ => (LOWEST_TLS, None),
    }
}

/// The sources that a listener trusts for the client's address.
pub fn trusted<'a>(
    resolved: &Resolved<'a>,
    effective_policies: &EffectivePolicies<'a>,
    listener: ListenerId,
) -> Option<Trusted> {
    let policies = resolved.effective(effective_policies, PolicyKind::Client, None, listener);
    let (object, spec) = policies.iter().find_map(|id| policy_spec(resolved, *id))?;
    let detection = spec.get("clientIPDetection")?;
    let cidrs = list(detection, &["xForwardedFor", "trustedCIDRs"]).iter();
    Some(Trusted {
        cidrs: cidrs.filter_map(Node::as_str).map(str::to_owned).collect(),
        hops: int(detection, &["xForwardedFor", "numTrustedHops"]).unwrap_or_default(),
        header: text(detection, &["customHeader", "name"]).map(str::to_owned),
        policy: crate::index::Key::of(object).to_string(),
    })
}

/// Combines the guards of several answers. A guard that not all of the answers have is not everywhere, and
/// networks that any of them admits are admitted.
pub fn together(answers: Vec<Vec<Guard>>) -> Vec<Guard> {
    let count = answers.len();
    let mut all: Vec<(Guard, usize)> = Vec::new();
    for guard in answers.into_iter().flatten() {
        let known = all
            .iter_mut()
            .find(|(known, _)| (known.kind, &known.policy) == (guard.kind, &guard.policy));
        match known {
            Some((_, times)) => *times += 1,
            None => all.push((guard, 1)),
        }
    }
    let mut by_kind = std::collections::BTreeMap::new();
    for (guard, times) in &all {
        *by_kind.entry(guard.kind).or_insert(0) += times;
    }
    let mut guards: Vec<Guard> = all
        .into_iter()
        .map(|(guard, _)| Guard {
            is_everywhere: by_kind
                .get(&guard.kind)
                .is_some_and(|times| *times >= count),
            ..guard
        })
        .collect();
    guards.sort();
    guards
}
