//! The content of the cards: what each shows about its object.

use super::block::{Block, Line, Role, Style};
use super::model::{Backend, Gateway, Held, Listener, Picture, Policy, Route};
use envoy_gateway::exposure::Side;

/// The maximum number of hostnames or addresses that a card shows.
const MOST_LINES: usize = 4;

/// Lines for several texts. If there are too many, the last line says how many are left out.
fn some(style: Style, texts: &[String]) -> Vec<Line> {
    let shown = match texts.len() > MOST_LINES {
        true => MOST_LINES - 1,
        false => texts.len(),
    };
    let mut lines: Vec<Line> = texts
        .iter()
        .take(shown)
        .map(|it| Line::new(style, it))
        .collect();
    if texts.len() > shown {
        lines.push(Line::new(
            Style::Small,
            format!("and {} more", texts.len() - shown),
        ));
    }
    lines
}

fn pills(picture: &Picture, policies: &[usize]) -> Vec<Line> {
    let known = policies
        .iter()
        .filter_map(|at| Some((*at, picture.policies.get(*at)?)));
    known.map(|(at, policy)| pill(at, policy)).collect()
}

fn pill(at: usize, policy: &Policy) -> Line {
    Line::new(
        Style::Pill(at),
        format!("{} {}", policy.short_kind(), policy.name.name),
    )
}

fn policy_details(picture: &Picture, policies: &[usize]) -> Vec<String> {
    let known = policies.iter().filter_map(|at| picture.policies.get(*at));
    known
        .map(|it| format!("Policy: {}", policy_line(it)))
        .collect()
}

/// A policy and its settings, in one line.
pub fn policy_line(policy: &Policy) -> String {
    let settings = match policy.settings.is_empty() {
        true => String::new(),
        false => format!(" ({})", policy.settings.join(", ")),
    };
    let faults: String = policy
        .faults
        .iter()
        .map(|it| format!("; problem: {it}"))
        .collect();
    format!("{}{settings}{faults}", policy.name.full())
}

/// The card of a group of clients.
pub fn source(side: Side) -> Block {
    let (name, what) = match side {
        Side::External => ("Internet", "anyone"),
        Side::Internal => ("internal network", "internal clients"),
        Side::Unknown => ("clients", "side unknown"),
    };
    let mut block = Block::new(
        format!("s-{}", side.as_str()),
        Role::Source,
        side,
        name.to_owned(),
    );
    block.head = vec![Line::new(Style::Title, name), Line::new(Style::Small, what)];
    block
}

/// The card of a gateway with its listeners.
pub fn gateway(picture: &Picture, at: usize, it: &Gateway) -> Block {
    let mut block = Block::new(format!("g{at}"), Role::Gateway, it.side, it.name.full());
    block.is_faint = it.is_foreign;
    block
        .head
        .push(Line::new(Style::Title, &it.name.name).with(&it.name.namespace));
    block.head.extend(some(Style::Text, &it.addresses));
    if let Some(target) = &it.target {
        block
            .head
            .push(Line::new(Style::Small, format!("DNS {target}")));
    }
    block.details = vec![format!("Class: {}", it.class)];
    if !it.side_why.is_empty() {
        block.details.push(format!(
            "Reach: {}, because {}",
            it.side.as_str(),
            it.side_why
        ));
    }
    block
        .details
        .extend(it.addresses.iter().map(|it| format!("Address: {it}")));
    block.details.extend(
        it.target
            .iter()
            .map(|it| format!("DNS records point to: {it}")),
    );
    match it.is_foreign {
        // Not knowing the gateway is not a problem of the gateway.
        true => {
            let notes = it.faults.iter().map(|it| Line::new(Style::Small, it));
            block.head.extend(notes);
        }
        false => block.faults(&it.faults),
    }
    block.details.extend(policy_details(picture, &it.policies));
    let listeners = it.listeners.iter().enumerate();
    block.inner = listeners
        .map(|(nth, one)| listener(picture, (at, nth), it.side, one))
        .collect();
    block.tail = pills(picture, &it.policies);
    block
}

fn listener(picture: &Picture, at: (usize, usize), side: Side, it: &Listener) -> Block {
    let label = format!("listener {}, {}", it.name, it.port);
    let mut block = Block::new(format!("l{}-{}", at.0, at.1), Role::Listener, side, label);
    block
        .head
        .push(Line::new(Style::Title, &it.name).with(&it.port));
    block
        .head
        .extend(it.hostname.iter().map(|it| Line::new(Style::Text, it)));
    block
        .head
        .push(Line::new(Style::Small, format!("from {}", it.namespaces)));
    block.details = vec![
        format!("Hostname: {}", it.hostname.as_deref().unwrap_or("any")),
        format!("Accepts routes from {}", it.namespaces),
    ];
    block.faults(&it.faults);
    block.head.extend(pills(picture, &it.policies));
    block.details.extend(policy_details(picture, &it.policies));
    block
}

/// The card of several routes.
fn routes(picture: &Picture, at: usize, it: &Route, held: &Held) -> Block {
    let side = picture.side_of(it);
    let mut block = Block::new(format!("r{at}"), Role::Route, side, it.name.name.clone());
    block.head.push(Line::new(Style::Title, &it.name.name));
    let namespaces = held.namespaces.iter();
    let namespaces: Vec<String> = namespaces
        .map(|(name, routes)| format!("{name}: {routes}"))
        .collect();
    block.head.extend(some(Style::Small, &namespaces));
    block.details = namespaces;
    if it.links.is_empty() {
        block
            .head
            .push(Line::new(Style::Fault, "! gateway not in these manifests"));
    }
    if held.bad > 0 {
        block.faults(&[format!("{} with problems", held.bad)]);
    }
    block
}

/// The card of a route.
pub fn route(picture: &Picture, at: usize, it: &Route) -> Block {
    if let Some(held) = &it.held {
        return routes(picture, at, it, held);
    }
    let mut block = Block::new(
        format!("r{at}"),
        Role::Route,
        picture.side_of(it),
        it.name.full(),
    );
    block.head = match (it.hostnames.is_empty(), it.has_hostnames) {
        (false, _) => some(Style::Title, &it.hostnames),
        (true, true) => vec![Line::new(Style::Title, "any hostname")],
        (true, false) => vec![Line::new(Style::Title, &it.name.name)],
    };
    block
        .head
        .push(Line::new(Style::Small, it.name.path()).with(&it.name.kind));
    if let Some(redirect) = &it.redirect {
        block
            .head
            .push(Line::new(Style::Small, format!("redirects: {redirect}")));
    }
    let parts = it.backends.iter().filter_map(|(to, part)| {
        let backend = picture.backends.get(*to)?;
        Some(format!("{} {}", part.as_ref()?, backend.name.name))
    });
    let parts: Vec<String> = parts.collect();
    block
        .head
        .extend(parts.iter().map(|it| Line::new(Style::Small, it)));
    block
        .details
        .extend(it.hostnames.iter().map(|it| format!("Hostname: {it}")));
    block.details.extend(
        it.release
            .iter()
            .map(|it| format!("Created by the Helm release {it}")),
    );
    block
        .details
        .extend(it.redirect.iter().map(|it| format!("Redirects: {it}")));
    block.faults(&it.faults);
    if it.links.is_empty() && it.faults.is_empty() {
        block
            .head
            .push(Line::new(Style::Fault, "! gateway not in these manifests"));
    }
    block.head.extend(pills(picture, &it.policies));
    block.details.extend(policy_details(picture, &it.policies));
    block
}

/// The card of a backend.
pub fn backend(picture: &Picture, at: usize, it: &Backend) -> Block {
    let routes = picture.routes.iter();
    let used = routes.filter(|route| route.backends.iter().any(|(to, _)| *to == at));
    let mut sides: Vec<Side> = used.map(|route| picture.side_of(route)).collect();
    sides.sort();
    let side = sides.first().copied().unwrap_or_default();
    let mut block = Block::new(format!("b{at}"), Role::Backend, side, it.name.full());
    let ports: Vec<String> = it.ports.iter().map(|it| format!(":{it}")).collect();
    block.head = vec![
        Line::new(Style::Title, &it.name.name).with(ports.join(" ")),
        Line::new(Style::Small, &it.name.kind).with(&it.name.namespace),
    ];
    block
        .details
        .extend(it.ports.iter().map(|it| format!("Port: {it}")));
    block
}

/// The card of a policy that is attached to nothing.
pub fn loose(at: usize, it: &Policy) -> Block {
    let mut block = Block::new(
        format!("p{at}"),
        Role::Policy,
        Side::Unknown,
        it.name.full(),
    );
    block.head = vec![
        Line::new(Style::Title, &it.name.name),
        Line::new(Style::Small, &it.name.namespace).with(&it.name.kind),
    ];
    block.faults(&it.faults);
    block.details.push(policy_line(it));
    block
}
