//! Routes whose hostnames don't match those of their listeners.

use std::collections::BTreeSet;

use super::cluster::{ClusterAttachments, spec};
use envoy_gateway::hostname::shared;
use envoy_gateway::{Listener, Parent, Route, Target};
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::finding;
use manifest::value::variable;

manifest::code! {
    "attachment"/"no-hostname", Error, "A route whose hostnames don't match those of its listeners.",
    r#"
The route and the listener have no hostname in common, so no request can match both, and the route attaches to
nothing. If only some hostnames have no listener, this is a warning at these. A listener's `*.example.com` matches one
or more labels below `example.com`, but not `example.com` itself.

## Wrong

```yaml
# The listener's hostname is "*.example.com".
hostnames: [app.example.org]
```

## Right

```yaml
hostnames: [app.example.com]
```
"#
}

/// Reports a route whose hostnames match none of its parent's listeners. `name` is the parent's.
pub(super) fn report(
    route: &Route<'_>,
    parent: &Parent<'_>,
    name: &str,
    listeners: &[&Listener<'_>],
) -> Diagnostic {
    let section = parent.reference.section;
    let named = listeners
        .iter()
        .filter(|it| section.is_none_or(|section| section == it.name));
    let hosts: BTreeSet<&str> = named.filter_map(|it| it.hostname).collect();
    let hosts: Vec<&str> = hosts.into_iter().collect();
    let message = format!(
        "no hostname of the route matches a listener of {name} ({})",
        hosts.join(", ")
    );
    finding(CODE, route.object, &spec().key("hostnames"), message)
        .why("the route is not attached there")
        .help("use a hostname that the listener's hostname covers, or attach the route to another listener")
}

impl ClusterAttachments<'_, '_> {
    /// Reports hostnames that no listener of the route's parents covers, although others are.
    pub(super) fn idle_hostnames(&self, route: &Route<'_>) -> Vec<Diagnostic> {
        let mut listeners: Vec<Option<&str>> = Vec::new();
        for parent in &route.parents {
            // What is not given may cover any hostname.
            if matches!(parent.target, Target::NotGiven | Target::Foreign) {
                return Vec::new();
            }
            let attached = parent.attachments.iter();
            let attached = attached.filter_map(|it| self.resolved.listener(it.listener));
            if attached.clone().any(|it| self.is_open(it.object)) {
                return Vec::new();
            }
            listeners.extend(attached.map(|it| it.hostname));
        }
        let is_unknown = |host: &Option<&str>| host.is_none_or(variable::in_text);
        if listeners.is_empty() || listeners.iter().any(is_unknown) || self.is_open(route.object) {
            return Vec::new();
        }
        let covered = |host: &str| {
            let mut listeners = listeners.iter();
            listeners.any(|listener| !shared(&[host], *listener).hostnames.is_empty())
        };
        let hosts: BTreeSet<&str> = listeners.iter().copied().flatten().collect();
        let hosts: Vec<&str> = hosts.into_iter().collect();
        let names = route.hostnames.iter().enumerate();
        let idle = names.filter(|(_, host)| !variable::in_text(host) && !covered(host));
        idle.map(|(at, host)| {
            let message = format!(
                "no listener of the route covers `{host}` (they cover {})",
                hosts.join(", ")
            );
            finding(CODE, route.object, &spec().key("hostnames").index(at), message)
                .severity(Severity::Warning)
                .why("requests for this hostname don't reach the route; those for its other hostnames do")
                .help("correct the hostname, or attach the route to a listener that covers it, too")
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, route, said};

    #[test]
    fn a_route_without_a_hostname_of_its_listener_is_told() {
        let text =
            GATEWAY.to_owned() + &route("sectionName: https", "hostnames: [app.example.org]");
        assert_eq!(
            said(&text),
            [
                "attachment/no-hostname /spec/hostnames: no hostname of the route matches a listener of Gateway network/external (*.example.com) (use a hostname that the listener's hostname covers, or attach the route to another listener)"
            ]
        );
    }

    #[test]
    fn a_single_hostname_without_a_listener_is_told() {
        let hostnames = "hostnames: [app.example.com, app.example.org]";
        let found = said(&(GATEWAY.to_owned() + &route("sectionName: https", hostnames)));
        assert_eq!(
            found,
            [
                "attachment/no-hostname /spec/hostnames/1: no listener of the route covers `app.example.org` (they cover *.example.com) (correct the hostname, or attach the route to a listener that covers it, too)"
            ]
        );
    }
}
