//! ClientTrafficPolicies and BackendTrafficPolicies.

use serde::Serialize;

use super::gateway::Gateway;
use super::names::{self, Rule};
use super::version::COMPRESSOR;
use super::{Laid, Version, address, route};
use crate::codes;
use crate::config;
use crate::config::traffic::Attach;
use crate::config::{Cluster, Text, Texts};
use manifest::diagnostic::{Diagnostic, Spanned};

/// What a policy is attached to.
#[derive(Clone, Debug, Serialize)]
pub struct Targets {
    /// All Gateways of the namespace, by selector.
    pub selector: bool,
    /// Gateways by name.
    pub gateways: Vec<Text>,
}

/// A ClientTrafficPolicy, as its template sees it.
#[derive(Clone, Debug, Serialize)]
pub struct ClientTraffic {
    /// Its name.
    pub name: Text,
    /// The gateway whose own it is; none of the shared one.
    #[serde(skip)]
    pub gateway: Option<Text>,
    /// What it is attached to.
    pub targets: Targets,
    /// The settings.
    pub set: config::traffic::ClientTraffic,
}

/// A BackendTrafficPolicy, as its template sees it.
#[derive(Clone, Debug, Serialize)]
pub struct BackendTraffic {
    /// Its name.
    pub name: Text,
    /// The gateway whose own it is; none of the shared one.
    #[serde(skip)]
    pub gateway: Option<Text>,
    /// What it is attached to.
    pub targets: Targets,
    /// The field that takes compression: `compressor`, `compression` before Envoy Gateway 1.6.
    pub compressor: bool,
    /// The settings.
    pub set: config::traffic::BackendTraffic,
}

/// The gateways of a shared policy: those named, else all that have none of their own.
fn targets(
    gateways: &[Laid<Gateway>],
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
                "a selector, and gateways by name",
            )
            .at(named.span)
            .related(attach.span, "the selector is chosen here")
            .why("the selector takes every Gateway of the namespace, whatever is named")
            .help("leave one of the two out"),
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

/// What the tables of both kinds of policy have in common.
trait Table: Clone {
    fn name(&self) -> &Option<Text>;
    fn attach(&self) -> &Option<Spanned<Attach>>;
    fn gateways(&self) -> &Texts;
    /// The table of a gateway's own policy.
    fn own(gateway: &config::gateway::Gateway) -> Option<&Self>;
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
            fn own(gateway: &config::gateway::Gateway) -> Option<&Self> {
                gateway.$own.as_ref()
            }
        }
    };
}

table!(ClientTraffic, client_traffic);
table!(BackendTraffic, backend_traffic);

/// A policy's name, the gateway whose own it is, its targets and its table.
type Policy<T> = (Text, Option<Text>, Targets, T);

/// The shared policy and gateways' own: each that attaches to anything.
fn policies<T: Table>(
    cluster: &Cluster,
    shared: Option<&T>,
    gateways: &[Laid<Gateway>],
    problems: &mut Vec<Diagnostic>,
) -> Vec<Policy<T>> {
    let tables = || cluster.gateways.iter();
    let has_own =
        |name: &str| tables().any(|(there, table)| there.value == name && T::own(table).is_some());
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
        let Some(own) = T::own(table) else { continue };
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

/// The shared ClientTrafficPolicy, and gateways' own.
pub fn client(
    cluster: &Cluster,
    gateways: &[Laid<Gateway>],
    problems: &mut Vec<Diagnostic>,
) -> Vec<Laid<ClientTraffic>> {
    let policies = policies(cluster, cluster.client_traffic.as_ref(), gateways, problems);
    let laid = policies.into_iter().map(|(name, gateway, targets, set)| {
        check_client(&set, problems);
        Laid {
            overlay: set.overlay(),
            of: ClientTraffic {
                name,
                gateway,
                targets,
                set,
            },
        }
    });
    laid.collect()
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
                "two ways to find the client's address",
            )
            .at(*second)
            .related(*first, "the first")
            .why("the API server refuses a policy that has more than one")
            .help("keep one of `trusted_cidrs` or `trusted_hops`, `header`, and `direct`"),
        );
    }
}

/// The shared BackendTrafficPolicy, and gateways' own.
pub fn backend(
    cluster: &Cluster,
    gateways: &[Laid<Gateway>],
    chart: Version,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Laid<BackendTraffic>> {
    let policies = policies(
        cluster,
        cluster.backend_traffic.as_ref(),
        gateways,
        problems,
    );
    let laid = policies
        .into_iter()
        .map(|(name, gateway, targets, set)| Laid {
            overlay: set.overlay(),
            of: BackendTraffic {
                name,
                gateway,
                targets,
                compressor: chart >= COMPRESSOR,
                set,
            },
        });
    laid.collect()
}
