use super::*;
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
