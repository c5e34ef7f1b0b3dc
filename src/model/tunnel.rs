//! A Cloudflare tunnel: the DNSEndpoint that leads to it, and which gateways it leads to.

use super::ObjectInput;
use super::attach::only_with_one;
use super::dns::{self, Endpoint, Record};
use super::gateway::Gateway;
use super::names::{self, Rule};
use super::route::chosen;
use crate::config::tunnel::Tunnel as Table;
use crate::config::{Cluster, Text, codes};
use envoy_gateway::declared::DeclaredTunnel;
use manifest::diagnostic::{Diagnostic, Spanned};

/// What ends the DNS name of every tunnel.
pub const TUNNELS: &str = ".cfargotunnel.com";

/// The default name of the DNSEndpoint.
pub const NAME: &str = "cloudflare-tunnel";

/// The header in which Cloudflare sends the address of the client.
const CLIENT_HEADER: &str = "CF-Connecting-IP";

/// What the table says.
#[derive(Clone, Debug, Default)]
pub struct Tunnel {
    /// The DNSEndpoint, if it is written.
    pub endpoint: Option<ObjectInput<Endpoint>>,
    /// Which gateways the tunnel leads to.
    pub declared: Vec<DeclaredTunnel>,
}

/// Builds the DNSEndpoint and what is known of the tunnel.
pub fn build(
    cluster: &Cluster,
    gateways: &[ObjectInput<Gateway>],
    namespace: &Text,
    problems: &mut Vec<Diagnostic>,
) -> Tunnel {
    let Some(table) = &cluster.tunnel else {
        return Tunnel::default();
    };
    if let Some(problem) = only_with_one("[tunnel]", &table.gateways, gateways) {
        let key = table.id.as_ref().or(table.target.as_ref());
        problems.push(problem.at(key.and_then(|key| key.span)));
        return Tunnel::default();
    }
    let own = chosen(gateways, &table.gateways, problems);
    let Some(target) = target(table, problems) else {
        return Tunnel::default();
    };
    let declared = DeclaredTunnel {
        name: "the tunnel of cluster.toml".to_owned(),
        gateways: own
            .iter()
            .map(|gateway| (namespace.value.clone(), gateway.value.clone()))
            .collect(),
        target: Some(target.value.clone()),
        client_header: Some(CLIENT_HEADER.to_owned()),
    };
    let is_on = table.endpoint.as_ref().is_none_or(|flag| flag.value);
    let endpoint = if is_on {
        endpoint(cluster, table, &own, &target, problems)
    } else {
        None
    };
    Tunnel {
        endpoint,
        declared: vec![declared],
    }
}

fn endpoint(
    cluster: &Cluster,
    table: &Table,
    gateways: &[Text],
    target: &Text,
    problems: &mut Vec<Diagnostic>,
) -> Option<ObjectInput<Endpoint>> {
    let hostnames = match table.hostnames.is_given() {
        true => table.hostnames.clone(),
        false => dns::targets_of(cluster, gateways),
    };
    if hostnames.is_empty() {
        problems.push(
            Diagnostic::new(codes::CONFIG_MISSING_KEY, "no hostname leads to the tunnel")
                .at(target.span)
                .why("nobody would find the tunnel")
                .help("add `hostnames = \"external.example.com\"`, the name that the records of the gateway point to; or `endpoint = false` if the record is made elsewhere"),
        );
        return None;
    }
    for hostname in hostnames.iter() {
        names::check(Rule::Hostname, "a DNS name", hostname, problems);
    }
    let name = table.name.clone();
    let name = name.unwrap_or_else(|| Spanned::unwritten(NAME.to_owned()));
    names::check(Rule::Subdomain, "a DNSEndpoint's name", &name, problems);
    let records = hostnames.iter().map(|hostname| Record {
        hostname: hostname.clone(),
        kind: "CNAME",
        targets: vec![target.clone()],
    });
    Some(ObjectInput {
        values: Endpoint {
            name,
            records: records.collect(),
            ttl: None,
            proxied: table.proxied.as_ref().map(|flag| flag.value.to_string()),
            prefixes: dns::prefixes_for(cluster, gateways),
        },
        overlay: table.overlay(),
    })
}

/// The DNS name of the tunnel.
fn target(table: &Table, problems: &mut Vec<Diagnostic>) -> Option<Text> {
    let own = match (&table.id, &table.target) {
        (Some(id), Some(target)) => {
            problems.push(
                Diagnostic::new(
                    codes::CONFIG_CONTRADICTION,
                    "the tunnel has both `id` and `target`",
                )
                .at(target.span)
                .related(id.span, "the identifier")
                .why("the DNS name follows from the identifier")
                .help("remove one of them"),
            );
            None
        }
        (Some(id), None) => Some(id.with(format!("{}{TUNNELS}", id.value))),
        (None, Some(target)) => Some(target.clone()),
        (None, None) => {
            problems.push(
                Diagnostic::new(codes::CONFIG_MISSING_KEY, "the tunnel has no `id`")
                    .at(table.gateways.span)
                    .with_pointer("/tunnel/id")
                    .why("its DNS name is made of it")
                    .help("add `id = \"${CLOUDFLARE_TUNNEL_ID}\"` to [tunnel], or the DNS name of another kind of tunnel as `target`"),
            );
            None
        }
    };
    own.inspect(|target| names::check(Rule::Subdomain, "a tunnel's DNS name", target, problems))
}
