//! A route that breaks a rule, and where it is told.

use crate::lint::attachment::cluster::in_release;
use envoy_gateway::Route;
use envoy_gateway::helm_routes::HelmRoute;
use manifest::diagnostic::suggest::listed;
use manifest::diagnostic::{Code, Diagnostic, Severity};
use manifest::finding;
use manifest::value::Pointer;

/// A route that breaks a rule at a gateway.
pub(crate) struct Violation<'r, 'a> {
    pub(super) route: &'r Route<'a>,
    pub(super) charted: Option<&'r HelmRoute<'a>>,
    pub(super) hosts: Vec<String>,
    /// The gateway as `namespace/name`.
    pub(crate) gateway: String,
    /// Whether it is known that the route breaks the rule.
    pub(crate) is_certain: bool,
}

impl Violation<'_, '_> {
    /// The hostnames.
    pub(crate) fn hosts(&self) -> String {
        let shown = self.hosts.iter().map(|host| match host.as_str() {
            "*" => "any hostname",
            host => host,
        });
        listed(shown)
    }

    /// The namespace of the route.
    pub(crate) fn namespace(&self) -> &str {
        self.route.object.namespace()
    }

    /// The route, with the release if a chart creates it.
    pub(crate) fn route_name(&self) -> String {
        let name = format!("{} {}", self.route.kind.as_str(), self.route.key());
        match self.charted {
            Some(charted) => format!("{name} (HelmRelease {})", charted.release.name()),
            None => name,
        }
    }

    /// A finding at the first of the hostnames that the route itself has, else at its name.
    pub(crate) fn finding(&self, code: Code, message: String) -> Diagnostic {
        let mut hosts = self.hosts.iter();
        let at = hosts.find_map(|host| self.route.hostnames.iter().position(|own| own == host));
        let pointer = match at {
            Some(at) => Pointer::root().key("spec").key("hostnames").index(at),
            None => Pointer::root().key("metadata").key("name"),
        };
        let found = finding(code, self.route.object, &pointer, message);
        let found = match self.charted {
            Some(charted) => in_release(charted, found),
            None => found,
        };
        match self.is_certain {
            true => found,
            false => found.severity(Severity::Note),
        }
    }
}
