//! What is wrong with listeners.

use super::super::names::{self, Rule};
use super::Listener;
use crate::config::codes;
use crate::config::gateway::Protocol;
use crate::config::{Count, Namespaces, Text};
use manifest::diagnostic::{Diagnostic, Spanned};

pub(super) fn check_listener(gateway: &Text, listener: &Listener, problems: &mut Vec<Diagnostic>) {
    names::check(
        Rule::Subdomain,
        "a listener's name",
        &listener.name,
        problems,
    );
    check_port(
        &format!("listener {}", listener.name.value),
        &listener.port,
        problems,
    );
    for secret in &listener.certificates {
        names::check(Rule::Subdomain, "a Secret's name", secret, problems);
    }
    if let Some(Namespaces::Names(names)) = &listener.namespaces {
        for name in names {
            names::check(Rule::Label, "a namespace's name", name, problems);
        }
    }
    let Some(hostname) = &listener.hostname else {
        return;
    };
    names::check(Rule::Hostname, "a hostname", hostname, problems);
    if matches!(listener.protocol.value, Protocol::Tcp | Protocol::Udp) {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_CONTRADICTION,
                format!(
                    "listener {} of {} has a hostname, but its protocol doesn't support hostnames",
                    listener.name.value, gateway.value
                ),
            )
            .at(hostname.span)
            .why("TCP and UDP carry no hostname, so the API server refuses it")
            .help("remove the hostname, or set the protocol to TLS"),
        );
    }
}

/// Reports a port outside 1 to 65535.
pub fn check_port(what: &str, port: &Spanned<Count>, problems: &mut Vec<Diagnostic>) {
    if let Count::Number(number) = port.value
        && !(1..=65535).contains(&number)
    {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_INVALID_VALUE,
                format!("{what} can't have the port {number}"),
            )
            .at(port.span)
            .why("valid ports are 1 to 65535")
            .help("write a port from 1 to 65535"),
        );
    }
}

/// Reports listeners that are not distinct by port, protocol and hostname, as the Gateway API requires (v1
/// Gateway, `spec.listeners`).
pub(super) fn check_ports(gateway: &Text, listeners: &[Listener], problems: &mut Vec<Diagnostic>) {
    for (at, second) in listeners.iter().enumerate() {
        let clash = listeners[..at].iter().find(|first| clashes(first, second));
        if let Some(first) = listeners[..at]
            .iter()
            .find(|first| first.name.value == second.name.value)
        {
            problems.push(
                Diagnostic::new(
                    codes::CONFIG_DUPLICATE,
                    format!("{} has two listeners {}", gateway.value, second.name.value),
                )
                .at(second.name.span)
                .related(first.name.span, "the first")
                .why("routes refer to listeners by name, so the API server refuses two with the same name")
                .help("rename one of them"),
            );
        } else if let Some(first) = clash {
            problems.push(
                Diagnostic::new(
                    codes::CONFIG_DUPLICATE,
                    format!(
                        "listeners {} and {} of {} both use port {}",
                        first.name.value,
                        second.name.value,
                        gateway.value,
                        number(&second.port)
                    ),
                )
                .at(second.port.span.or(second.name.span).or(gateway.span))
                .related(first.port.span.or(first.name.span), format!("{} uses it here", first.name.value))
                .why("the gateway couldn't decide which listener a connection belongs to, so both are marked Conflicted and accept no routes")
                .help("give one of them another port, or use a protocol with hostnames and give each a different hostname"),
            );
        }
    }
}

fn number(port: &Count) -> String {
    match port {
        Count::Number(number) => number.to_string(),
        Count::Variable(text) => text.clone(),
    }
}

fn clashes(first: &Listener, second: &Listener) -> bool {
    use Protocol::{Http, Https, Tcp, Tls, Udp};
    let hostname = |listener: &Listener| listener.hostname.as_ref().map(|name| name.value.clone());
    if first.port.value != second.port.value {
        return false;
    }
    match (first.protocol.value, second.protocol.value) {
        (Udp, Udp) => true,
        (Udp, _) | (_, Udp) => false,
        (Http, Http) | (Https | Tls, Https | Tls) => hostname(first) == hostname(second),
        (Tcp, _) | (_, Tcp) | (Http, _) | (_, Http) => true,
    }
}
