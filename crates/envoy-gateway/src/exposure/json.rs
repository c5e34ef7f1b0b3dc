//! Exposures and their changes as JSON.

use serde_json::{Value as Json, json};

use super::compare::Change;
use super::table::{ExposedGateway, ExposedListener, Exposure, Guard, Hostname, Record, Table};

/// The name of the format. Keys may be added to it, but are never renamed or removed.
pub const FORMAT: &str = "gatewayctl/exposure/v1";

/// The table as JSON:
/// - `schema`: [`FORMAT`].
/// - `gateways`: each with `gateway` (`namespace/name`), `reach` (`external`, `internal`, `unknown`) and
///   `reach_why`, `addresses`, `target` (the target of the DNS records of its routes, or null) and `listeners`:
///   `name`, `port`, `protocol`, `hostname` (null matches all), `namespaces` (`none`, `same`, `selected`,
///   `all`), `trusted` (null, or `cidrs`, `hops`, `header`, `policy`), `guards`.
/// - `exposures`: each with `hostname` (`*` matches all; null if there is a port instead), `port` (null if
///   there is a hostname), `gateway`, `reach`, `listeners`, `routes` (`kind`, `namespace`, `name`, `release`:
///   the Helm release that creates it, or null), `certain` (whether it is known that the routes attach),
///   `redirect` (whether all answers are redirects), `plain` (whether anything but redirects is answered
///   without TLS), `dns` (`none`: null, or `unknown`, `nobody`, `nameless`; `records`: `by`, `provider`,
///   `target`, `certain`), `guards`.
/// - a guard: `kind`, `policy` (`Kind namespace/name`), `everywhere` (whether it applies to all answers),
///   `allows` (the client networks that it admits, if it uses networks).
pub fn json(table: &Table) -> Json {
    json!({
        "schema": FORMAT,
        "gateways": table.gateways.iter().map(gateway).collect::<Vec<_>>(),
        "exposures": table.exposures.iter().map(|it| exposure(table, it)).collect::<Vec<_>>(),
    })
}

/// The tables of several clusters as JSON, in the form of [`json`]. Each gateway and each exposure also has the name of its
/// `cluster`.
pub fn of_clusters(clusters: &[(String, Table)]) -> Json {
    let named = |mut one: Json, cluster: &str| {
        if let Some(map) = one.as_object_mut() {
            map.insert("cluster".to_owned(), cluster.into());
        }
        one
    };
    let gateways = clusters.iter().flat_map(|(name, table)| {
        let all = table.gateways.iter();
        all.map(move |it| named(gateway(it), name))
    });
    let exposures = clusters.iter().flat_map(|(name, table)| {
        let all = table.exposures.iter();
        all.map(move |it| named(exposure(table, it), name))
    });
    json!({
        "schema": FORMAT,
        "gateways": gateways.collect::<Vec<_>>(),
        "exposures": exposures.collect::<Vec<_>>(),
    })
}

/// The changes as JSON, each with `change`, `direction` (`wider`, `other`, `narrower`), `gateway`, `subjects`
/// (hostnames or listeners), `message`, and, if there are several clusters, `cluster`.
pub fn changes(changes: &[Change]) -> Json {
    let one = |change: &Change| {
        let mut json = json!({
            "change": change.kind.as_str(),
            "direction": change.direction.as_str(),
            "gateway": change.gateway,
            "subjects": change.subjects,
            "message": change.message(),
        });
        if let (Some(cluster), Some(map)) = (&change.cluster, json.as_object_mut()) {
            map.insert("cluster".to_owned(), cluster.as_str().into());
        }
        json
    };
    changes.iter().map(one).collect()
}

fn gateway(gateway: &ExposedGateway) -> Json {
    json!({
        "gateway": gateway.name,
        "reach": gateway.reach.side.as_str(),
        "reach_why": gateway.reach.why,
        "addresses": gateway.addresses,
        "target": gateway.target,
        "listeners": gateway.listeners.iter().map(listener).collect::<Vec<_>>(),
    })
}

fn listener(listener: &ExposedListener) -> Json {
    let trusted = listener.trusted.as_ref().map(
        |it| json!({"cidrs": it.cidrs, "hops": it.hops, "header": it.header, "policy": it.policy}),
    );
    json!({
        "name": listener.name,
        "port": listener.port,
        "protocol": listener.protocol,
        "hostname": listener.hostname,
        "namespaces": listener.namespaces.as_str(),
        "trusted": trusted,
        "guards": guards(&listener.guards),
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
        "backends": it.backends,
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
