//! The tables for TCP and UDP through the gateways: `[ssh]`, `[tcp.NAME]` and `[udp.NAME]`.

use super::listener::Listener;
use crate::config;
use crate::config::gateway::Protocol;
use crate::config::{Cluster, Count, Namespaces, Text};
use manifest::diagnostic::Spanned;

/// A table for TCP or UDP, with the name of its listener.
pub struct Stream<'a> {
    /// The name of the listener.
    pub name: Text,
    /// TCP or UDP.
    pub protocol: Protocol,
    /// The table as it is written.
    pub table: &'a config::route::Stream,
}

/// All such tables: `ssh`, then `tcp`, then `udp`.
pub fn streams(cluster: &Cluster) -> Vec<Stream<'_>> {
    let ssh = cluster.ssh.iter().map(|table| Stream {
        name: Spanned::unwritten("ssh".to_owned()),
        protocol: Protocol::Tcp,
        table,
    });
    let named = |protocol: Protocol| {
        move |(name, table)| Stream {
            name: Text::clone(name),
            protocol,
            table,
        }
    };
    ssh.chain(
        cluster
            .tcp
            .iter()
            .map(|(name, table)| named(Protocol::Tcp)((name, table))),
    )
    .chain(
        cluster
            .udp
            .iter()
            .map(|(name, table)| named(Protocol::Udp)((name, table))),
    )
    .collect()
}

impl Stream<'_> {
    /// Whether a gateway has a listener for this stream.
    pub fn is_on(&self, gateway: &str) -> bool {
        let gateways = &self.table.gateways;
        !gateways.is_given() || gateways.iter().any(|name| name.value == gateway)
    }

    /// The port, if one is written or the stream is `ssh`.
    pub fn port(&self) -> Option<Spanned<Count>> {
        let default = (self.name.value == "ssh").then_some(Spanned::unwritten(Count::Number(22)));
        self.table.port.clone().or(default)
    }

    /// The listener of the stream. Its port is 0 if none is given; that is reported elsewhere.
    pub fn listener(&self) -> Listener {
        let port = self.port().unwrap_or(Spanned::unwritten(Count::Number(0)));
        Listener {
            name: self.name.clone(),
            protocol: self.name.with(self.protocol),
            port,
            hostname: None,
            tls_mode: None,
            certificates: Vec::new(),
            kinds: vec![self.name.with(self.kind().to_owned())],
            namespaces: self
                .table
                .namespace
                .clone()
                .map(|name| Namespaces::Names(vec![name])),
            spec: None,
        }
    }

    /// The kind of the stream's route.
    pub fn kind(&self) -> &'static str {
        match self.protocol {
            Protocol::Udp => "UDPRoute",
            _ => "TCPRoute",
        }
    }
}
