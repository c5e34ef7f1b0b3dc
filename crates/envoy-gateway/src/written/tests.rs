//! Live objects, written as YAML, compared with the verdicts on our own.

use super::*;
use crate::{Settings, resolve};
use manifest::diagnostic::Sources;
use manifest::value::Node;
use manifest::{Object, read as read_yaml};

fn objects(text: &str) -> Vec<Object> {
    let mut sources = Sources::default();
    let id = sources.add("a.yaml", text);
    let (documents, problems) = read_yaml(&sources, id);
    assert!(problems.is_empty(), "{problems:?}");
    let object = |node: Node| Object::new(node, "a.yaml");
    documents.into_iter().map(|it| object(it.node)).collect()
}

/// A class, a gateway, a route with one parent that exists and one that doesn't, and a policy for a route that is not
/// given.
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
    - {name: http, port: 80, protocol: HTTP}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: app, namespace: network}
spec:
  parentRefs: [{name: external, sectionName: http}, {name: external, sectionName: https}]
  rules: [{backendRefs: [{name: app, port: 80}]}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: elsewhere, namespace: network}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: elsewhere}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: others, namespace: network}
spec:
  gatewayClassName: cilium
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: grant, namespace: network}
";

/// The rows about `object` if the cluster answers with `live`, as `PLACE TYPE COMPUTED | LIVE | COMPARISON`.
fn compared(object: &str, answer: LiveObject) -> Vec<String> {
    let objects = objects(OURS);
    let resolved = resolve(&objects, &Settings::default());
    let answers: Vec<(&Object, LiveObject)> = asked(&objects, &resolved)
        .into_iter()
        .filter(|it| it.kind() == object)
        .map(|it| (it, answer.clone()))
        .collect();
    let verdicts = resolved.verdicts();
    rows(&verdicts, &answers)
        .iter()
        .filter(|row| row.object.kind() == object)
        .map(|row| {
            let computed = row
                .computed
                .map(|it| format!("{} {}", it.status, it.reason));
            let live = row.live.as_ref();
            let live = live.map(|it| format!("{} {}", it.status, it.reason));
            format!(
                "{} {} {} | {} | {}",
                row.place.which(),
                row.kind,
                computed.unwrap_or_default(),
                live.unwrap_or_default(),
                row.relation.as_str()
            )
        })
        .collect()
}

fn there(text: &str) -> LiveObject {
    LiveObject::There(LiveStatus::of(&objects(text)[0].node))
}

fn route(parents: &str) -> LiveObject {
    there(&format!(
        "kind: HTTPRoute\nmetadata: {{name: app, namespace: network, generation: 3}}\nstatus:\n  parents:\n{parents}"
    ))
}

/// What a controller wrote under the parent `external` of the route.
fn under(section: &str, controller: &str, conditions: &str) -> String {
    format!(
        "    - parentRef: {{group: gateway.networking.k8s.io, kind: Gateway, name: external, sectionName: {section}}}\n      controllerName: {controller}\n      conditions: [{conditions}]\n"
    )
}

const OWN: &str = "gateway.envoyproxy.io/gatewayclass-controller";

#[test]
fn only_objects_of_this_controller_that_carry_a_status_are_asked_for() {
    let objects = objects(OURS);
    let resolved = resolve(&objects, &Settings::default());
    let asked: Vec<String> = asked(&objects, &resolved)
        .iter()
        .map(|it| format!("{} {}", it.kind(), it.name()))
        .collect();
    assert_eq!(
        asked,
        [
            "GatewayClass envoy",
            "Gateway external",
            "HTTPRoute app",
            "SecurityPolicy elsewhere"
        ]
    );
}

#[test]
fn each_computed_condition_is_held_against_the_written_one() {
    let accepted = "{type: Accepted, status: 'True', reason: Accepted, observedGeneration: 3}";
    let refs =
        "{type: ResolvedRefs, status: 'False', reason: BackendNotFound, observedGeneration: 3}";
    let refused = "{type: Accepted, status: 'False', reason: NoMatchingListenerHostname, observedGeneration: 3}";
    let warns = "{type: Warning, status: 'True', reason: Deprecated, observedGeneration: 3}";
    let both = format!("{accepted}, {refs}");
    let differing = format!("{refused}, {warns}");
    let answer = route(&(under("http", OWN, &both) + &under("https", OWN, &differing)));
    assert_eq!(
        compared("HTTPRoute", answer),
        [
            "network/external/http Accepted True Accepted | True Accepted | agrees",
            "network/external/http ResolvedRefs Unknown NotGiven | False BackendNotFound | decided",
            "network/external/https Accepted False NoMatchingParent | False NoMatchingListenerHostname | differs",
            "network/external/https ResolvedRefs Unknown NotGiven |  | unwritten",
            "network/external/https Warning  | True Deprecated | only-live",
        ]
    );
}

#[test]
fn what_another_controller_wrote_is_not_compared() {
    let refused = "{type: Accepted, status: 'False', reason: NotAllowedByListeners}";
    let answer = route(&under("http", "io.cilium/gateway-controller", refused));
    let rows = compared("HTTPRoute", answer);
    assert_eq!(
        rows.first().map(String::as_str),
        Some("network/external/http Accepted True Accepted |  | unwritten")
    );
    assert_eq!(rows.len(), 4, "{rows:?}");
}

#[test]
fn an_envoy_proxys_ancestors_name_no_controller() {
    let proxy = "kind: EnvoyProxy\nstatus: {ancestors: [{ancestorRef: {kind: GatewayClass, name: envoy}, conditions: [{type: Accepted, status: 'True', reason: Accepted}]}]}";
    let written = LiveStatus::of(&objects(proxy)[0].node);
    let places: Vec<String> = written
        .conditions
        .iter()
        .map(|it| it.place.which())
        .collect();
    assert_eq!(places, ["/envoy/"]);
}

#[test]
fn what_the_controller_has_not_come_to_is_no_difference() {
    let old = "{type: Accepted, status: 'False', reason: NoMatchingParent, observedGeneration: 2}";
    let rows = compared("HTTPRoute", route(&under("http", OWN, old)));
    assert_eq!(
        rows.first().map(String::as_str),
        Some("network/external/http Accepted True Accepted | False NoMatchingParent | stale")
    );
    let first = |answer: LiveObject| compared("HTTPRoute", answer).into_iter().next();
    for (answer, word) in [
        (LiveObject::Absent, "absent"),
        (LiveObject::NotAsked("why"), "not-asked"),
        (route("    []"), "unwritten"),
    ] {
        let shown = format!("network/external/http Accepted True Accepted |  | {word}");
        assert_eq!(first(answer), Some(shown));
    }
    // The API server's own default.
    let pending = "kind: GatewayClass\nmetadata: {name: envoy, generation: 1}\nstatus: {conditions: [{type: Accepted, status: Unknown, reason: Pending}]}";
    assert_eq!(
        compared("GatewayClass", there(pending)),
        [" Accepted True Accepted | Unknown Pending | pending"]
    );
}

#[test]
fn what_is_only_written_is_shown_unless_it_is_a_default() {
    let gateway = "
kind: Gateway
metadata: {name: external, namespace: network, generation: 1}
status:
  conditions:
    - {type: Accepted, status: Unknown, reason: Pending}
    - {type: Programmed, status: 'False', reason: AddressNotAssigned, observedGeneration: 1}
  listeners:
    - name: http
      conditions: [{type: Programmed, status: 'False', reason: Invalid, observedGeneration: 1}]
";
    let rows = compared("Gateway", there(gateway));
    assert_eq!(
        rows,
        [
            " Accepted True Accepted | Unknown Pending | pending",
            "http Programmed True Programmed | False Invalid | differs",
            "http Accepted True Accepted |  | unwritten",
            "http ResolvedRefs True ResolvedRefs |  | unwritten",
            " Programmed  | False AddressNotAssigned | only-live",
        ]
    );
    let policy = format!(
        "kind: SecurityPolicy\nmetadata: {{name: elsewhere, namespace: network}}\nstatus:\n  ancestors:\n    - ancestorRef: {{kind: Gateway, name: external, namespace: network}}\n      controllerName: {OWN}\n      conditions: [{{type: Accepted, status: 'True', reason: Accepted}}]\n"
    );
    assert_eq!(
        compared("SecurityPolicy", there(&policy))
            .last()
            .map(String::as_str),
        Some("network/external/ Accepted  | True Accepted | only-live")
    );
}

#[test]
fn a_written_refusal_counts_where_it_is_current() {
    let gateway = objects(
        "kind: Gateway\nmetadata: {name: a}\nstatus: {conditions: [{type: Programmed, status: 'False', reason: NoResources}]}",
    );
    let row = |relation| ComparedCondition {
        object: &gateway[0],
        place: LiveSubject::Object,
        kind: "Programmed".to_owned(),
        computed: None,
        live: LiveStatus::of(&gateway[0].node).conditions.pop(),
        relation,
    };
    assert!(row(Relation::OnlyLive).is_bad_there());
    assert!(row(Relation::Decided).is_bad_there());
    assert!(!row(Relation::OnlyComputed(NoLiveCondition::Stale)).is_bad_there());
}

#[test]
fn a_gateway_must_have_the_addresses_that_it_asks_for() {
    let table: &[(&str, &str, &str)] = &[
        ("[{value: 10.10.30.26}]", "[{value: 10.10.30.26}]", "agrees"),
        (
            "[{value: 10.10.30.26}]",
            "[{value: 10.10.30.27}]",
            "differs",
        ),
        (
            "[{value: 10.10.30.26}]",
            "[{value: 10.10.30.26}, {value: 'fd00::1'}]",
            "agrees",
        ),
        ("[{value: 'fd00:0::1'}]", "[{value: 'fd00::1'}]", "agrees"),
        (
            "[{value: LB.example.com}]",
            "[{value: lb.example.com}]",
            "agrees",
        ),
        ("[{value: 10.10.30.26}]", "[]", "unwritten"),
        ("[]", "[{value: 10.10.30.26}]", "only-live"),
        ("[{value: '${IP}'}]", "[{value: 10.10.30.26}]", "decided"),
        ("[{value: 0.0.0.0}]", "[{value: 10.10.30.26}]", "decided"),
        ("[]", "[]", ""),
    ];
    for (wanted, live, word) in table {
        let ours = objects(&OURS.replace("[{value: 10.10.30.26}]", wanted));
        let resolved = resolve(&ours, &Settings::default());
        let live = there(&format!(
            "kind: Gateway\nmetadata: {{name: external, namespace: network}}\nstatus: {{addresses: {live}}}"
        ));
        let gateway = ours.iter().find(|it| it.kind() == "Gateway").expect("one");
        let found = addresses(&resolved, &[(gateway, live.clone())]);
        let words: Vec<&str> = found.iter().map(|it| it.relation.as_str()).collect();
        let expected: Vec<&str> = [*word].into_iter().filter(|it| !it.is_empty()).collect();
        assert_eq!(words, expected, "{wanted} {live:?}");
    }
    let ours = objects(OURS);
    let resolved = resolve(&ours, &Settings::default());
    assert_eq!(
        addresses(&resolved, &[])[0].relation,
        Relation::OnlyComputed(NoLiveCondition::NotAsked)
    );
}

#[test]
fn a_status_of_any_shape_is_read() {
    for text in [
        "kind: A",
        "status: text",
        "status: {conditions: {a: b}, parents: [text, {parentRef: 3, controllerName: gateway.envoyproxy.io/a}]}",
        "status: {conditions: [{status: 'True'}, 3], listeners: [3], addresses: [3, {value: 4}]}",
    ] {
        let written = LiveStatus::of(&objects(text)[0].node);
        assert_eq!(written.conditions, [], "{text}");
        assert!(written.addresses.is_empty(), "{text}");
    }
}
