//! `[rules]`: what must never be merged, as values that can be checked.

mod read;

pub use read::build;

use super::expression::Expression;
use crate::config::Text;
use envoy_gateway::exposure::table::{Guard, GuardKind};
use manifest::diagnostic::{Span, Spanned};

/// The guards that `auth` means: those that ask who the client is.
const AUTH: [GuardKind; 6] = [
    GuardKind::ClientCertificate,
    GuardKind::Oidc,
    GuardKind::Jwt,
    GuardKind::BasicAuth,
    GuardKind::ApiKey,
    GuardKind::ExternalAuth,
];

/// The versions of TLS, from the lowest on.
const TLS_VERSIONS: [&str; 4] = ["1.0", "1.1", "1.2", "1.3"];

/// The rules of a project.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// What every answer on an external gateway must have.
    pub requires: Vec<Requirement>,
    /// The names of gateways that are external, whatever their names and addresses say.
    pub external_gateways: Vec<String>,
    /// Namespaces that must not be exposed by external gateways.
    pub never_external: Vec<Spanned<Pattern>>,
    /// What namespaces may use.
    pub allow: Vec<Allow>,
    /// The lowest TLS version that listeners may accept.
    pub tls_floor: Option<Text>,
    /// The place of the rule against wildcards, if it is on.
    pub wildcards: Option<Option<Span>>,
    /// The place of the rule about BackendTrafficPolicies, if it is on.
    pub backend_policy: Option<Option<Span>>,
    /// The rules of the project's own.
    pub checks: Vec<Check>,
    /// What the rules don't apply to.
    pub exceptions: Vec<Exception>,
    /// Today as `YYYY-MM-DD`; `None` if it is not known, and then no exception has ended.
    pub today: Option<String>,
}

/// Guards of which one is required.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// What is written.
    pub text: Text,
    any: Vec<Need>,
}

/// A guard that fulfils a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Auth,
    AllowList,
    Kind(GuardKind),
}

impl Requirement {
    /// Whether one of the guards is enough.
    pub fn is_met(&self, guards: &[Guard]) -> bool {
        let meets = |need: &Need| {
            guards.iter().any(|guard| match need {
                Need::Auth => AUTH.contains(&guard.kind),
                Need::AllowList => {
                    guard.kind == GuardKind::Authorization && !guard.allows.is_empty()
                }
                Need::Kind(kind) => guard.kind == *kind,
            })
        };
        self.any.iter().any(meets)
    }
}

/// A name in which `*` stands for any characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Whether a name fits.
    pub fn fits(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else {
            return false;
        };
        let parts: Vec<&str> = parts.collect();
        let Some((last, middle)) = parts.split_last() else {
            return rest.is_empty();
        };
        for part in middle {
            match rest.split_once(part) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        rest.ends_with(last)
    }

    /// Whether an object fits that is given as `namespace/name`: by its whole name, or by its name alone.
    pub fn fits_object(&self, full: &str) -> bool {
        self.fits(full) || full.rsplit('/').next().is_some_and(|name| self.fits(name))
    }
}

/// What some namespaces may use.
#[derive(Clone, Debug)]
pub struct Allow {
    /// The place of the entry.
    pub span: Option<Span>,
    namespaces: Vec<Pattern>,
    gateways: Vec<Pattern>,
    listeners: Vec<Pattern>,
    ports: Vec<i64>,
    hostnames: Vec<Pattern>,
}

/// A use of a listener by a route.
#[derive(Clone, Copy, Debug)]
pub struct Use<'a> {
    /// The gateway as `namespace/name`.
    pub gateway: &'a str,
    /// The name of the listener.
    pub listener: &'a str,
    /// The port of the listener.
    pub port: i64,
    /// The hostname; `None` for TCP and UDP.
    pub host: Option<&'a str>,
}

impl Allow {
    /// Whether the entry is about a namespace.
    pub fn is_for(&self, namespace: &str) -> bool {
        self.namespaces.iter().any(|it| it.fits(namespace))
    }

    /// What the entry doesn't allow of a use, in words; `None` if it allows it.
    pub fn refuses(&self, one: &Use<'_>) -> Option<String> {
        let fits = |all: &[Pattern], name: &str| {
            all.is_empty() || all.iter().any(|it| it.fits_object(name))
        };
        if !fits(&self.gateways, one.gateway) {
            return Some(format!("gateway {}", one.gateway));
        }
        if !fits(&self.listeners, one.listener) {
            return Some(format!("listener {} of {}", one.listener, one.gateway));
        }
        if !self.ports.is_empty() && !self.ports.contains(&one.port) {
            return Some(format!("port {} of {}", one.port, one.gateway));
        }
        let host = one.host?;
        let is_allowed = self.hostnames.is_empty() || self.hostnames.iter().any(|it| it.fits(host));
        (!is_allowed).then(|| format!("hostname {host}"))
    }
}

/// A rule of the project's own.
#[derive(Clone, Debug)]
pub struct Check {
    /// The name.
    pub name: String,
    /// What is wrong if it doesn't hold.
    pub message: Option<String>,
    /// The expression.
    pub expression: Expression,
    /// The place of the expression.
    pub span: Option<Span>,
}

/// What rules don't apply to.
#[derive(Clone, Debug)]
pub struct Exception {
    /// The place of the end date.
    pub span: Option<Span>,
    /// The reason.
    pub reason: String,
    /// The last day, as `YYYY-MM-DD`.
    pub until: String,
    rule: Option<String>,
    host: Option<Pattern>,
    namespace: Option<Pattern>,
    route: Option<Pattern>,
    gateway: Option<Pattern>,
}

/// What an exception may fit.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The code of the rule.
    pub code: &'a str,
    /// The name of the rule, if it is one of the project's own.
    pub rule: &'a str,
    /// The hostname; empty if there is none.
    pub host: &'a str,
    /// The namespace of the route.
    pub namespace: &'a str,
    /// The names of the route, and of the release that creates it.
    pub routes: [&'a str; 2],
    /// The gateway as `namespace/name`.
    pub gateway: &'a str,
}

impl Exception {
    /// Whether the exception is for this.
    pub fn fits(&self, subject: &Subject<'_>) -> bool {
        let fits =
            |pattern: &Option<Pattern>, name: &str| pattern.as_ref().is_none_or(|it| it.fits(name));
        self.rule
            .as_deref()
            .is_none_or(|rule| rule == subject.code || rule == subject.rule)
            && fits(&self.host, subject.host)
            && fits(&self.namespace, subject.namespace)
            && self
                .route
                .as_ref()
                .is_none_or(|it| subject.routes.iter().any(|name| it.fits(name)))
            && self
                .gateway
                .as_ref()
                .is_none_or(|it| it.fits_object(subject.gateway))
    }
}

impl Rules {
    /// Whether there is no rule at all.
    pub fn is_empty(&self) -> bool {
        self.requires.is_empty()
            && self.never_external.is_empty()
            && self.allow.is_empty()
            && self.tls_floor.is_none()
            && self.wildcards.is_none()
            && self.backend_policy.is_none()
            && self.checks.is_empty()
            && self.exceptions.is_empty()
    }

    /// Whether a version of TLS is below the floor.
    pub fn is_below_floor(&self, version: &str) -> bool {
        let rank = |version: &str| TLS_VERSIONS.iter().position(|it| *it == version);
        let floor = self.tls_floor.as_ref().and_then(|floor| rank(floor));
        match (floor, rank(version)) {
            (Some(floor), Some(version)) => version < floor,
            _ => false,
        }
    }

    /// Whether an exception has ended.
    pub fn has_ended(&self, exception: &Exception) -> bool {
        self.today
            .as_ref()
            .is_some_and(|today| *today > exception.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name, fits) in [
            ("monitoring", "monitoring", true),
            ("monitoring", "monitoring-2", false),
            ("team-*", "team-a", true),
            ("team-*", "my-team-a", false),
            ("*.apps.example.com", "a.apps.example.com", true),
            ("*.apps.example.com", "*.apps.example.com", true),
            ("*.apps.example.com", "apps.example.com", false),
            ("*", "", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "a-c", false),
        ] {
            assert_eq!(
                Pattern(pattern.to_owned()).fits(name),
                fits,
                "{pattern} {name}"
            );
        }
        assert!(Pattern("envoy-*".to_owned()).fits_object("network/envoy-external"));
    }
}
