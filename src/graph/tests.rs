//! Tests of the whole module.

use super::model::LinkState;
use super::{Picture, block::Block, dot, html, layout, mermaid, picture, svg};
use envoy_gateway::exposure::{Side, with_charted};
use envoy_gateway::{Settings, resolve};
use manifest::diagnostic::Sources;
use manifest::{Object, read};

fn drawn(text: &str) -> Picture {
    let mut sources = Sources::default();
    let id = sources.add("a.yaml", text);
    let (documents, problems) = read(&sources, id);
    assert_eq!(problems, []);
    let object = |node| Object::new(node, "a.yaml");
    let objects = with_charted(documents.into_iter().map(|it| object(it.node)).collect());
    picture(&resolve(&objects, &Settings::default()))
}

const TREE: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: internal, namespace: network}
spec:
  gatewayClassName: envoy
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: external, namespace: network}
spec:
  gatewayClassName: envoy
  infrastructure: {annotations: {lbipam.cilium.io/ips: 10.10.30.26}}
  listeners:
    - {name: http, port: 80, protocol: HTTP}
    - name: teams
      port: 8080
      protocol: HTTP
      allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {team: blue}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: network}
spec:
  parentRefs: [{name: external, sectionName: http}]
  hostnames: [shop.example.com]
  rules: [{backendRefs: [{name: shop, port: 80, weight: 3}, {name: next, port: 80, weight: 1}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: refused, namespace: other}
spec:
  parentRefs: [{name: external, namespace: network, sectionName: http}]
  hostnames: [other.example.com]
  rules: [{backendRefs: [{name: other, port: 80}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: perhaps, namespace: blue}
spec:
  parentRefs: [{name: external, namespace: network, sectionName: teams}]
  rules: [{filters: [{type: RequestRedirect, requestRedirect: {scheme: https, statusCode: 301}}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: elsewhere, namespace: blue}
spec:
  parentRefs: [{name: other, namespace: away}]
  hostnames: [elsewhere.example.com]
  rules: [{backendRefs: [{name: shop, namespace: network, port: 8080}]}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: guard, namespace: network}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: external, sectionName: teams}]
  basicAuth: {users: {name: users}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: nothing, namespace: network}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: missing}]
  retry: {numRetries: 3}
";

#[test]
fn a_picture_has_existing_and_missing_objects() {
    let picture = drawn(TREE);
    let gateways: Vec<(String, Side, bool)> = picture
        .gateways
        .iter()
        .map(|it| (it.name.path(), it.side, it.is_foreign))
        .collect();
    assert_eq!(
        gateways,
        [
            ("network/external".to_owned(), Side::External, false),
            ("network/internal".to_owned(), Side::Internal, false),
            ("away/other".to_owned(), Side::Unknown, true),
        ]
    );
    let routes: Vec<(&str, Vec<LinkState>, Option<&str>)> = picture
        .routes
        .iter()
        .map(|it| {
            let holds = it.links.iter().map(|link| link.state).collect();
            (it.name.name.as_str(), holds, it.redirect.as_deref())
        })
        .collect();
    assert_eq!(
        routes,
        [
            ("refused", vec![LinkState::Refused], None),
            ("shop", vec![LinkState::Attached], None),
            ("perhaps", vec![LinkState::Unknown], Some("301 https")),
            ("elsewhere", vec![LinkState::Unknown], None),
        ]
    );
    let backends: Vec<(String, &[i64])> = picture
        .backends
        .iter()
        .map(|it| (it.name.path(), it.ports.as_slice()))
        .collect();
    assert_eq!(
        backends,
        [
            ("other/other".to_owned(), &[80][..]),
            ("network/shop".to_owned(), &[80, 8080][..]),
            ("network/next".to_owned(), &[80][..]),
        ]
    );
    let shop = &picture.routes[1];
    let parts: Vec<Option<&str>> = shop
        .backends
        .iter()
        .map(|(_, part)| part.as_deref())
        .collect();
    assert_eq!(parts, [Some("75%"), Some("25%")]);
    let policies: Vec<(&str, bool)> = picture
        .policies
        .iter()
        .map(|it| (it.name.name.as_str(), it.is_attached))
        .collect();
    assert_eq!(policies, [("nothing", false), ("guard", true)]);
    assert_eq!(picture.gateways[0].listeners[1].policies, [1]);
    assert_eq!(
        picture.summary(),
        "3 gateways, 3 listeners, 4 routes, 3 backends, 2 policies"
    );
}

#[test]
fn cards_of_a_column_never_overlap() {
    // Many routes at one gateway, few at the other, and backends that several routes share.
    let mut text = TREE.to_owned();
    for at in 0..60 {
        let (gateway, backend) = (["external", "internal"][usize::from(at % 7 == 0)], at % 11);
        text += &format!(
            "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: r{at}, namespace: network}}\nspec:\n  parentRefs: [{{name: {gateway}, sectionName: http}}]\n  hostnames: [a{at}.example.com]\n  rules: [{{backendRefs: [{{name: b{backend}, port: 80}}, {{name: c{at}, port: 80}}]}}]\n"
        );
    }
    let layout = layout::layout(&drawn(&text));
    for column in &layout.columns {
        for pair in column.windows(2) {
            let [one, other]: &[Block; 2] = pair.try_into().expect("two");
            assert!(one.y + one.height < other.y, "{} and {}", one.id, other.id);
        }
    }
    let within = |block: &Block| {
        block.x >= layout::MARGIN
            && block.x + block.width <= layout.width - layout::MARGIN + 0.1
            && block.y >= layout::HEADING
            && block.y + block.height <= layout.height
    };
    assert!(
        layout
            .columns
            .iter()
            .flatten()
            .chain(&layout.loose)
            .all(within)
    );
    let is_between = |edge: &layout::Edge| {
        edge.lane
            .is_none_or(|lane| edge.start.0 + 8.0 <= lane && lane <= edge.end.0 - 8.0)
    };
    assert!(layout.edges.iter().all(is_between));
}

#[test]
fn no_objects_make_an_empty_picture() {
    let picture = Picture::default();
    assert_eq!(mermaid::mermaid(&picture), "flowchart LR\n");
    assert!(dot::dot(&picture).ends_with("}\n"));
    let drawing = svg::svg(&picture);
    roxmltree::Document::parse(&drawing).expect("XML");
    assert!(drawing.contains("0 gateways, 0 listeners"), "{drawing}");
    assert!(html::html(&picture).contains("</html>"));
}

#[test]
fn names_are_escaped_in_every_format() {
    let hostile = "]\\\" --> x; end\\n<script>&\\u202e\\e[31m%%{init}%%";
    let text = format!(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: \"{hostile}\", namespace: n}}\nspec:\n  parentRefs: [{{name: \"{hostile}\"}}]\n  hostnames: [\"{hostile}\"]\n  rules: [{{backendRefs: [{{name: \"{hostile}\", port: 80}}]}}]\n"
    );
    let picture = drawn(&text);
    let texts = [
        mermaid::mermaid(&picture),
        dot::dot(&picture),
        svg::svg(&picture),
        html::html(&picture),
    ];
    for text in &texts {
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    }
    let [flowchart, graph, drawing, page] = texts;
    assert!(
        !flowchart.contains("<script>") && !flowchart.contains("%%"),
        "{flowchart}"
    );
    // Arrows may only be between our own names.
    let arrows = flowchart.lines().filter(|it| it.contains("-->"));
    assert!(
        arrows.clone().count() >= 2 && arrows.clone().all(|it| !it.contains('x')),
        "{flowchart}"
    );
    assert_eq!(graph.matches("\n}").count(), 1, "{graph}");
    let document = roxmltree::Document::parse(&drawing).expect("XML");
    assert!(!document.descendants().any(|it| it.has_tag_name("script")));
    assert_eq!(page.matches("<script>").count(), 1);
}
