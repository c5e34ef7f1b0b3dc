//! Exposures in words, for people. What they quote is not escaped.

use std::collections::BTreeSet;

use super::table::{ExposedGateway, Exposure, Guard, NoRecord, Record, Side, Table};

/// The side that a gateway faces, with the reason: `external, since its name says so`.
pub fn reach(gateway: &ExposedGateway) -> String {
    match gateway.reach.side {
        Side::Unknown => "it is not known whether it is internal or external".to_owned(),
        side => format!("{}, since {}", side.as_str(), gateway.reach.why),
    }
}

/// The networks that the listeners of a gateway trust for the client's address.
pub fn trusted(gateway: &ExposedGateway) -> Vec<&str> {
    let trusted = gateway.listeners.iter();
    let trusted = trusted.filter_map(|listener| listener.trusted.as_ref());
    let networks: BTreeSet<&str> = trusted
        .flat_map(|it| it.cidrs.iter().map(String::as_str))
        .collect();
    networks.into_iter().collect()
}

/// The hostname, or `any` if all are answered.
pub fn hostname(exposure: &Exposure) -> String {
    match exposure.hostname.to_string() {
        any if any == "*" => "any".to_owned(),
        hostname => hostname,
    }
}

/// The name of a gateway without its namespace, if no other gateway has the same name.
pub fn short<'t>(table: &Table, gateway: &'t str) -> &'t str {
    let name = last(gateway);
    let same = table.gateways.iter().filter(|it| last(&it.name) == name);
    if same.count() == 1 { name } else { gateway }
}

/// Each route as `namespace/name`, with the kind in front if it is no HTTPRoute.
pub fn routes(exposure: &Exposure) -> Vec<String> {
    let routes = exposure.routes.iter();
    let routes = routes.map(|route| match route.kind.as_str() {
        "HTTPRoute" => route.path(),
        kind => format!("{kind} {}", route.path()),
    });
    routes.collect()
}

/// What is special: that it only redirects, that it is answered without TLS, that it is not certain.
pub fn remarks(exposure: &Exposure) -> Vec<&'static str> {
    let all = [
        (exposure.is_redirect, "redirects"),
        (exposure.is_plain, "without TLS"),
        (!exposure.is_certain, "perhaps"),
    ];
    let told = all.into_iter().filter(|(holds, _)| *holds);
    told.map(|(_, remark)| remark).collect()
}

/// Who publishes the DNS records of a hostname, and their targets.
pub fn records(exposure: &Exposure, gateway: Option<&ExposedGateway>) -> String {
    let one = |record: &Record| {
        let by = last(&record.by);
        let sure = if record.is_certain { "" } else { "perhaps " };
        match &record.target {
            Some(target) => format!("{sure}{by} -> {target}"),
            None => format!("{sure}{by}"),
        }
    };
    let records = &exposure.records;
    match records.none {
        None => records.all.iter().map(one).collect::<Vec<_>>().join(", "),
        Some(NoRecord::NotKnown) => match gateway.and_then(|it| it.target.as_ref()) {
            Some(target) => format!("unknown -> {target}"),
            None => "not known".to_owned(),
        },
        Some(NoRecord::Nobody) => "nobody's".to_owned(),
        Some(NoRecord::Nameless) => "-".to_owned(),
    }
}

/// The guards with their policies, or `none`.
pub fn guards(guards: &[Guard]) -> String {
    let one = |guard: &Guard| {
        let policy = last(&guard.policy);
        let part = if guard.is_everywhere { "" } else { " in part" };
        format!("{}{part} ({policy})", guard.kind.as_str())
    };
    match guards.is_empty() {
        true => "none".to_owned(),
        false => guards.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}

/// The name without kind and namespace.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
