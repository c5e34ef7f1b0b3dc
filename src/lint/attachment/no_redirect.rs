//! Listeners for plain HTTP that have no redirect.

use super::cluster::ClusterAttachments;
use super::redirect_loop::redirects;
use envoy_gateway::condition::{Status, kind};
use envoy_gateway::read::list;
use envoy_gateway::view::Gateway;
use envoy_gateway::{GatewayId, Listener, ListenerId, Target};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::variable;

manifest::code! {
    "attachment"/"no-redirect", Warning, "A listener for plain HTTP that has no redirect.",
    r#"
A gateway has a listener for plain HTTP, but no route attaches to it, while routes attach to its HTTPS
listener. Users who type http:// before a hostname, or follow an old link, get status 404 instead of the site.
This is not reported if cert-manager answers ACME challenges on that listener with its own routes.

## Wrong

```yaml
listeners:
  - { name: http, protocol: HTTP, port: 80 }
  - { name: https, protocol: HTTPS, port: 443 }
# and no route with sectionName http
```

## Right

```yaml
kind: HTTPRoute
metadata:
  name: https-redirect
spec:
  parentRefs: [{ name: envoy-external, sectionName: http }]
  rules:
    - filters:
        - type: RequestRedirect
          requestRedirect: { scheme: https, statusCode: 301 }
```
"#
}

impl ClusterAttachments<'_, '_> {
    /// Reports plain HTTP listeners without any route, if HTTPS listeners beside them have some. If there is no route
    /// at all, the routes are probably in another repository.
    pub(super) fn plain_http(&self, gateway: &Gateway<'_>) -> Vec<Diagnostic> {
        let gateways = self.resolved.gateways().iter();
        let Some(id) = gateways
            .clone()
            .position(|it| std::ptr::eq(it, gateway))
            .map(GatewayId)
        else {
            return Vec::new();
        };
        let own = || {
            let own = gateway.listeners.iter();
            own.filter_map(|at| Some((*at, self.resolved.listener(*at)?)))
        };
        let serves = own().any(|(_, it)| it.protocol == "HTTPS" && !it.routes.is_empty());
        let bare: Vec<(ListenerId, &Listener<'_>)> = own()
            .filter(|(_, it)| it.protocol == "HTTP" && it.routes.is_empty() && it.set.is_none())
            .collect();
        if !serves
            || bare.is_empty()
            || self.is_open(gateway.object)
            || self.may_have_others(id)
            || self.answers_challenges()
        {
            return Vec::new();
        }
        let one = |(_, listener): (ListenerId, &Listener<'_>)| {
            let message = format!(
                "no route is attached to listener `{}`: plain HTTP is not redirected to https",
                listener.name
            );
            finding(CODE, listener.object, &listener.pointer, message)
                .why("requests with http:// get 404 instead of a redirect to https://")
                .help(format!(
                    "attach an HTTPRoute with a RequestRedirect to https to it (`sectionName: {}`), or remove the listener",
                    listener.name
                ))
        };
        bare.into_iter().map(one).collect()
    }

    /// Whether other routes may be attached to a gateway's listeners, or were meant to be. What keeps those from
    /// being attached is reported on its own.
    fn may_have_others(&self, gateway: GatewayId) -> bool {
        self.resolved.routes().iter().any(|route| {
            let is_redirect = redirects(route.object).next().is_some();
            let is_loop = is_redirect && !self.redirects(route).is_empty();
            route.parents.iter().any(|parent| {
                let accepted = parent.conditions.get(kind::ACCEPTED);
                let is_open = accepted.is_some_and(|it| it.status == Status::Unknown);
                let is_off = is_redirect && accepted.is_some_and(|it| it.status == Status::False);
                let section = parent.reference.section.unwrap_or_default();
                match parent.target {
                    Target::Gateway(at) => {
                        at == gateway
                            && (is_open || is_off || is_loop || variable::in_text(section))
                    }
                    Target::NotGiven => is_redirect || variable::in_text(parent.reference.name),
                    _ => false,
                }
            })
        })
    }

    /// Whether cert-manager answers ACME challenges on plain HTTP, with routes that it creates.
    fn answers_challenges(&self) -> bool {
        self.all
            .iter()
            .map(|one| one.object)
            .filter(|it| it.group() == "cert-manager.io" && it.kind().ends_with("Issuer"))
            .flat_map(|it| list(&it.node, &["spec", "acme", "solvers"]))
            .any(|solver| solver.path(&["http01", "gatewayHTTPRoute"]).is_some())
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, graded, route};

    #[test]
    fn plain_http_without_a_redirect_is_told_where_routes_are_at_hand() {
        assert_eq!(graded(GATEWAY), [""; 0]);
        let app = route("sectionName: https", "rules: []");
        let text = GATEWAY.to_owned() + &app;
        assert_eq!(
            graded(&text),
            [
                "warning attachment/no-redirect Gateway /spec/listeners/0: no route is attached to listener `http`: plain HTTP is not redirected to https"
            ]
        );
        let solver = "---
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {name: acme}
spec: {acme: {solvers: [{http01: {gatewayHTTPRoute: {}}}]}}
";
        assert_eq!(graded(&(text.clone() + solver)), [""; 0]);
        let plain = route("sectionName: http", "rules: []")
            .replace("namespace: apps", "namespace: network");
        assert_eq!(
            graded(&(text + &plain.replace("name: app,", "name: plain,"))),
            [""; 0]
        );
    }
}
