//! `status --against cluster`. The tests act as the controller: they write the status of objects as Envoy Gateway
//! would, through the API server.

use std::collections::BTreeMap;

use gatewayctl::cluster::kinds::Kinds;
use gatewayctl::cluster::server::Ask;
use serde_json::{Value as Json, json};

use super::apiserver::Cluster;
use super::life::applied;
use super::talk::{apply_text, get, run, with};
use crate::common::{Project, Run};

const CONTROLLER: &str = "gateway.envoyproxy.io/gatewayclass-controller";
const NOW: &str = "2026-11-23T00:00:00Z";

fn status(project: &Project, cluster: &Cluster, more: &[&str]) -> Run {
    run(
        project,
        cluster,
        &[&["status", "--against", "cluster"], more].concat(),
    )
}

fn json(run: &Run) -> Json {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"))
}

/// An object's kind, namespace and name.
type Name = (String, String, String);

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

fn name(json: &Json) -> Name {
    let part = |key: &str| text(&json[key]);
    (part("kind"), part("namespace"), part("name"))
}

/// The conditions of a report, by object.
fn by_object(report: &Json) -> BTreeMap<Name, Vec<Json>> {
    let mut found: BTreeMap<Name, Vec<Json>> = BTreeMap::new();
    for condition in report["conditions"].as_array().expect("conditions") {
        let of = found.entry(name(condition)).or_default();
        of.push(condition.clone());
    }
    found
}

/// The status that a controller at `generation` would write for the conditions of a report. It knows what is unknown
/// to us.
fn written(conditions: &[Json], generation: i64) -> Json {
    let mut places: BTreeMap<(String, String), Vec<Json>> = BTreeMap::new();
    for one in conditions {
        let (status, reason) = match text(&one["status"]).as_str() {
            "Unknown" => ("True".to_owned(), text(&one["type"])),
            status => (status.to_owned(), text(&one["reason"])),
        };
        let place = (text(&one["on"]), text(&one["which"]));
        places.entry(place).or_default().push(json!({
            "type": one["type"], "status": status, "reason": reason, "message": "the controller's words",
            "lastTransitionTime": NOW, "observedGeneration": generation,
        }));
    }
    let kind = text(&conditions[0]["kind"]);
    let mut status = json!({});
    for ((on, which), conditions) in places {
        let mut add = |list: &str, entry: Json| match &mut status[list] {
            Json::Array(all) => all.push(entry),
            none => *none = json!([entry]),
        };
        match on.as_str() {
            "listener" => add(
                "listeners",
                json!({"name": which, "attachedRoutes": 1, "supportedKinds": [], "conditions": conditions}),
            ),
            "parent" => {
                let (list, reference) = match kind.ends_with("Route") {
                    true => ("parents", "parentRef"),
                    false => ("ancestors", "ancestorRef"),
                };
                let mut entry = json!({reference: parent(&which), "conditions": conditions});
                // The ancestors of an EnvoyProxy don't have this field.
                if kind != "EnvoyProxy" {
                    entry["controllerName"] = CONTROLLER.into();
                }
                add(list, entry);
            }
            _ => status["conditions"] = conditions.into(),
        }
    }
    status
}

/// The reference for `NAMESPACE/NAME/SECTION`. Only classes have no namespace.
fn parent(which: &str) -> Json {
    let parts: Vec<&str> = which.split('/').collect();
    let kind = match parts[0] {
        "" => "GatewayClass",
        _ => "Gateway",
    };
    let mut reference =
        json!({"group": "gateway.networking.k8s.io", "kind": kind, "name": parts[1]});
    for (key, part) in [("namespace", parts[0]), ("sectionName", parts[2])] {
        if !part.is_empty() {
            reference[key] = part.into();
        }
    }
    reference
}

/// The path of an object.
fn path(cluster: &Cluster, (kind, namespace, name): &Name) -> String {
    let found = with(cluster, async |server| {
        let kinds = Kinds::of(server).await?;
        let groups = ["gateway.networking.k8s.io", "gateway.envoyproxy.io"];
        let mut served = groups.iter().flat_map(|group| kinds.versions(group, kind));
        Ok(served.next().map(|it| it.one(namespace, name)))
    });
    found.expect("an answer").expect("a kind that is served")
}

/// Reads an object, changes its status, and writes that as a controller does.
fn write(cluster: &Cluster, of: &Name, change: impl FnOnce(&Json) -> Json) {
    let path = path(cluster, of);
    let live = get(cluster, &path).expect("an answer").body;
    let body = json!({
        "apiVersion": live["apiVersion"], "kind": live["kind"],
        "metadata": {"name": of.2, "namespace": live["metadata"]["namespace"]}, "status": change(&live),
    });
    let answer = with(cluster, async |server| {
        let path = format!("{path}/status?fieldManager=envoy-gateway&force=true");
        server.ask(&Ask::apply(path, body)).await
    });
    let answer = answer.expect("an answer");
    assert!(answer.is_success(), "{of:?}: {}", answer.message());
}

fn generation(live: &Json) -> i64 {
    live["metadata"]["generation"].as_i64().unwrap_or_default()
}

#[test]
fn what_controllers_wrote_stands_beside_what_is_computed() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let (project, _) = applied(&cluster);

    // No controller has processed the objects yet.
    let fresh = status(&project, &cluster, &[]).success();
    fresh
        .says("  pending  ")
        .says("  unwritten  ")
        .says(" only computed\n")
        .never_says("agree");

    // The controller writes what was computed.
    let report = json(&status(&project, &cluster, &["--format", "json"]));
    assert_eq!(report["cluster"]["complete"], true);
    assert_eq!(report["cluster"]["read"], report["cluster"]["objects"]);
    let objects = by_object(&report);
    assert!(objects.len() > 8, "{:?}", objects.keys());
    let wanted: BTreeMap<Name, Json> = report["addresses"]
        .as_array()
        .expect("addresses")
        .iter()
        .map(|it| (name(it), it["wanted"].clone()))
        .collect();
    assert!(!wanted.is_empty());
    let addresses = |of: &Name| {
        let all = wanted
            .get(of)
            .and_then(Json::as_array)
            .into_iter()
            .flatten();
        let all = all.map(|it| json!({"type": "IPAddress", "value": it}));
        all.collect::<Vec<_>>()
    };
    for (of, conditions) in &objects {
        write(&cluster, of, |live| {
            let mut status = written(conditions, generation(live));
            if of.0 == "Gateway" {
                status["addresses"] = addresses(of).into();
            }
            status
        });
    }
    let well = status(&project, &cluster, &[]).success();
    well.says(" agree\n")
        .never_says("differ")
        .never_says("unwritten")
        .never_says("pending");
    // Without a cluster, the result is the same as before.
    project.run(["status"]).success().never_says("live");

    // The controller changes its result for a route. Conditions of other controllers don't matter.
    let route = objects.keys().find(|it| it.0 == "HTTPRoute").expect("one");
    write(&cluster, route, |live| {
        let mut status = written(&objects[route], generation(live));
        let first = &mut status["parents"][0]["conditions"][0];
        first["status"] = "False".into();
        first["reason"] = "NotAllowedByListeners".into();
        let mut others = status["parents"][0].clone();
        others["controllerName"] = "example.com/controller".into();
        others["conditions"][0]["reason"] = "Elsewhere".into();
        status["parents"]
            .as_array_mut()
            .expect("parents")
            .push(others);
        status
    });
    let gateway = wanted.keys().next().expect("one");
    write(&cluster, gateway, |live| {
        let mut status = written(&objects[gateway], generation(live));
        status["addresses"] = json!([{"type": "IPAddress", "value": "10.10.30.99"}]);
        status
    });
    let found = status(&project, &cluster, &[]).code(1);
    let found = found
        .says("False NotAllowedByListeners")
        .says("the controller's words")
        .says("2 differ, ")
        .never_says("Elsewhere");
    let first: Vec<&str> = found.stdout.lines().skip(1).take(2).collect();
    assert!(first[0].contains("10.10.30.99"), "{found}");
    assert!(first[1].contains("NotAllowedByListeners"), "{found}");
    let report = json(&status(&project, &cluster, &["--format", "json"]).code(1));
    let all = report["conditions"].as_array().expect("conditions");
    assert_eq!(all[0]["agrees"], false);
    assert_eq!(all[0]["live"]["reason"], "NotAllowedByListeners");

    // The route changes, but the controller has not processed that yet.
    apply_text(
        &cluster,
        &format!(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: {}, namespace: {}}}\nspec: {{hostnames: [edited.example.com]}}\n",
            route.2, route.1
        ),
        "kubectl-edit",
    );
    status(&project, &cluster, &[])
        .code(1)
        .says("stale: False NotAllowedByListeners")
        .says("1 differ, ");
}
