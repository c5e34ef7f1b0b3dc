use super::*;
use crate::read::{list, text as text_at};
use manifest::diagnostic::Sources;
use manifest::{read, write};

fn with<T>(spec: &str, look: impl FnOnce(&[HelmRoute<'_>], &Sources) -> T) -> T {
    let text = format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: app, namespace: apps}}
spec:
{spec}"
    );
    let mut sources = Sources::default();
    let id = sources.add("app.yaml", text);
    let (documents, problems) = read::read(&sources, id);
    assert_eq!(problems, []);
    let objects: Vec<Object> = documents
        .into_iter()
        .map(|document| Object::new(document.node, "app.yaml"))
        .collect();
    look(&helm_routes(&objects), &sources)
}

/// Each route as `Kind namespace/name parents hostnames`.
fn told(spec: &str) -> Vec<String> {
    with(spec, |routes, _| {
        let line = |route: &HelmRoute<'_>| {
            let object = &route.object;
            let parents = list(&object.node, &["spec", "parentRefs"]).iter();
            let parents: Vec<&str> = parents.filter_map(|it| text(it, &["name"])).collect();
            let hosts = list(&object.node, &["spec", "hostnames"]).iter();
            let hosts: Vec<&str> = hosts.filter_map(Node::as_str).collect();
            format!(
                "{} {}/{} {} {}",
                object.kind(),
                object.namespace(),
                object.name(),
                parents.join(","),
                hosts.join(",")
            )
        };
        routes.iter().map(line).collect()
    })
}

#[test]
fn routes_of_app_template_are_found_with_the_names_that_it_gives_them() {
    let one = "  values:
    route:
      app:
        hostnames: ['{{ .Release.Name }}.${DOMAIN}', '{{ tpl .Values.x . }}.example.com']
        parentRefs: [{name: external, namespace: network}]
";
    let first = "HTTPRoute apps/app external app.${DOMAIN},${TEMPLATE}.example.com";
    assert_eq!(told(one), [first]);
    let two = format!(
        "{one}      ssh: {{kind: TCPRoute, parentRefs: [{{name: internal}}]}}
      old: {{enabled: false, parentRefs: [{{name: internal}}]}}
"
    );
    assert_eq!(
        told(&two),
        [
            first.replace("apps/app", "apps/app-app"),
            "TCPRoute apps/app-ssh internal ".to_owned()
        ]
    );
}

#[test]
fn routes_of_other_charts_are_found_wherever_they_stand() {
    for (values, want) in [
        (
            "{httpRoute: {parentRefs: [{name: a}], hostnames: [x.example.com]}}",
            &["HTTPRoute apps/app a x.example.com"][..],
        ),
        (
            "{gateway: {grpcRoute: {parentRefs: [{name: a}], hosts: [{host: x.example.com}]}}}",
            &["GRPCRoute apps/app a x.example.com"],
        ),
        (
            "{server: {route: {main: {parentRefs: [{name: a}], host: x.example.com}}}}",
            &["HTTPRoute apps/app a x.example.com"],
        ),
        (
            "{extra: [{kind: TLSRoute, metadata: {namespace: other}, spec: {parentRefs: [{name: a}]}}]}",
            &["TLSRoute other/app a "],
        ),
        (
            "{extra: [{kind: Else, spec: {parentRefs: [{name: a}]}}]}",
            &[],
        ),
        (
            "{gateway: {enabled: false, route: {parentRefs: [{name: a}]}}}",
            &[],
        ),
        ("{route: {parentRefs: [a]}}", &[]),
        ("{route: {parentRefs: []}}", &[]),
        ("{}", &[]),
    ] {
        assert_eq!(told(&format!("  values: {values}\n")), want, "{values}");
    }
}

#[test]
fn a_target_namespace_is_the_routes_and_part_of_the_releases_name() {
    let route = "values: {route: {app: {parentRefs: [{name: a}]}}}";
    let to = format!("  targetNamespace: media\n  {route}\n");
    assert_eq!(told(&to), ["HTTPRoute media/media-app a "]);
    let open = format!("  targetNamespace: ${{X}}\n  releaseName: x\n  {route}\n");
    assert_eq!(told(&open), ["HTTPRoute /x a "]);
    let patched = format!(
        "  postRenderers: [{{kustomize: {{patches: [{{target: {{kind: HTTPRoute}}}}]}}}}]\n  {route}\n"
    );
    assert_eq!(told(&patched), [""; 0]);
}

#[test]
fn backends_that_only_the_chart_knows_are_left_out() {
    let spec = "  values: {route: {app: {parentRefs: [{name: a}], rules: [{backendRefs: [{identifier: app, port: http}, {name: x, port: 80}]}]}}}\n";
    with(spec, |routes, _| {
        let rules = routes[0].object.node.path(&["spec", "rules"]);
        let rules = rules.map(write::document).unwrap_or_default();
        assert!(
            rules.contains("name: x") && !rules.contains("identifier"),
            "{rules}"
        );
    });
}

#[test]
fn places_lead_into_the_release() {
    let spec = "  values:
    route:
      app:
        hosts: [x.example.com]
        parentRefs:
          - name: external
";
    with(spec, |routes, sources| {
        let route = &routes[0];
        let name = Pointer::parse("/spec/parentRefs/0/name").expect("a pointer");
        let place = route.place(&name);
        assert_eq!(
            place.to_string(),
            "/spec/values/route/app/parentRefs/0/name"
        );
        let hosts = Pointer::root().key("spec").key("hostnames").index(0);
        assert_eq!(
            route.place(&hosts).to_string(),
            "/spec/values/route/app/hosts/0"
        );
        for (object, pointer) in [(&route.object, &name), (route.release, &place)] {
            let span = object.span(pointer).expect("a place");
            assert_eq!(sources.locate(span).line, 10, "{pointer}");
        }
    });
}

/// A release of app-template whose values are `values`.
fn app_template(values: &str) -> String {
    let source = "  chart: {spec: {chart: app-template, version: 5.1.0}}\n";
    let values: String = values.lines().map(|line| format!("    {line}\n")).collect();
    format!("{source}  values:\n{values}")
}

/// The backends of each rule as `name:port`, `?` after a rule that is not wholly known.
fn backends(spec: &str) -> Vec<String> {
    with(spec, |routes, _| {
        let line = |route: &HelmRoute<'_>| {
            let rules = list(&route.object.node, &["spec", "rules"]).iter();
            let rules = rules.enumerate().map(|(at, rule)| {
                let backends = list(rule, &["backendRefs"]).iter().map(|it| {
                    let name = text(it, &["name"]).unwrap_or_default();
                    let port = it.get("port").and_then(Node::as_i64).unwrap_or_default();
                    format!("{name}:{port}")
                });
                let mark = ["", "?"][usize::from(route.unknown.backends.contains(&at))];
                backends.collect::<Vec<_>>().join("+") + mark
            });
            let rules: Vec<String> = rules.collect();
            let mark = ["", " ?"][usize::from(route.unknown.rules)];
            format!("{} {}{mark}", route.object.name(), rules.join(" "))
        };
        routes.iter().map(line).collect()
    })
}

#[test]
fn app_template_names_its_services_and_their_ports() {
    let parents = "parentRefs: [{name: a}]";
    for (values, want) in [
        // The only Service and its primary port are the default, with and without a rule.
        (
            format!(
                "service: {{app: {{ports: {{http: {{port: 80}}}}}}}}\nroute: {{app: {{{parents}}}}}"
            ),
            "app app:80",
        ),
        (
            format!(
                "service: {{app: {{ports: {{a: {{port: 1}}, http: {{port: 80, primary: true}}}}}}}}\nroute: {{app: {{{parents}, rules: [{{backendRefs: [{{}}]}}]}}}}"
            ),
            "app app:80",
        ),
        // Two Services have their identifiers as suffixes, and ports have names.
        (
            format!(
                "service: {{web: {{ports: {{http: {{port: 80}}}}}}, api: {{ports: {{rest: {{port: 8080}}}}}}}}\nroute: {{app: {{{parents}, rules: [{{backendRefs: [{{identifier: api, port: rest}}, {{identifier: web, port: 81}}]}}]}}}}"
            ),
            "app app-api:8080+app-web:81",
        ),
        (
            format!(
                "service: {{web: {{enabled: false}}, api: {{ports: {{rest: {{port: 8080}}}}}}}}\nroute: {{app: {{{parents}}}}}"
            ),
            "app app:8080",
        ),
        // Names can be changed for all resources, and for one.
        (
            format!(
                "global: {{fullnameOverride: shop}}\nservice: {{app: {{suffix: web, ports: {{http: {{port: 80}}}}}}}}\nroute: {{app: {{{parents}, suffix: route}}}}"
            ),
            "shop-route shop-web:80",
        ),
        (
            format!(
                "global: {{nameOverride: shop, alwaysAppendIdentifierToResourceName: true}}\nservice: {{web: {{ports: {{http: {{port: 80}}}}}}}}\nroute: {{main: {{{parents}}}}}"
            ),
            "app-shop-main app-shop-web:80",
        ),
        (
            format!(
                "service: {{web: {{forceRename: '{{{{ .Release.Name }}}}-x', ports: {{http: {{port: 80}}}}}}}}\nroute: {{app: {{{parents}}}}}"
            ),
            "app app-x:80",
        ),
        (
            format!(
                "route: {{app: {{{parents}, rules: [{{backendRefs: [{{name: '{{{{ .Release.Name }}}}-s', port: 9}}]}}]}}}}"
            ),
            "app app-s:9",
        ),
        // What the values don't say is not known.
        (
            format!("service: {{app: {{}}, api: {{}}}}\nroute: {{app: {{{parents}}}}}"),
            "app ${TEMPLATE}:0? ?",
        ),
        (
            format!(
                "service: {{app: {{ports: {{http: {{port: 80}}}}}}, api: {{}}}}\nroute: {{app: {{{parents}, rules: [{{backendRefs: [{{identifier: app, port: 80}}]}}]}}}}"
            ),
            "app ${TEMPLATE}:80?",
        ),
        (
            format!(
                "service: {{app: {{}}}}\nroute: {{app: {{{parents}, rules: [{{backendRefs: [{{identifier: other, port: 80}}]}}]}}}}"
            ),
            "app ${TEMPLATE}:80?",
        ),
        (
            format!(
                "service: {{app: {{}}}}\nroute: {{app: {{{parents}, rules: [{{matches: []}}]}}}}"
            ),
            "app ?",
        ),
        (
            format!(
                "route: {{app: {{{parents}, rules: [{{filters: [{{type: RequestRedirect}}]}}]}}}}"
            ),
            "app ",
        ),
    ] {
        assert_eq!(backends(&app_template(&values)), [want], "{values}");
    }
}

#[test]
fn app_template_names_two_routes_by_their_identifiers() {
    let values = "route:
  web: {parentRefs: [{name: a}], hostnames: ['{{ .Values.domain }}'], rules: [{backendRefs: []}]}
  ssh: {kind: TCPRoute, parentRefs: [{name: b}], hostnames: [x], rules: [{backendRefs: [{name: s, port: 22}]}]}
  old: {enabled: false, parentRefs: [{name: b}]}
  app: {parentRefs: [{identifier: own}], namespaceOverride: other}
domain: example.com";
    assert_eq!(
        told(&app_template(values)),
        [
            "HTTPRoute apps/app-web a example.com",
            "TCPRoute apps/app-ssh b ",
            "HTTPRoute other/app ${TEMPLATE} ",
        ]
    );
    // Older versions made other names.
    let old = app_template(values).replace("5.1.0", "3.7.3");
    assert!(told(&old).contains(&"HTTPRoute apps/app-web a example.com".to_owned()));
    with(&old, |routes, _| {
        assert!(routes.iter().any(|it| it.unknown.backends.contains(&0)))
    });
}

#[test]
fn backends_of_app_template_stand_where_their_identifiers_do() {
    let values = "controllers: {}
service: {api: {ports: {rest: {port: 8080}}}}
route:
  app:
    parentRefs: [{name: a}]
    rules:
      - backendRefs:
          - identifier: api";
    let spec = app_template(values).replace(
        "  chart: {spec: {chart: app-template, version: 5.1.0}}\n",
        "",
    );
    with(&spec, |routes, sources| {
        let route = &routes[0];
        let name = Pointer::parse("/spec/rules/0/backendRefs/0/name").expect("a pointer");
        let place = route.place(&name);
        assert_eq!(
            place.to_string(),
            "/spec/values/route/app/rules/0/backendRefs/0/identifier"
        );
        for (object, pointer) in [(&route.object, &name), (route.release, &place)] {
            let span = object.span(pointer).expect("a place");
            assert_eq!(sources.locate(span).line, 13, "{pointer}");
        }
    });
}

#[test]
fn the_services_of_app_template_are_objects_unless_they_are_given() {
    let values = "route: {}
service:
  web: {ports: {http: {port: 80, targetPort: 3000, protocol: HTTPS}, dns: {port: 53, protocol: UDP}}}
  rtp: {ports: {rtp: {portRange: {start: 10, end: 12}}}}
  bad: {ports: {http: {port: '${PORT}'}}}";
    let spec = app_template(values);
    let text = format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: app, namespace: apps}}\nspec:\n{spec}"
    );
    let given = "---\napiVersion: v1\nkind: Service\nmetadata: {name: app-rtp, namespace: apps}\n";
    for (text, want) in [(text.clone(), 2), (text + given, 1)] {
        let mut sources = Sources::default();
        let id = sources.add("app.yaml", text);
        let (documents, _) = read::read(&sources, id);
        let objects: Vec<Object> = documents
            .into_iter()
            .map(|document| Object::new(document.node, "app.yaml"))
            .collect();
        let charted = charted(&objects, &ReleaseValues::default());
        let services = &charted.services;
        assert_eq!(services.len(), want);
        assert_eq!(services[0].name(), "app-web");
        let ports = list(&services[0].node, &["spec", "ports"]).len();
        assert_eq!(ports, 2);
        let selector = ["spec", "selector", "app.kubernetes.io/instance"];
        assert_eq!(text_at(&services[0].node, &selector), Some("app"));
    }
}
