//! Both sides of a small cluster, printed.

use super::*;
use crate::cli::status::tests::objects;
use envoy_gateway::Settings;
use envoy_gateway::written::LiveStatus;

/// A gateway, and routes that are attached, refused, unknown here, and not in the cluster.
const OURS: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: external, namespace: network}
spec:
  gatewayClassName: envoy
  addresses: [{value: 10.10.30.26}]
  listeners:
    - {name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: app, namespace: apps}
spec:
  parentRefs: [{name: external, namespace: network, sectionName: http}]
  rules: [{backendRefs: [{name: app, port: 80}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: lost, namespace: apps}
spec:
  parentRefs: [{name: external, namespace: network, sectionName: https}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: unread, namespace: apps}
spec:
  parentRefs: [{name: external, namespace: network, sectionName: http}]
";

const THEIRS: &str = "
kind: GatewayClass
metadata: {name: envoy, generation: 1}
status: {conditions: [{type: Accepted, status: 'True', reason: Accepted, message: Valid GatewayClass, observedGeneration: 1}]}
---
kind: Gateway
metadata: {name: external, namespace: network, generation: 2}
status:
  addresses: [{value: 10.10.30.27}]
  conditions: [{type: Programmed, status: 'False', reason: NoResources, message: 'no pod is ready', observedGeneration: 2}]
  listeners:
    - name: http
      conditions:
        - {type: Programmed, status: 'False', reason: Invalid, message: \"a\\nb\", observedGeneration: 2}
        - {type: Accepted, status: 'False', reason: PortUnavailable, observedGeneration: 1}
---
kind: HTTPRoute
metadata: {name: app, namespace: apps, generation: 1}
status:
  parents:
    - parentRef: {name: external, namespace: network, sectionName: http}
      controllerName: gateway.envoyproxy.io/gatewayclass-controller
      conditions:
        - {type: Accepted, status: 'True', reason: Accepted, observedGeneration: 1}
        - {type: ResolvedRefs, status: 'True', reason: ResolvedRefs, message: all is there, observedGeneration: 1}
";

fn compared(objects: &[Object], failures: &[&str], show: impl FnOnce(&Compared<'_, '_>)) {
    let theirs = crate::cli::status::tests::objects(THEIRS);
    let resolved = resolve(objects, &Settings::default());
    let answer = |object: &Object| {
        let is_it = |it: &&Object| it.kind() == object.kind() && it.name() == object.name();
        match (theirs.iter().find(is_it), object.name()) {
            (Some(live), _) => LiveObject::There(LiveStatus::of(&live.node)),
            (None, "unread") => LiveObject::NotAsked("no answer"),
            (None, _) => LiveObject::Absent,
        }
    };
    let asked = asked(objects, &resolved);
    let answers: Vec<(&Object, LiveObject)> = asked.iter().map(|it| (*it, answer(it))).collect();
    let verdicts = resolved.verdicts();
    let mut compared = Compared {
        rows: rows(&verdicts, &answers),
        addresses: addresses(&resolved, &answers),
        objects: answers.len(),
        read: answers.iter().filter(|it| is_read(it)).count(),
        from: Written {
            answers: Vec::new(),
            server: "https://10.10.30.1:6443".to_owned(),
            context: "home".to_owned(),
            notes: vec!["a note".to_owned()],
            failures: failures.iter().map(|it| (*it).to_owned()).collect(),
        },
    };
    compared.sort();
    show(&compared);
}

#[test]
fn the_table_begins_with_differences_and_then_has_what_is_refused() {
    let objects = objects(OURS);
    compared(&objects, &["no permission"], |compared| {
        insta::with_settings!({
            snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"),
            omit_expression => true,
        }, { insta::assert_snapshot!(compared.text(false, false)) });
        let quiet = compared.text(true, false);
        assert_eq!(quiet.lines().count(), 6, "{quiet}");
        assert!(
            quiet.contains("incomplete: only 4 of 5 objects were read from"),
            "{quiet}"
        );
        let coloured = compared.text(true, true);
        assert!(
            coloured.contains("\u{1b}[35m10.10.30.27\u{1b}[0m"),
            "{coloured}"
        );
    });
}

#[test]
fn the_json_has_both_sides_of_each_condition() {
    let objects = objects(OURS);
    compared(&objects, &[], |compared| {
        let json = compared.json();
        let row = |name: &str, kind: &str| {
            let all = json["conditions"].as_array().expect("conditions").iter();
            let mut found = all.filter(|it| it["name"] == name && it["type"] == kind);
            found.next().cloned().expect("a condition")
        };
        let differs = row("external", "Programmed");
        assert_eq!(differs["agrees"], false);
        assert_eq!(differs["status"], "True");
        assert_eq!(differs["live"]["status"], "False");
        assert_eq!(differs["live"]["observedGeneration"], 2);
        assert_eq!(row("app", "Accepted")["agrees"], true);
        let decided = row("app", "ResolvedRefs");
        assert_eq!(decided["comparison"], "decided");
        assert_eq!(decided["agrees"], Json::Null);
        let absent = row("lost", "Accepted");
        assert_eq!(absent["comparison"], "absent");
        assert_eq!(absent["live"], Json::Null);
        assert_eq!(json["addresses"][0]["wanted"][0], "10.10.30.26");
        assert_eq!(json["addresses"][0]["agrees"], false);
        assert_eq!(json["cluster"]["complete"], true);
        assert_eq!(json["cluster"]["read"], 4);
    });
}
