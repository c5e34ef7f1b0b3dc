//! The picture as a Mermaid flowchart (Mermaid 10 and 11), which GitHub shows in Markdown.

use super::model::{LinkSource, LinkState, Picture};
use crate::page::escape::mermaid as safe;
use envoy_gateway::exposure::Side;

/// The picture as a flowchart. Special characters in names are written as entities.
pub fn mermaid(picture: &Picture) -> String {
    let mut lines = vec!["flowchart LR".to_owned()];
    for (side, name) in [
        (Side::External, "Internet"),
        (Side::Unknown, "clients"),
        (Side::Internal, "internal network"),
    ] {
        if picture.gateways.iter().any(|it| it.side == side) {
            lines.push(format!("  {}([\"{name}\"])", source(side)));
        }
    }
    for (at, gateway) in picture.gateways.iter().enumerate() {
        let mut title = vec![gateway.name.full()];
        title.extend(gateway.addresses.iter().cloned());
        lines.push(format!("  subgraph g{at}[\"{}\"]", label(&title)));
        lines.push("    direction TB".to_owned());
        for (nth, listener) in gateway.listeners.iter().enumerate() {
            let mut text = vec![listener.name.clone(), listener.port.clone()];
            text.extend(listener.hostname.clone());
            lines.push(format!("    l{at}_{nth}[\"{}\"]", label(&text)));
        }
        if gateway.listeners.is_empty() {
            let fault = gateway
                .faults
                .first()
                .map_or("no listeners", String::as_str);
            lines.push(format!("    n{at}[\"{}\"]", safe(fault)));
        }
        lines.push("  end".to_owned());
        lines.push(format!("  {} --> g{at}", source(gateway.side)));
    }
    for (at, route) in picture.routes.iter().enumerate() {
        let mut text = vec![route.name.full()];
        text.extend(route.hostnames.iter().cloned());
        text.extend(route.redirect.iter().map(|it| format!("redirects: {it}")));
        lines.push(format!("  r{at}(\"{}\")", label(&text)));
        for link in &route.links {
            let from = match link.from {
                LinkSource::Listener(gateway, nth) => format!("l{gateway}_{nth}"),
                LinkSource::Gateway(gateway) => format!("g{gateway}"),
            };
            let arrow = match link.state {
                LinkState::Attached => "-->",
                LinkState::Unknown => "-. perhaps .->",
                LinkState::Refused => "-. refused .-x",
            };
            lines.push(format!("  {from} {arrow} r{at}"));
        }
    }
    for (at, backend) in picture.backends.iter().enumerate() {
        let ports: String = backend
            .ports
            .iter()
            .map(|port| format!(":{port}"))
            .collect();
        let text = format!("{}{ports}", backend.name.full());
        lines.push(format!("  b{at}[(\"{}\")]", safe(&text)));
    }
    for (at, route) in picture.routes.iter().enumerate() {
        for (to, part) in &route.backends {
            match part {
                Some(part) => lines.push(format!("  r{at} -- \"{}\" --> b{to}", safe(part))),
                None => lines.push(format!("  r{at} --> b{to}")),
            }
        }
    }
    policies(picture, &mut lines);
    classes(picture, &mut lines);
    lines.join("\n") + "\n"
}

fn source(side: Side) -> String {
    format!("s_{}", side.as_str())
}

fn label(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|it| safe(it)).collect();
    texts.join("<br>")
}

fn policies(picture: &Picture, lines: &mut Vec<String>) {
    for (at, policy) in picture.policies.iter().enumerate() {
        lines.push(format!("  p{at}{{{{\"{}\"}}}}", safe(&policy.name.full())));
    }
    let mut hang = |policies: &[usize], on: String| {
        lines.extend(policies.iter().map(|at| format!("  p{at} -.- {on}")));
    };
    for (at, gateway) in picture.gateways.iter().enumerate() {
        hang(&gateway.policies, format!("g{at}"));
        for (nth, listener) in gateway.listeners.iter().enumerate() {
            hang(&listener.policies, format!("l{at}_{nth}"));
        }
    }
    for (at, route) in picture.routes.iter().enumerate() {
        hang(&route.policies, format!("r{at}"));
    }
}

/// Assigns colours by side and to objects with problems.
fn classes(picture: &Picture, lines: &mut Vec<String>) {
    let mut class = |name: &str, style: &str, ids: Vec<String>| {
        if !ids.is_empty() {
            lines.push(format!("  classDef {name} {style}"));
            lines.push(format!("  class {} {name}", ids.join(",")));
        }
    };
    let of = |side: Side| {
        let routes = picture.routes.iter().enumerate();
        let routes = routes.filter(|(_, it)| picture.side_of(it) == side && it.faults.is_empty());
        let mut ids: Vec<String> = routes.map(|(at, _)| format!("r{at}")).collect();
        if picture.gateways.iter().any(|it| it.side == side) {
            ids.insert(0, source(side));
        }
        ids
    };
    class(
        "external",
        "stroke:#c2410c,stroke-width:2px",
        of(Side::External),
    );
    class(
        "internal",
        "stroke:#0f766e,stroke-width:2px",
        of(Side::Internal),
    );
    let policies = (0..picture.policies.len()).map(|at| format!("p{at}"));
    class(
        "policy",
        "stroke:#6425c9,stroke-dasharray:3 3",
        policies.collect(),
    );
    let bad = picture
        .routes
        .iter()
        .enumerate()
        .filter(|(_, it)| !it.faults.is_empty());
    class(
        "bad",
        "stroke:#b42318,stroke-width:3px",
        bad.map(|(at, _)| format!("r{at}")).collect(),
    );
}
