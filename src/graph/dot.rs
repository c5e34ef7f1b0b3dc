//! The picture in DOT, the language of Graphviz, for `dot -Tpng` and similar programs.

use super::escape::dot as safe;
use super::model::{LinkSource, LinkState, Picture};
use envoy_gateway::exposure::Side;

/// The picture as a graph in DOT.
pub fn dot(picture: &Picture) -> String {
    let mut lines = vec![
        "digraph front_door {".to_owned(),
        "  rankdir=LR".to_owned(),
        "  compound=true".to_owned(),
        "  node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=11]".to_owned(),
        "  edge [color=\"#64748b\", fontname=\"Helvetica\", fontsize=9]".to_owned(),
    ];
    for (side, name) in [
        (Side::External, "Internet"),
        (Side::Unknown, "clients"),
        (Side::Internal, "internal network"),
    ] {
        if picture.gateways.iter().any(|it| it.side == side) {
            let (id, colour) = (side.as_str(), colour(side));
            lines.push(format!(
                "  s_{id} [label=\"{name}\", shape=ellipse, color=\"{colour}\"]"
            ));
        }
    }
    for (at, gateway) in picture.gateways.iter().enumerate() {
        let mut title = vec![gateway.name.full()];
        title.extend(gateway.addresses.iter().cloned());
        lines.push(format!("  subgraph cluster_g{at} {{"));
        lines.push(format!("    label=\"{}\"", label(&title)));
        lines.push(format!("    color=\"{}\"", colour(gateway.side)));
        // This node represents the gateway as a whole.
        lines.push(format!("    g{at} [label=\"\", shape=point]"));
        for (nth, listener) in gateway.listeners.iter().enumerate() {
            let mut text = vec![listener.name.clone(), listener.port.clone()];
            text.extend(listener.hostname.clone());
            lines.push(format!("    l{at}_{nth} [label=\"{}\"]", label(&text)));
        }
        lines.push("  }".to_owned());
        for nth in 0..gateway.listeners.len() {
            lines.push(format!(
                "  g{at} -> l{at}_{nth} [style=dotted, arrowhead=none]"
            ));
        }
        let side = gateway.side.as_str();
        lines.push(format!("  s_{side} -> g{at} [lhead=cluster_g{at}]"));
    }
    for (at, route) in picture.routes.iter().enumerate() {
        let mut text = vec![route.name.full()];
        text.extend(route.hostnames.iter().cloned());
        text.extend(route.redirect.iter().map(|it| format!("redirects: {it}")));
        text.extend(route.faults.iter().cloned());
        let colour = match route.faults.is_empty() {
            true => colour(picture.side_of(route)),
            false => "#b42318",
        };
        lines.push(format!(
            "  r{at} [label=\"{}\", color=\"{colour}\"]",
            label(&text)
        ));
        for link in &route.links {
            let from = match link.from {
                LinkSource::Listener(gateway, nth) => format!("l{gateway}_{nth}"),
                LinkSource::Gateway(gateway) => format!("g{gateway}"),
            };
            let style = match link.state {
                LinkState::Attached => "",
                LinkState::Unknown => " [style=dotted, label=\"perhaps\"]",
                LinkState::Refused => " [style=dashed, color=\"#b42318\", label=\"refused\"]",
            };
            lines.push(format!("  {from} -> r{at}{style}"));
        }
        for (to, part) in &route.backends {
            let part = part.as_ref().map(|it| format!(" [label=\"{}\"]", safe(it)));
            lines.push(format!("  r{at} -> b{to}{}", part.unwrap_or_default()));
        }
    }
    for (at, backend) in picture.backends.iter().enumerate() {
        let ports: String = backend
            .ports
            .iter()
            .map(|port| format!(":{port}"))
            .collect();
        let text = format!("{}{ports}", backend.name.full());
        lines.push(format!(
            "  b{at} [label=\"{}\", shape=cylinder]",
            safe(&text)
        ));
    }
    policies(picture, &mut lines);
    lines.push("}".to_owned());
    lines.join("\n") + "\n"
}

fn label(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|it| safe(it)).collect();
    texts.join("\\n")
}

fn colour(side: Side) -> &'static str {
    match side {
        Side::External => "#c2410c",
        Side::Internal => "#0f766e",
        Side::Unknown => "#64748b",
    }
}

fn policies(picture: &Picture, lines: &mut Vec<String>) {
    for (at, policy) in picture.policies.iter().enumerate() {
        let name = safe(&policy.name.full());
        lines.push(format!(
            "  p{at} [label=\"{name}\", shape=note, color=\"#6425c9\"]"
        ));
    }
    let mut hang = |policies: &[usize], on: String| {
        lines.extend(policies.iter().map(|at| {
            format!("  p{at} -> {on} [style=dashed, color=\"#6425c9\", arrowhead=none]")
        }));
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
