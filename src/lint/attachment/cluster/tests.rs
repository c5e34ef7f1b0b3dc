use super::*;
use crate::lint::attachment::support::{GATEWAY, graded, route, said};
use crate::lint::support;

#[test]
fn what_is_not_at_hand_is_not_told() {
    let rules = "rules: [{backendRefs: [{name: app, port: 80}]}]";
    let text = GATEWAY.to_owned() + &route("sectionName: https", rules);
    assert_eq!(said(&text), [""; 0]);
    let other =
        route("sectionName: nothing", rules).replace("namespace: network", "namespace: other");
    assert_eq!(said(&(GATEWAY.to_owned() + &other)), [""; 0]);
    let open = route("sectionName: https", "hostnames: [\"app.${DOMAIN}\"]");
    assert_eq!(said(&(GATEWAY.to_owned() + &open)), [""; 0]);
}

#[test]
fn parents_in_the_values_of_a_chart_are_told_where_they_stand() {
    let release = |block: &str| {
        let text = format!(
            "---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: app, namespace: apps}}
spec:
  values:
    route:
      app: {block}
"
        );
        graded(&(GATEWAY.to_owned() + &text))
    };
    let parent = "parentRefs: [{name: external, namespace: network, sectionName: https}]";
    for (block, want) in [
        (format!("{{{parent}, hostnames: [app.example.com]}}"), None),
        (
            format!("{{{parent}, hostnames: ['{{{{ .Values.host }}}}']}}"),
            None,
        ),
        (
            format!("{{{parent}, hostnames: ['{{{{ .Release.Name }}}}.example.com']}}"),
            None,
        ),
        (
            format!("{{enabled: false, {}}}", parent.replace("https", "x")),
            None,
        ),
        (
            format!("{{{parent}, hostnames: ['{{{{ .Release.Name }}}}.example.org']}}"),
            Some(
                "error attachment/no-hostname HelmRelease /spec/values/route/app/hostnames: no hostname of the route matches a listener of Gateway network/external (*.example.com)",
            ),
        ),
        (
            format!("{{{}}}", parent.replace("https", "htps")),
            Some(
                "error attachment/no-listener HelmRelease /spec/values/route/app/parentRefs/0/sectionName: Gateway network/external has no listener `htps`",
            ),
        ),
        (
            format!("{{{}}}", parent.replace("external", "extrenal")),
            Some(
                "error attachment/no-gateway HelmRelease /spec/values/route/app/parentRefs/0/name: there is no Gateway network/extrenal",
            ),
        ),
        (
            format!("{{{}}}", parent.replace("https", "http")),
            Some(
                "error attachment/not-allowed HelmRelease /spec/values/route/app/parentRefs/0: Gateway network/external doesn't accept this route: no listener of the parent allows HTTPRoute from namespace `apps`",
            ),
        ),
        (
            format!("{{kind: TCPRoute, {parent}}}"),
            Some(
                "error attachment/not-allowed HelmRelease /spec/values/route/app/parentRefs/0: Gateway network/external doesn't accept this route: no listener of the parent allows TCPRoute from namespace `apps`",
            ),
        ),
    ] {
        let found = release(&block);
        let found: Vec<&str> = found
            .iter()
            .map(String::as_str)
            .filter(|it| !it.contains("no-redirect"))
            .collect();
        assert_eq!(found, want.into_iter().collect::<Vec<_>>(), "{block}");
    }
}

#[test]
fn each_cluster_of_a_repository_is_looked_at_by_itself() {
    let wrong = GATEWAY.to_owned() + &route("sectionName: htp", "rules: []");
    let right =
        GATEWAY.replace("name: https", "name: htp") + &route("sectionName: htp", "rules: []");
    let http = GATEWAY.replace("- {name: http,", "- {name: plain,");
    assert_ne!(http, GATEWAY);
    let tree = [
        ("main/a.yaml", wrong.as_str()),
        ("stage/a.yaml", right.as_str()),
    ];
    let found = support::told(check, "1.9.0", &tree);
    let found: Vec<&String> = found
        .iter()
        .filter(|it| it.contains("no-listener"))
        .collect();
    assert_eq!(
        found,
        [
            "error attachment/no-listener /spec/parentRefs/0/sectionName: Gateway network/external has no listener `htp`"
        ]
    );
    // An object that both clusters share is only reported if it is wrong in both.
    let shared = route("sectionName: htp", "rules: []");
    let plain = GATEWAY.replace("name: https", "name: htp");
    let tree = [
        ("main/a.yaml", GATEWAY),
        ("stage/a.yaml", plain.as_str()),
        ("base/a.yaml", shared.as_str()),
    ];
    let found = support::told(check, "1.9.0", &tree);
    assert!(
        found.iter().all(|it| !it.contains("no-listener")),
        "{found:?}"
    );
}

#[test]
fn what_a_patch_changes_or_may_change_is_not_told() {
    let text = GATEWAY.to_owned() + &route("sectionName: htp", "rules: []");
    let with = |resources: &str, patch: &str| {
        let kustomization = format!(
            "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [{resources}]
patches: [{{target: {{kind: Gateway}}, patch: '{patch}'}}]
"
        );
        let tree = [
            ("kustomization.yaml", kustomization.as_str()),
            ("a.yaml", text.as_str()),
        ];
        support::told(check, "1.9.0", &tree)
    };
    let told = |resources: &str, patch: &str| {
        let found = with(resources, patch).into_iter();
        found.filter(|it| it.contains("no-listener")).count()
    };
    let renames = r#"[{"op": "replace", "path": "/spec/listeners/0/name", "value": "htp"}]"#;
    assert_eq!(told("a.yaml", renames), 0);
    let relabels = r#"[{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}]"#;
    assert_eq!(told("a.yaml", relabels), 1);
    // What is fetched from elsewhere may change anything.
    let more = "a.yaml, https://example.com/more.yaml";
    assert_eq!(told(more, relabels), 0);
}
