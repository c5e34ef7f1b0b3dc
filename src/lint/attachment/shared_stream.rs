//! TCP and UDP listeners to which several routes are attached.

use std::collections::BTreeMap;

use super::cluster::{ClusterAttachments, is_known, list, spec};
use envoy_gateway::{Listener, Route, RouteId, RouteKind};
use manifest::diagnostic::Diagnostic;
use manifest::value::Pointer;
use manifest::{Object, finding};

manifest::code! {
    "attachment"/"shared-stream", Error, "Two TCPRoutes or UDPRoutes on one listener.",
    r#"
A TCP or UDP connection names no host, so a listener can send its connections to one route only: the oldest one, or the
first by name. The others get none. A route whose `parentRef` has no `sectionName` is attached to all listeners of the
gateway that allow it, not only to the one that was meant.

## Wrong

```yaml
kind: TCPRoute
metadata: {name: git}
spec: {parentRefs: [{name: envoy-external}]}
---
kind: TCPRoute
metadata: {name: mail}
spec: {parentRefs: [{name: envoy-external}]}
```

## Right

```yaml
kind: TCPRoute
metadata: {name: git}
spec: {parentRefs: [{name: envoy-external, sectionName: ssh}]}
---
kind: TCPRoute
metadata: {name: mail}
spec: {parentRefs: [{name: envoy-external, sectionName: smtp}]}
```
"#
}

/// Whether a route has a parent without a section or a port, so that it is attached to all listeners.
fn is_bare(route: &Route<'_>) -> bool {
    let mut parents = route.parents.iter().map(|it| &it.reference);
    parents.any(|it| it.section.is_none() && it.port.is_none())
}

impl<'a> ClusterAttachments<'_, 'a> {
    /// Reports routes on listeners that already have another one, once for each route.
    pub(super) fn shared_streams(&self) -> Vec<(&'a Object, Diagnostic)> {
        let mut losers: BTreeMap<RouteId, (RouteId, Vec<&Listener<'_>>)> = BTreeMap::new();
        for listener in self.resolved.listeners() {
            if !listener.is_ready() || self.is_open(listener.object) {
                continue;
            }
            let routes = listener.routes.iter();
            let routes = routes.filter_map(|id| Some((*id, self.resolved.route(*id)?)));
            let mut streams: Vec<(RouteId, &Route<'_>)> = routes
                .filter(|(_, it)| matches!(it.kind, RouteKind::Tcp | RouteKind::Udp))
                .filter(|(_, it)| !self.is_open(it.object) && is_known(it.object.name()))
                .collect();
            streams.sort_by_key(|(_, it)| it.key());
            if let Some(((first, _), others)) = streams.split_first() {
                for (loser, _) in others {
                    let entry = losers.entry(*loser).or_insert((*first, Vec::new()));
                    entry.1.push(listener);
                }
            }
        }
        let found = losers
            .into_iter()
            .filter_map(|(loser, (first, listeners))| {
                let (loser, first) = (self.resolved.route(loser)?, self.resolved.route(first)?);
                // The route that is on more listeners than was meant has the mistake.
                let (loser, first) = match is_bare(first) && !is_bare(loser) {
                    true => (first, loser),
                    false => (loser, first),
                };
                Some((loser.object, self.shared_stream(loser, first, &listeners)))
            });
        found.collect()
    }

    fn shared_stream(
        &self,
        loser: &Route<'_>,
        first: &Route<'_>,
        listeners: &[&Listener<'_>],
    ) -> Diagnostic {
        let names: Vec<&str> = listeners.iter().map(|it| it.name).collect();
        let kind = loser.kind.as_str();
        let bare = loser
            .parents
            .iter()
            .find(|it| it.reference.section.is_none());
        let parent = bare.or(loser.parents.first()).map_or(0, |it| it.place);
        let place: Pointer = spec().key("parentRefs").index(parent);
        let message = match names.as_slice() {
            [only] => format!(
                "{kind} {} is attached to listener `{only}`, too",
                first.key()
            ),
            all => format!(
                "{kind} {} is attached to the listeners {}, too",
                first.key(),
                list(all)
            ),
        };
        let help = match bare {
            Some(bare) => {
                let own = bare.attachments.iter();
                let own = own.filter_map(|it| self.resolved.listener(it.listener));
                let own: Vec<&str> = own.map(|it| it.name).collect();
                format!(
                    "add `sectionName` with the listener that is meant, one of {}",
                    list(&own)
                )
            }
            None => "give each route a listener with a port of its own".to_owned(),
        };
        finding(CODE, loser.object, &place, message)
        .why("a listener sends its connections to one route: the oldest one, or the first by name; the other gets none")
        .help(help)
        .related(first.object.span(&spec().key("parentRefs")), "the other route")
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::said;

    fn with(section: &str) -> Vec<String> {
        let route = |name: &str, section: &str| {
            format!(
                "---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {{name: {name}, namespace: network}}
spec:
  parentRefs: [{{name: external{section}}}]
  rules: [{{backendRefs: [{{name: {name}, port: 1}}]}}]
"
            )
        };
        said(&format!(
            "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: external, namespace: network}}
spec:
  gatewayClassName: envoy
  listeners: [{{name: ssh, protocol: TCP, port: 22}}, {{name: smtp, protocol: TCP, port: 25}}]
{}{}",
            route("git", ", sectionName: ssh"),
            route("mail", section)
        ))
    }

    #[test]
    fn two_routes_on_one_tcp_listener_are_told() {
        assert_eq!(
            with(""),
            [
                "attachment/shared-stream /spec/parentRefs/0: TCPRoute network/git is attached to listener `ssh`, too (add \
              `sectionName` with the listener that is meant, one of `ssh`, `smtp`)"
            ]
        );
        assert_eq!(with(", sectionName: smtp"), [""; 0]);
    }
}
