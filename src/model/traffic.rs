//! ClientTrafficPolicies and BackendTrafficPolicies.

use serde::Serialize;

use super::gateway::Gateway;
use super::names::{self, Rule};
use super::version::COMPRESSOR;
use super::{ObjectInput, Version, address, rate_limit, route};
use crate::config;
use crate::config::codes;
use crate::config::traffic::{Attach, CompressionField};
use crate::config::{Cluster, Text, Texts};
use manifest::diagnostic::{Diagnostic, Spanned};

/// The targets of a policy.
#[derive(Clone, Debug, Serialize)]
pub struct Targets {
    /// Whether the policy targets all Gateways of the namespace with a selector.
    pub selector: bool,
    /// The names of the targeted gateways, if there is no selector.
    pub gateways: Vec<Text>,
}

/// The values for the template of a ClientTrafficPolicy.
#[derive(Clone, Debug, Serialize)]
pub struct ClientTraffic {
    /// The name of the policy.
    pub name: Text,
    /// The gateway that it belongs to; `None` for the shared one.
    #[serde(skip)]
    pub gateway: Option<Text>,
    /// The targets of the policy.
    pub targets: Targets,
    /// The settings from `cluster.toml`.
    pub set: config::traffic::ClientTraffic,
}

/// The values for the template of a BackendTrafficPolicy.
#[derive(Clone, Debug, Serialize)]
pub struct BackendTraffic {
    /// The name of the policy.
    pub name: Text,
    /// The gateway that it belongs to; `None` for the shared one.
    #[serde(skip)]
    pub gateway: Option<Text>,
    /// The targets of the policy.
    pub targets: Targets,
    /// Whether compression is written as `compressor`; before Envoy Gateway 1.6 it is `compression`.
    pub compressor: bool,
    /// `spec.rateLimit.type`, which Envoy Gateway needs before 1.6.
    pub rate_limit_type: Option<&'static str>,
    /// The settings from `cluster.toml`.
    pub set: config::traffic::BackendTraffic,
}

/// The targets of a shared policy: the gateways that it names, or else all that have no policy of their own.
fn targets(
    gateways: &[ObjectInput<Gateway>],
    attach: &Option<Spanned<Attach>>,
    named: &Texts,
    has_own: impl Fn(&str) -> bool,
    problems: &mut Vec<Diagnostic>,
) -> Targets {
    let selector = attach
        .as_ref()
        .is_some_and(|attach| attach.value == Attach::Selector);
    if let (true, true, Some(attach)) = (selector, named.is_given(), attach) {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_CONTRADICTION,
                "`attach = \"selector\"` and `gateways` are both given",
            )
            .at(named.span)
            .related(attach.span, "the selector is chosen here")
            .why("the selector matches every Gateway of the namespace, whatever names are given")
            .help("remove one of the two"),
        );
    }
    let chosen = route::chosen(gateways, named, problems);
    let gateways = chosen
        .into_iter()
        .filter(|name| named.is_given() || !has_own(name));
    Targets {
        selector,
        gateways: if selector {
            Vec::new()
        } else {
            gateways.collect()
        },
    }
}

fn name_or(name: &Option<Text>, default: &Text, problems: &mut Vec<Diagnostic>) -> Text {
    let name = name.clone().unwrap_or_else(|| default.clone());
    names::check(Rule::Subdomain, "a policy's name", &name, problems);
    name
}

/// The keys that the tables of both kinds of policy have in common.
trait Table: Clone {
    fn name(&self) -> &Option<Text>;
    fn attach(&self) -> &Option<Spanned<Attach>>;
    fn gateways(&self) -> &Texts;
    /// The table of a gateway's own policy, if it has one.
    fn own_table(gateway: &config::gateway::Gateway) -> Option<&Self>;
}

macro_rules! table {
    ($name:ident, $own:ident) => {
        impl Table for config::traffic::$name {
            fn name(&self) -> &Option<Text> {
                &self.name
            }
            fn attach(&self) -> &Option<Spanned<Attach>> {
                &self.attach
            }
            fn gateways(&self) -> &Texts {
                &self.gateways
            }
            fn own_table(gateway: &config::gateway::Gateway) -> Option<&Self> {
                gateway.$own.as_ref()
            }
        }
    };
}

table!(ClientTraffic, client_traffic);
table!(BackendTraffic, backend_traffic);

/// A policy's name, the gateway that it belongs to, its targets and its table.
type Policy<T> = (Text, Option<Text>, Targets, T);

/// The shared policy and the gateways' own policies, without those that have no target.
fn policies<T: Table>(
    cluster: &Cluster,
    shared: Option<&T>,
    gateways: &[ObjectInput<Gateway>],
    problems: &mut Vec<Diagnostic>,
) -> Vec<Policy<T>> {
    let tables = || cluster.gateways.iter();
    let has_own = |name: &str| {
        tables().any(|(there, table)| there.value == name && T::own_table(table).is_some())
    };
    let mut policies = Vec::new();
    if let Some(table) = shared {
        let envoy = Spanned::unwritten("envoy".to_owned());
        let targets = targets(
            gateways,
            table.attach(),
            table.gateways(),
            has_own,
            problems,
        );
        policies.push((
            name_or(table.name(), &envoy, problems),
            None,
            targets,
            table.clone(),
        ));
    }
    for (gateway, table) in tables() {
        let Some(own) = T::own_table(table) else {
            continue;
        };
        let targets = Targets {
            selector: false,
            gateways: vec![gateway.clone()],
        };
        let name = name_or(own.name(), gateway, problems);
        policies.push((name, Some(gateway.clone()), targets, own.clone()));
    }
    policies.retain(|(_, _, targets, _)| targets.selector || !targets.gateways.is_empty());
    policies
}

/// Builds the shared ClientTrafficPolicy and the gateways' own ones.
pub fn client(
    cluster: &Cluster,
    gateways: &[ObjectInput<Gateway>],
    problems: &mut Vec<Diagnostic>,
) -> Vec<ObjectInput<ClientTraffic>> {
    let policies = policies(cluster, cluster.client_traffic.as_ref(), gateways, problems);
    let inputs = policies.into_iter().map(|(name, gateway, targets, set)| {
        check_client(&set, problems);
        if let (Some(gateway), Some(shared)) = (&gateway, &cluster.client_traffic) {
            problems.extend(not_inherited(gateway, shared, &set));
        }
        ObjectInput {
            overlay: set.overlay(),
            values: ClientTraffic {
                name,
                gateway,
                targets,
                set,
            },
        }
    });
    inputs.collect()
}

/// Reports protection of the shared table that a gateway's own table doesn't set.
fn not_inherited(
    gateway: &Text,
    shared: &config::traffic::ClientTraffic,
    own: &config::traffic::ClientTraffic,
) -> Option<Diagnostic> {
    let in_spec = |path: &[&str]| {
        own.spec
            .as_ref()
            .is_some_and(|spec| spec.path(path).is_some())
    };
    let settings = [
        (
            "tls.min_version",
            shared.tls.min_version.as_ref().and_then(|it| it.span),
            own.tls.min_version.is_some() || in_spec(&["tls", "minVersion"]),
        ),
        (
            "tls.client_ca",
            shared.tls.client_ca.span,
            own.tls.client_ca.is_given() || in_spec(&["tls", "clientValidation"]),
        ),
        (
            "client_ip",
            shared
                .client_ip
                .as_ref()
                .map(client_ip_span)
                .unwrap_or_default(),
            own.client_ip.is_some() || in_spec(&["clientIPDetection"]),
        ),
    ];
    let lost: Vec<_> = settings
        .into_iter()
        .filter_map(|(name, span, is_set)| Some((name, span?)).filter(|_| !is_set))
        .collect();
    let (_, span) = *lost.first()?;
    let names: Vec<String> = lost.iter().map(|(name, _)| format!("`{name}`")).collect();
    let names = names.join(" and ");
    let message = format!(
        "{} has its own `client_traffic`, which doesn't set {names}",
        gateway.value
    );
    Some(
        Diagnostic::new(codes::CONFIG_NOT_INHERITED, message)
            .at(gateway.span)
            .related(span, "the shared table sets it here")
            .why("a gateway's own table replaces the shared one and inherits nothing from it, so this doesn't apply to the gateway")
            .help(format!("set {names} in `[gateways.{}.client_traffic]`, too", gateway.value)),
    )
}

/// Where a way to determine the client's address is written.
fn client_ip_span(ip: &config::traffic::ClientIp) -> Option<manifest::diagnostic::Span> {
    let cidrs = ip.trusted_cidrs.span;
    let hops = ip.trusted_hops.as_ref().and_then(|it| it.span);
    let header = ip.header.as_ref().and_then(|it| it.span);
    let direct = ip.direct.as_ref().and_then(|it| it.span);
    cidrs.or(hops).or(header).or(direct)
}

fn check_client(table: &config::traffic::ClientTraffic, problems: &mut Vec<Diagnostic>) {
    let Some(ip) = &table.client_ip else { return };
    for cidr in ip.trusted_cidrs.iter() {
        address::network(cidr, problems);
    }
    let forwarded = ip
        .trusted_cidrs
        .span
        .or(ip.trusted_hops.as_ref().and_then(|hops| hops.span));
    let header = ip.header.as_ref().and_then(|header| header.span);
    let direct = ip
        .direct
        .as_ref()
        .filter(|direct| direct.value)
        .and_then(|direct| direct.span);
    let ways: Vec<_> = [forwarded, header, direct].into_iter().flatten().collect();
    if let [first, second, ..] = ways.as_slice() {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_CONTRADICTION,
                "two ways to determine the client's address",
            )
            .at(*second)
            .related(*first, "the first")
            .why("the API server refuses a policy that has more than one")
            .help("keep one of `trusted_cidrs` or `trusted_hops`, `header`, and `direct`"),
        );
    }
}

/// Builds the shared BackendTrafficPolicy and the gateways' own ones.
pub fn backend(
    cluster: &Cluster,
    gateways: &[ObjectInput<Gateway>],
    chart: Version,
    problems: &mut Vec<Diagnostic>,
) -> Vec<ObjectInput<BackendTraffic>> {
    let policies = policies(
        cluster,
        cluster.backend_traffic.as_ref(),
        gateways,
        problems,
    );
    for (name, gateway, _, set) in &policies {
        let owner = match gateway {
            Some(gateway) => format!("gateways.{}.backend_traffic", gateway.value),
            None => "backend_traffic".to_owned(),
        };
        rate_limit::check(cluster, &owner, name, set, problems);
    }
    let inputs = policies
        .into_iter()
        .map(|(name, gateway, targets, set)| ObjectInput {
            overlay: set.overlay(),
            values: BackendTraffic {
                name,
                gateway,
                targets,
                rate_limit_type: rate_limit::needed_type(&set, chart),
                compressor: set
                    .compression_as
                    .as_ref()
                    .map_or(chart >= COMPRESSOR, |field| {
                        field.value == CompressionField::Compressor
                    }),
                set,
            },
        });
    inputs.collect()
}
