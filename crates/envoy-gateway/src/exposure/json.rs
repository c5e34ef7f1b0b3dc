//! Exposures, and their changes, for programs.

use serde_json::{Value as Json, json};

use super::compare::Change;
use super::table::{Door, Exposure, Front, Guard, Hostname, Record, Table};

/// The format's name. Keys are added to it, never renamed or dropped.
pub const FORMAT: &str = "gatewayctl/exposure/v1";

/// The table as JSON:
///
/// - `schema`: [`FORMAT`].
/// - `gateways`: each with `gateway` (`namespace/name`), `reach` (`external`, `internal`, `unknown`) and `reach_why`,
///   `addresses`, `target` (where the DNS records of its routes lead, or null) and `listeners`: `name`, `port`,
///   `protocol`, `hostname` (null takes all), `namespaces` (`none`, `same`, `selected`, `all`), `trusted` (null, or
///   `cidrs`, `hops`, `header`, `policy`), `guards`.
/// - `exposures`: each with `hostname` (`*` is all; null where a port stands for it), `port` (null where a hostname
///   does), `gateway`, `reach`, `listeners`, `routes` (`kind`, `namespace`, `name`, `release`: the Helm release that makes
///   it, or null), `certain` (whether it is known that they are let in), `redirect` (whether that is all it answers), `plain` (whether more is answered without TLS), `dns`
///   (`none`: null, or `unknown`, `nobody`, `nameless`; `records`: `by`, `provider`, `target`, `certain`), `guards`.
/// - a guard: `kind`, `policy` (`Kind namespace/name`), `everywhere` (whether it stands before all that answers), `allows`
///   (the networks of clients that it lets in, where it goes by them).
pub fn json(table: &Table) -> Json {
    json!({
        "schema": FORMAT,
        "gateways": table.gateways.iter().map(front).collect::<Vec<_>>(),
        "exposures": table.exposures.iter().map(|it| exposure(table, it)).collect::<Vec<_>>(),
    })
}

/// Changes as JSON, each with `change`, `direction` (`wider`, `other`, `narrower`), `gateway`, `subjects`
/// (hostnames or listeners) and `message`.
pub fn changes(changes: &[Change]) -> Json {
    let one = |change: &Change| {
        json!({
            "change": change.kind.as_str(),
            "direction": change.direction.as_str(),
            "gateway": change.gateway,
            "subjects": change.subjects,
            "message": change.message(),
        })
    };
    changes.iter().map(one).collect()
}

fn front(front: &Front) -> Json {
    json!({
        "gateway": front.name,
        "reach": front.reach.side.as_str(),
        "reach_why": front.reach.why,
        "addresses": front.addresses,
        "target": front.target,
        "listeners": front.doors.iter().map(door).collect::<Vec<_>>(),
    })
}

fn door(door: &Door) -> Json {
    let trusted = door.trusted.as_ref().map(
        |it| json!({"cidrs": it.cidrs, "hops": it.hops, "header": it.header, "policy": it.policy}),
    );
    json!({
        "name": door.name,
        "port": door.port,
        "protocol": door.protocol,
        "hostname": door.hostname,
        "namespaces": door.namespaces.as_str(),
        "trusted": trusted,
        "guards": guards(&door.guards),
    })
}

fn exposure(table: &Table, it: &Exposure) -> Json {
    let (hostname, port) = match &it.hostname {
        Hostname::Name(name) => (Some(name), None),
        Hostname::Port(port, _) => (None, Some(port)),
    };
    let routes = it.routes.iter().map(|it| {
        json!({"kind": it.kind, "namespace": it.namespace, "name": it.name, "release": it.release})
    });
    let record = |it: &Record| json!({"by": it.by, "provider": it.provider, "target": it.target, "certain": it.is_certain});
    json!({
        "hostname": hostname,
        "port": port,
        "gateway": it.gateway,
        "reach": table.side(&it.gateway).as_str(),
        "listeners": it.listeners,
        "routes": routes.collect::<Vec<_>>(),
        "certain": it.is_certain,
        "redirect": it.is_redirect,
        "plain": it.is_plain,
        "dns": {
            "none": it.records.none.map(|it| it.as_str()),
            "records": it.records.all.iter().map(record).collect::<Vec<_>>(),
        },
        "guards": guards(&it.guards),
    })
}

fn guards(guards: &[Guard]) -> Json {
    let one = |it: &Guard| json!({"kind": it.kind.as_str(), "policy": it.policy, "everywhere": it.is_everywhere, "allows": it.allows});
    guards.iter().map(one).collect()
}
