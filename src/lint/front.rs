//! The gateways, with the proxies that Envoy Gateway creates for each.

use std::ops::Deref;

use super::{Applied, LintContext};
use manifest::Object;
use manifest::value::Node;

pub(super) use envoy_gateway::controller::CHART;
pub(super) use envoy_gateway::helm_routes::release_namespace;
pub(super) use envoy_gateway::index::{ENVOY_GATEWAY, GATEWAY_API};
use envoy_gateway::proxies::GatewayProxies;

/// A gateway with its proxies.
#[derive(Clone, Debug)]
pub(crate) struct Front<'a> {
    /// The Gateway.
    pub gateway: Applied<'a>,
    proxies: GatewayProxies<'a>,
}

impl<'a> Deref for Front<'a> {
    type Target = GatewayProxies<'a>;

    fn deref(&self) -> &Self::Target {
        &self.proxies
    }
}

/// All Gateways, in the order in which they are given.
pub(super) fn fronts<'a>(context: &LintContext<'a>) -> Vec<Front<'a>> {
    let classes: Vec<Applied> = context.of_kind(GATEWAY_API, "GatewayClass").collect();
    let proxies: Vec<Applied> = context.of_kind(ENVOY_GATEWAY, "EnvoyProxy").collect();
    context
        .of_kind(GATEWAY_API, "Gateway")
        .map(|gateway| {
            let is_near = |object: &Object| context.may_share_cluster(object, gateway.object);
            let near = |all: &'_ [Applied<'a>]| {
                let objects: Vec<&'a Object> = all
                    .iter()
                    .map(|one| one.object)
                    .filter(|one| is_near(one))
                    .collect();
                objects.into_iter()
            };
            let releases = context.controllers().iter();
            let mut releases = releases.filter(|one| is_near(one.release));
            let release = releases.next().filter(|_| releases.next().is_none());
            Front {
                gateway,
                proxies: GatewayProxies::new(
                    gateway.object,
                    near(&classes),
                    near(&proxies),
                    release,
                ),
            }
        })
        .collect()
}

/// The string at a path; empty if there is none.
pub(super) fn text<'a>(object: &'a Object, path: &[&str]) -> &'a str {
    let node = object.node.path(path);
    node.and_then(Node::as_str).unwrap_or_default()
}
