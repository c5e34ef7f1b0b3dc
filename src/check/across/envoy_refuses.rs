//! What the controller accepts, but Envoy refuses or silently does otherwise.
//!
//! [`attachment`](super::attachment) calls this for each cluster. The facts are in
//! [`envoy_config`](envoy_gateway::envoy_config).

use super::Whole;
use crate::codes;
use envoy_gateway::controller::release::nearest_releases;
use envoy_gateway::controller::{DeployMode, Setting};
use envoy_gateway::envoy_config::filter_chains::{Clash, FilterChain, Source, clashes};
use envoy_gateway::envoy_config::http2::{WithoutHttp2, without_http2};
use envoy_gateway::envoy_config::http3::{Reason, WithoutHttp3, without_http3};
use envoy_gateway::envoy_config::ip_family::{UnansweredAddress, unanswered_addresses};
use envoy_gateway::envoy_config::parameters::{Parameters, wrong_parameters};
use envoy_gateway::index::Key;
use envoy_gateway::policy::{Outcome, Policy, PolicyKind};
use envoy_gateway::read::has;
use envoy_gateway::view::ClassId;
use envoy_gateway::{Listener, Resolved};
use manifest::diagnostic::Diagnostic;
use manifest::value::Pointer;
use manifest::{Object, finding};

/// A finding, and the object that it is about.
type Found<'a> = (&'a Object, Diagnostic);

/// What Envoy would refuse, or do otherwise than written.
pub(super) fn check<'a>(whole: &Whole<'_>, resolved: &Resolved<'a>) -> Vec<Found<'a>> {
    let mut found: Vec<Found<'a>> = Vec::new();
    found.extend(
        clashes(resolved)
            .iter()
            .filter_map(|it| clash(resolved, it)),
    );
    found.extend(
        without_http2(resolved)
            .iter()
            .filter_map(|it| http2(resolved, it)),
    );
    found.extend(
        without_http3(resolved)
            .iter()
            .filter_map(|it| http3(resolved, it)),
    );
    found.extend(
        unanswered_addresses(resolved)
            .iter()
            .filter_map(|it| unanswered(resolved, it)),
    );
    let in_gateway_namespace = |class: ClassId| {
        let object = resolved.class(class).and_then(|it| it.object);
        object.is_some_and(|object| is_in_gateway_namespace(whole, object))
    };
    let classes = wrong_parameters(resolved, in_gateway_namespace);
    found.extend(classes.into_iter().filter_map(|(class, wrong)| {
        let object = resolved.class(class)?.object?;
        Some((object, parameters(object, &wrong)))
    }));
    found.extend(
        resolved
            .policies()
            .iter()
            .filter_map(|it| rate_limit(whole, it)),
    );
    found
}

fn spec() -> Pointer {
    Pointer::root().key("spec")
}

fn shown(listener: &Listener<'_>) -> String {
    format!(
        "listener `{}` of {}",
        listener.name,
        Key::of(listener.object)
    )
}

/// Two filter chains that Envoy can't tell apart.
fn clash<'a>(resolved: &Resolved<'a>, clash: &Clash) -> Option<Found<'a>> {
    let first = source(resolved, &clash.first)?;
    let listener = resolved.listener(clash.second.listener)?;
    let port = listener.port;
    let consequence = format!(
        "Envoy refuses the whole configuration of port {port}, and each later change of it: the port stays closed, \
         or keeps what it had until the proxy restarts; the Gateway's status doesn't show it"
    );
    if let Some((empty, other)) = without_route(clash) {
        let empty = resolved.listener(empty.listener)?;
        let other = source(resolved, other)?;
        let message = format!(
            "no route is attached to listener `{}`, so Envoy gets it as a listener for all names, as it gets {other}",
            empty.name
        );
        let one = finding(
            codes::ENVOY_PASSTHROUGH_WITHOUT_ROUTE,
            empty.object,
            &empty.pointer,
            message,
        );
        let one = one.why(consequence).help(
            "attach a TLSRoute to the listener, give the HTTPS listener on its port a hostname, or remove the listener",
        );
        return Some((empty.object, one));
    }
    let (object, pointer) = match clash.second.source {
        Source::Route(route) => (resolved.route(route)?.object, spec()),
        _ => (listener.object, listener.pointer.clone()),
    };
    let second = source(resolved, &clash.second)?;
    let name = clash.name.as_deref().unwrap_or("all names");
    let message = format!("{second} and {first} are both for {name} on port {port}");
    let one = finding(codes::ENVOY_SAME_NAMES, object, &pointer, message);
    let help = "give the name to only one of them";
    Some((object, one.why(consequence).help(help)))
}

/// The chain of the listener without a route, and the other one.
fn without_route(clash: &Clash) -> Option<(&FilterChain, &FilterChain)> {
    match (clash.first.source, clash.second.source) {
        (_, Source::Empty) => Some((&clash.second, &clash.first)),
        (Source::Empty, _) => Some((&clash.first, &clash.second)),
        _ => None,
    }
}

fn source(resolved: &Resolved<'_>, chain: &FilterChain) -> Option<String> {
    Some(match chain.source {
        Source::Route(route) => {
            let route = resolved.route(route)?;
            format!("{} {}", route.kind.as_str(), route.key())
        }
        _ => shown(resolved.listener(chain.listener)?),
    })
}

fn http2<'a>(resolved: &Resolved<'a>, without: &WithoutHttp2) -> Option<Found<'a>> {
    let listener = resolved.listener(without.listener)?;
    let with = match &without.shared {
        Some((_, secret)) => format!("the certificate `{secret}`"),
        None => "names of its certificate".to_owned(),
    };
    let message = format!(
        "listener `{}` has no HTTP/2, because it shares {with} with another listener on port {}",
        listener.name, listener.port
    );
    let one = finding(codes::ENVOY_SHARED_CERTIFICATE, listener.object, &listener.pointer, message)
        .why("a browser may send requests for one listener over a connection to the other, so Envoy Gateway offers only HTTP/1.1 there")
        .help("use one listener for both, give each a certificate of its own, or set `tls.alpnProtocols: [h2, http/1.1]` in a ClientTrafficPolicy");
    Some((listener.object, one))
}

fn http3<'a>(resolved: &Resolved<'a>, without: &WithoutHttp3) -> Option<Found<'a>> {
    let listener = shown(resolved.listener(without.listener)?);
    let object = resolved.policy(without.policy)?.object;
    let (because, why) = match without.reason {
        Reason::ProxyProtocol => (
            "the PROXY protocol is on",
            "Envoy can't read the PROXY protocol over QUIC and refuses the listener for HTTP/3, but goes on offering HTTP/3 to browsers, which then try it in vain",
        ),
        Reason::ClientCertificates => (
            "clients must show certificates",
            "Envoy can't verify certificates of clients over QUIC, so Envoy Gateway leaves HTTP/3 off",
        ),
    };
    let message = format!("HTTP/3 doesn't work at {listener}, because {because}");
    let one = finding(
        codes::ENVOY_WITHOUT_QUIC,
        object,
        &spec().key("http3"),
        message,
    );
    Some((object, one.why(why).help("remove `http3`")))
}

fn unanswered<'a>(resolved: &Resolved<'a>, it: &UnansweredAddress<'a>) -> Option<Found<'a>> {
    let gateway = resolved.gateway(it.gateway)?;
    let address = it.address;
    let (object, pointer) = it.place.clone().unwrap_or((gateway.object, spec()));
    let (family, listens) = match address.is_ipv6() {
        true => ("IPv6", "IPv4"),
        false => ("IPv4", "IPv6"),
    };
    let message = format!("nothing answers at {address}: the proxies listen on {listens} only");
    let one = finding(codes::ENVOY_IP_FAMILY, object, &pointer, message)
        .why(format!(
            "the load balancer may announce the address, but its Service has no {family} endpoint"
        ))
        .help("set `ipFamily: DualStack` in the EnvoyProxy");
    Some((object, one))
}

fn is_in_gateway_namespace(whole: &Whole<'_>, object: &Object) -> bool {
    let releases = nearest_releases(whole.controllers(), object);
    let in_mode = |mode: Option<DeployMode>| mode == Some(DeployMode::GatewayNamespace);
    !releases.is_empty() && releases.iter().all(|it| in_mode(it.deploy_mode()))
}

fn parameters(class: &Object, wrong: &Parameters) -> Diagnostic {
    let (message, help) = match wrong {
        Parameters::NoEnvoyProxy => (
            "`parametersRef` doesn't refer to an EnvoyProxy",
            "write `group: gateway.envoyproxy.io` and `kind: EnvoyProxy`",
        ),
        Parameters::WithoutNamespace => (
            "`parametersRef` has no namespace, so Envoy Gateway looks for the EnvoyProxy in the namespace `default`",
            "add the `namespace` of the EnvoyProxy",
        ),
        Parameters::MergesInGatewayNamespace => (
            "the EnvoyProxy has `mergeGateways`, and the controller creates the proxies in the namespace of each gateway",
            "remove `mergeGateways`, or the controller's `provider.kubernetes.deploy.type: GatewayNamespace`",
        ),
    };
    finding(codes::REFERENCE_PARAMETERS, class, &spec().key("parametersRef"), message)
        .why("the controller refuses the class, and none of its gateways gets the settings of the EnvoyProxy")
        .help(help)
}

/// A policy with a global rate limit that is in force somewhere, if the values of the controller's chart are given and
/// have no Redis.
fn rate_limit<'a>(whole: &Whole<'_>, policy: &Policy<'a>) -> Option<Found<'a>> {
    let holds = policy.targets.iter().any(|it| it.outcome == Outcome::Holds);
    let is_global = has(policy.spec()?, &["rateLimit", "global"]);
    let releases = nearest_releases(whole.controllers(), policy.object);
    let mut settings = releases.iter().map(|it| it.setting(&["rateLimit"]));
    let is_off = !releases.is_empty() && settings.all(|it| it == Setting::Unset);
    if policy.kind != PolicyKind::Backend || !holds || !is_global || !is_off {
        return None;
    }
    let pointer = spec().key("rateLimit").key("global");
    let message = "the controller has no Redis for global rate limits";
    let one = finding(codes::REFERENCE_RATE_LIMIT_SERVICE, policy.object, &pointer, message)
        .why("every request to which the policy applies is answered with 500")
        .help("set `config.envoyGateway.rateLimit.backend` in the chart's values, or use `rateLimit.local`");
    Some((policy.object, one))
}
