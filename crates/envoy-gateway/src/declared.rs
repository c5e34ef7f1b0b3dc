//! What is managed elsewhere, and so is in none of the objects: somebody states it, and it is taken as a fact.

use super::RouteKind;
use super::index::Key;
use manifest::diagnostic::Span;

/// Everything that is stated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// The publishers of DNS records.
    pub publishers: Vec<DeclaredPublisher>,
    /// The tunnels.
    pub tunnels: Vec<DeclaredTunnel>,
}

/// A publisher of DNS records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredPublisher {
    /// How it is called in messages.
    pub name: String,
    /// The namespaces and names of the gateways whose routes it publishes.
    pub gateways: Vec<(String, String)>,
    /// The kinds of route that it publishes.
    pub kinds: Vec<RouteKind>,
    /// The domains that hostnames must be in; all if there are none.
    pub domains: Vec<String>,
    /// The DNS provider, if it is known.
    pub provider: Option<String>,
    /// Whether it reads annotations, as external-dns does.
    pub reads_annotations: bool,
    /// Where it is stated.
    pub span: Option<Span>,
}

/// A tunnel that brings requests from the Internet to gateways.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredTunnel {
    /// How it is called in messages.
    pub name: String,
    /// The namespaces and names of the gateways at its end.
    pub gateways: Vec<(String, String)>,
    /// The DNS name of its other end.
    pub target: Option<String>,
    /// The header in which it sends the address of the client.
    pub client_header: Option<String>,
}

impl Declared {
    /// The tunnel that leads to a gateway.
    pub fn tunnel(&self, gateway: Key<'_>) -> Option<&DeclaredTunnel> {
        let mut tunnels = self.tunnels.iter();
        tunnels.find(|tunnel| names(&tunnel.gateways, gateway))
    }
}

/// Whether a gateway is among those that are named.
pub(crate) fn names(all: &[(String, String)], gateway: Key<'_>) -> bool {
    let mut all = all.iter();
    all.any(|(namespace, name)| name == gateway.name && namespace == gateway.namespace)
}
