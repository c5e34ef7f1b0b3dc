//! Routes that match exactly the same requests as another one.

use super::cluster::{ClusterAttachments, is_known, spec};
use envoy_gateway::Route;
use manifest::diagnostic::Diagnostic;
use manifest::finding;

manifest::code! {
    "attachment"/"same-match", Warning, "Two routes that match exactly the same requests.",
    r#"
Two routes have the same hostname, path and other conditions at one listener. Envoy Gateway sends such requests to the
older of the two, or to the first by namespace and name if both were created at once. The other route gets none of them,
and after the cluster is built anew the order may be another one.

## Wrong

```yaml
kind: HTTPRoute
metadata: {name: app}
spec: {hostnames: [app.example.com], rules: [{backendRefs: [{name: app, port: 80}]}]}
---
kind: HTTPRoute
metadata: {name: app-api}
spec: {hostnames: [app.example.com], rules: [{backendRefs: [{name: api, port: 80}]}]}
```

## Right

```yaml
kind: HTTPRoute
metadata: {name: app-api}
spec:
  hostnames: [app.example.com]
  rules: [{matches: [{path: {type: PathPrefix, value: /api}}], backendRefs: [{name: api, port: 80}]}]
```
"#
}

impl ClusterAttachments<'_, '_> {
    /// Reports a route whose requests may go to another one: the later one by name, so that each pair is told once.
    pub(super) fn same_match(&self, route: &Route<'_>) -> Option<Diagnostic> {
        let firsts = route.parents.iter().filter_map(|it| it.same_match);
        let firsts = firsts.filter_map(|id| self.resolved.route(id));
        let order = |it: &Route<'_>| {
            (
                it.kind,
                it.key().namespace.to_owned(),
                it.key().name.to_owned(),
            )
        };
        let first = firsts.min_by_key(|it| order(it))?;
        let is_sure = |it: &Route<'_>| {
            is_known(it.key().name)
                && is_known(it.key().namespace)
                && it.hostnames.iter().all(|name| is_known(name))
                && !self.is_open(it.object)
        };
        if order(first) >= order(route) || !is_sure(route) || !is_sure(first) {
            return None;
        }
        let (kind, key) = (first.kind.as_str(), first.key());
        let message = format!("{kind} {key} matches exactly the same requests");
        let place = spec().key("hostnames");
        Some(
            finding(CODE, route.object, &place, message)
                .why("the older route gets them, or the first by name if both are created at once; the other one gets none")
                .help("give one of them another hostname or path, or write both rules into one route")
                .related(first.object.span(&place), "the other route"),
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, graded, route};

    #[test]
    fn two_routes_for_the_same_requests_are_told_once() {
        let with = |path: &str| {
            let rules =
                "hostnames: [app.example.com], rules: [{backendRefs: [{name: app, port: 80}]}]";
            let rules = rules.replace(", rules", "\n  rules");
            let first = route("sectionName: https", &rules);
            let matches =
                format!("rules: [{{matches: [{{path: {{type: PathPrefix, value: {path}}}}}], ");
            let second = first.replace("name: app, namespace: apps", "name: b, namespace: apps");
            let second = second.replace("rules: [{", &matches);
            let found = graded(&format!("{GATEWAY}{first}{second}"));
            found
                .into_iter()
                .filter(|it| it.contains("same-match"))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            with("/"),
            [
                "warning attachment/same-match HTTPRoute /spec/hostnames: HTTPRoute apps/app matches exactly the same requests"
            ]
        );
        assert_eq!(with("/api"), [""; 0]);
    }

    #[test]
    fn variables_may_have_different_values_in_each_route() {
        let rules =
            "hostnames: ['${HOST}.example.com']\n  rules: [{backendRefs: [{name: app, port: 80}]}]";
        let first = route("sectionName: https", rules);
        let second = first.replace("name: app, namespace: apps", "name: b, namespace: apps");
        let found = graded(&format!("{GATEWAY}{first}{second}"));
        assert!(
            !found.iter().any(|it| it.contains("same-match")),
            "{found:?}"
        );
    }
}
