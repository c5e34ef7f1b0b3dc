//! Misspelt keys in the values of app-template.

use super::app_template::{is_plain, releases};
use crate::lint::LintContext;
use crate::lint::field;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::misspelt;
use manifest::finding_on_key;
use manifest::value::Node;
use manifest::value::pointer::Step;

manifest::code! {
    "reference"/"misspelt-value", Error, "A key in the values of app-template that is nearly one that the chart reads.",
    r#"
The values of app-template (bjw-s' common library) have a key that the chart doesn't read, and that is nearly one that
it does read. Depending on the version, its schema refuses the values, so the release fails, or the setting is left
out: a route without `parentRefs` belongs to no gateway.

## Wrong

```yaml
route: { app: { parentRef: [{ name: envoy-external, namespace: network }] } }
```

## Right

```yaml
route: { app: { parentRefs: [{ name: envoy-external, namespace: network }] } }
```
"#
}

/// The keys of maps in the values, and what they can be (app-template 2 to 5).
const KEYS: &[(&str, &str)] = &[
    (
        "spec.values.*",
        "controllers service ingress route persistence configMaps configMapsFromFolder secrets serviceMonitor podMonitor \
         serviceAccount networkpolicies networkPolicies defaultPodOptions defaultPodOptionsStrategy global rawResources rbac",
    ),
    (
        "spec.values.route.*.*",
        "enabled kind annotations labels parentRefs hostnames rules forceRename prefix suffix nameOverride namespaceOverride",
    ),
    (
        "spec.values.route.*.rules[].*",
        "name backendRefs matches filters timeouts sessionPersistence retry",
    ),
    (
        "spec.values.route.*.parentRefs[].*",
        "group kind namespace name identifier sectionName port",
    ),
    (
        "spec.values.route.*.rules[].backendRefs[].*",
        "group kind namespace name identifier port weight filters",
    ),
    (
        "spec.values.service.*.*",
        "enabled controller type ports primary annotations labels clusterIP externalIPs externalTrafficPolicy \
         internalTrafficPolicy ipFamilies ipFamilyPolicy loadBalancerIP loadBalancerClass loadBalancerSourceRanges \
         allocateLoadBalancerNodePorts publishNotReadyAddresses sessionAffinity sessionAffinityConfig extraSelectorLabels \
         forceRename prefix suffix nameOverride externalName selector trafficDistribution healthCheckNodePort",
    ),
    (
        "spec.values.service.*.ports.*.*",
        "enabled primary port portRange protocol targetPort nodePort appProtocol",
    ),
    (
        "spec.values.controllers.*.*",
        "enabled type annotations labels replicas strategy rollingUpdate revisionHistoryLimit cronjob job statefulset daemonset \
         deployment containers initContainers pod defaultContainerOptions defaultContainerOptionsStrategy serviceAccount \
         applyDefaultContainerOptionsToInitContainers forceRename prefix suffix nameOverride",
    ),
];

/// Reports misspelt keys.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for release in releases(context) {
        for (path, keys) in KEYS {
            let keys: Vec<&str> = keys.split_whitespace().collect();
            for place in field::find(&release.object.node, path) {
                let Some(Step::Key(key)) = place.steps().last() else {
                    continue;
                };
                let key = key.as_str();
                if keys.contains(&key) || !is_plain(key) {
                    continue;
                }
                let Some(meant) = misspelt(key, keys.iter().copied()) else {
                    continue;
                };
                // Both keys may be there: an entry with a name of its own is no slip then.
                let parent = place.parent();
                let holder = parent.and_then(|parent| release.object.node.at(&parent));
                if holder
                    .and_then(Node::as_map)
                    .is_some_and(|map| map.contains_key(meant))
                {
                    continue;
                }
                let message = format!("the chart doesn't read `{key}`");
                let one = finding_on_key(CODE, release.object, &place, message)
                    .why("the release fails, or the setting has no effect")
                    .help(format!("write `{meant}`"));
                if !found.contains(&one) {
                    found.push(one);
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn keys_that_are_nearly_right_are_told() {
        let with = |route: &str| {
            let text = format!(
                "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: web, namespace: apps}}
spec:
  chart: {{spec: {{chart: app-template}}}}
  values:
    controllers: {{web: {{}}}}
    route: {{web: {{{route}}}}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(
            with("hostnames: [a.example.com], parentRefs: [{name: edge, sectionName: https}]"),
            [""; 0]
        );
        assert_eq!(
            with("hostname: [a.example.com], parentRefs: [{name: edge, sectionname: https}]"),
            [
                "error reference/misspelt-value /spec/values/route/web/hostname: the chart doesn't read `hostname`",
                "error reference/misspelt-value /spec/values/route/web/parentRefs/0/sectionname: the chart doesn't read `sectionname`"
            ]
        );
        assert_eq!(with("other: [a.example.com]"), [""; 0]);
    }
}
