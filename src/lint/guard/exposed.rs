//! What is exposed in each cluster, and which rules it breaks.
//!
//! One mistake is told once: a route that breaks a rule at a gateway is one finding, however many hostnames it has.

mod own_rules;
mod violation;

pub(crate) use violation::Violation;

use std::collections::{BTreeMap, HashSet};

use super::{
    disallowed_use, expired_exception, missing_guard, never_external, no_backend_policy, tls_floor,
    unknown_side, wildcard,
};
use crate::lint::attachment::cluster::is_patched;
use crate::lint::{Applied, LintContext};
use crate::model::rules::{Rules, Subject, Use};
use envoy_gateway::controller::{ControllerRelease, Files, settings_of};
use envoy_gateway::exposure::build::{Exposed, attached, is_redirect, listener_name, reach_of};
use envoy_gateway::exposure::guard::{guards, lowest_tls};
use envoy_gateway::exposure::table::{Guard, Hostname, Side};
use envoy_gateway::exposure::{Table, table};
use envoy_gateway::helm_routes::{HelmRoute, RELEASE, charted};
use envoy_gateway::policy::PolicyKind;
use envoy_gateway::policy::effective::EffectivePolicies;
use envoy_gateway::read::text;
use envoy_gateway::{GatewayId, ListenerId, Resolved, Route, RouteId, resolve};
use flux_repo::Cluster;
use manifest::Object;
use manifest::diagnostic::{Diagnostic, Span};
use manifest::value::Pointer;

/// Reports what breaks the rules of the project.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let Some(rules) = context.rules.filter(|rules| !rules.is_empty()) else {
        return Vec::new();
    };
    let files = context.all().map(|one| one.object.file.as_str());
    let mut found: Vec<Diagnostic> = Vec::new();
    for cluster in context.delivery.clusters(files) {
        for one in of_cluster(context, rules, &cluster) {
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
    let ended = rules.exceptions.iter().filter(|it| rules.has_ended(it));
    let today = rules.today.as_deref().unwrap_or_default();
    found.extend(ended.map(|it| expired_exception::report(it, today)));
    found
}

fn of_cluster(context: &LintContext<'_>, rules: &Rules, cluster: &Cluster<'_>) -> Vec<Diagnostic> {
    let all: Vec<Applied<'_>> = context
        .all()
        .filter(|one| cluster.may_hold(&one.object.file))
        .collect();
    let objects: Vec<Object> = all.iter().map(|one| one.object.clone()).collect();
    let text_of = |file: &str| context.text(file).map(str::to_owned);
    let files = Files {
        objects: context.objects,
        delivery: context.delivery,
        text_of: &text_of,
    };
    let charted = charted(&objects, &files.release_values(&objects));
    let releases = context.controllers().iter();
    let own: Vec<ControllerRelease<'_>> = releases
        .filter(|one| cluster.may_hold(&one.release.file))
        .cloned()
        .collect();
    let mut settings = settings_of(&own, |release| context.minor_in_force(release));
    settings.reads_scripts = false;
    let resolved = resolve(objects.iter().chain(charted.objects()), &settings);
    let patched = all.iter().zip(&objects);
    let patched = patched.filter(|(one, _)| is_patched(context, one));
    let exposures = ClusterExposures {
        rules,
        effective: resolved.effective_policies(),
        table: table(&resolved, &objects),
        attached: attached(&resolved),
        charted: &charted.routes,
        patched: patched.map(|(_, object)| &raw const *object).collect(),
        resolved: &resolved,
    };
    exposures.findings()
}

/// What is exposed in a cluster.
struct ClusterExposures<'r, 'a> {
    rules: &'r Rules,
    resolved: &'r Resolved<'a>,
    effective: EffectivePolicies<'a>,
    table: Table,
    attached: BTreeMap<(Hostname, GatewayId), Exposed>,
    charted: &'r [HelmRoute<'a>],
    /// The objects that a patch may change, which can't be applied here.
    patched: HashSet<*const Object>,
}

/// A route at a listener, for one hostname.
#[derive(Clone, Copy)]
struct Attached<'r> {
    host: &'r Hostname,
    gateway: GatewayId,
    route: RouteId,
    listener: ListenerId,
    is_certain: bool,
}

/// What a violation is of: the code, the number of the rule among those with the code, the route and the gateway.
type Key = (&'static str, usize, RouteId, GatewayId);

impl<'a> ClusterExposures<'_, 'a> {
    fn findings(&self) -> Vec<Diagnostic> {
        let mut found = self.unknown_sides();
        found.extend(self.tls_floors());
        let mut broken: BTreeMap<Key, Broken> = BTreeMap::new();
        for one in self.all() {
            for (code, nth, detail) in self.breaks(&one) {
                let key = (code, nth, one.route, one.gateway);
                broken.entry(key).or_default().add(&one, detail);
            }
        }
        for ((code, nth, route, gateway), broken) in &broken {
            let violation = self.violation(*route, *gateway, broken);
            found.extend(violation.and_then(|it| self.report(code, *nth, &it, broken)));
        }
        for (nth, _) in self.rules.checks.iter().enumerate() {
            found.extend(self.own_rule(nth));
        }
        found
    }

    fn all(&self) -> impl Iterator<Item = Attached<'_>> {
        self.attached.iter().flat_map(|((host, gateway), exposed)| {
            exposed.at.iter().map(|(route, listener)| Attached {
                host,
                gateway: *gateway,
                route: *route,
                listener: *listener,
                is_certain: exposed.is_certain,
            })
        })
    }

    fn gateway_name(&self, id: GatewayId) -> String {
        let gateway = self.resolved.gateway(id);
        gateway.map_or_else(String::new, |it| it.key().to_string())
    }

    /// Whether a gateway is external; `None` if it is not known.
    fn is_external(&self, id: GatewayId) -> Option<bool> {
        let gateway = self.resolved.gateway(id)?;
        let full = gateway.key().to_string();
        let mut named = self.rules.external_gateways.iter();
        if named.any(|it| *it == full || it == gateway.object.name()) {
            return Some(true);
        }
        match reach_of(gateway).side {
            Side::External => Some(true),
            Side::Internal => Some(false),
            Side::Unknown => None,
        }
    }

    /// The guards of each answer of a route at a listener. Redirects are left out.
    fn answers(&self, one: &Attached<'_>) -> Vec<Vec<Guard>> {
        let Some(route) = self.resolved.route(one.route) else {
            return Vec::new();
        };
        let of = |name| {
            guards(
                self.resolved,
                &self.effective,
                Some((one.route, name)),
                one.listener,
            )
        };
        if route.rules.is_empty() {
            // Of some charts, the rules of a route are not known.
            return vec![of(None)];
        }
        let rules = route.rules.iter().filter(|rule| !is_redirect(rule.node));
        rules.map(|rule| of(rule.name)).collect()
    }

    /// The rules that a route breaks: the code, the number of the rule, and what the finding says of it.
    fn breaks(&self, one: &Attached<'_>) -> Vec<(&'static str, usize, Option<String>)> {
        let mut broken = Vec::new();
        let Some(route) = self.resolved.route(one.route) else {
            return broken;
        };
        let namespace = route.object.namespace();
        let answers = self.answers(one);
        let is_external = self.is_external(one.gateway) == Some(true);
        if is_external {
            for (nth, requirement) in self.rules.requires.iter().enumerate() {
                if answers.iter().any(|guards| !requirement.is_met(guards)) {
                    broken.push((missing_guard::CODE.as_str(), nth, None));
                }
            }
            for (nth, pattern) in self.rules.never_external.iter().enumerate() {
                if pattern.fits(namespace) {
                    broken.push((never_external::CODE.as_str(), nth, None));
                }
            }
        }
        if let Some((nth, what)) = self.disallowed(one, namespace) {
            broken.push((disallowed_use::CODE.as_str(), nth, Some(what)));
        }
        let is_wild = matches!(one.host, Hostname::Name(name) if name.contains('*'));
        if self.rules.wildcards.is_some() && is_wild && !answers.is_empty() {
            broken.push((wildcard::CODE.as_str(), 0, None));
        }
        if self.rules.backend_policy.is_some() && self.lacks_backend_policy(one, route) {
            broken.push((no_backend_policy::CODE.as_str(), 0, None));
        }
        broken.retain(|(code, ..)| !self.is_excepted(code, "", one));
        broken
    }

    /// What a namespace may not use of a listener: the number of the entry that refuses it, and what it refuses.
    fn disallowed(&self, one: &Attached<'_>, namespace: &str) -> Option<(usize, String)> {
        let listener = self.resolved.listener(one.listener)?;
        let gateway = self.gateway_name(one.gateway);
        let name = listener_name(self.resolved, listener);
        let used = Use {
            gateway: &gateway,
            listener: &name,
            port: listener.port,
            host: match one.host {
                Hostname::Name(name) => Some(name),
                Hostname::Port(..) => None,
            },
        };
        let entries = self.rules.allow.iter().enumerate();
        let mut refused = None;
        for (nth, entry) in entries.filter(|(_, entry)| entry.is_for(namespace)) {
            let what = entry.refuses(&used)?;
            refused.get_or_insert((nth, what));
        }
        refused
    }

    fn lacks_backend_policy(&self, one: &Attached<'_>, route: &Route<'a>) -> bool {
        let lacks = |name| {
            let near = Some((one.route, name));
            self.resolved
                .effective(&self.effective, PolicyKind::Backend, near, one.listener)
                .is_empty()
        };
        let mut rules = route.rules.iter().filter(|rule| !is_redirect(rule.node));
        match route.rules.is_empty() {
            true => lacks(None),
            false => rules.any(|rule| lacks(rule.name)),
        }
    }

    /// Whether an exception fits, be it one that has ended: then the exception is reported.
    fn is_excepted(&self, code: &str, rule: &str, one: &Attached<'_>) -> bool {
        let Some(route) = self.resolved.route(one.route) else {
            return false;
        };
        let gateway = self.gateway_name(one.gateway);
        let host = match one.host {
            Hostname::Name(name) => name.as_str(),
            Hostname::Port(..) => "",
        };
        let release = text(&route.object.node, &["metadata", "annotations", RELEASE]);
        let name = route.object.name();
        let subject = Subject {
            code,
            rule,
            host,
            namespace: route.object.namespace(),
            routes: [name, release.unwrap_or(name)],
            gateway: &gateway,
        };
        self.rules.exceptions.iter().any(|it| it.fits(&subject))
    }

    fn violation(
        &self,
        route: RouteId,
        gateway: GatewayId,
        broken: &Broken,
    ) -> Option<Violation<'_, 'a>> {
        let found = self.resolved.route(route)?;
        let mut charted = self.charted.iter();
        let charted = charted.find(|it| std::ptr::eq(&raw const it.object, found.object));
        let may_change = self.patched.contains(&(&raw const *found.object))
            || charted.is_some_and(|it| it.unknown.is_patched);
        Some(Violation {
            route: found,
            charted,
            hosts: broken.hosts.clone(),
            gateway: self.gateway_name(gateway),
            is_certain: broken.is_certain && !may_change,
        })
    }

    fn report(
        &self,
        code: &str,
        nth: usize,
        violation: &Violation<'_, '_>,
        broken: &Broken,
    ) -> Option<Diagnostic> {
        let rules = self.rules;
        Some(match code {
            it if it == missing_guard::CODE.as_str() => {
                let requirement = rules.requires.get(nth)?;
                missing_guard::report(violation, &requirement.text, requirement.text.span)
            }
            it if it == never_external::CODE.as_str() => {
                never_external::report(violation, rules.never_external.get(nth)?.span)
            }
            it if it == disallowed_use::CODE.as_str() => {
                let what = broken.detail.as_deref().unwrap_or_default();
                disallowed_use::report(violation, what, rules.allow.get(nth)?.span)
            }
            it if it == wildcard::CODE.as_str() => wildcard::report(violation, rules.wildcards?),
            _ => no_backend_policy::report(violation, rules.backend_policy?),
        })
    }

    /// The gateways with routes of which it is not known whether they are external.
    fn unknown_sides(&self) -> Vec<Diagnostic> {
        let required = self.rules.requires.first().map(|it| it.text.span);
        let rule = required.or(self.rules.never_external.first().map(|it| it.span));
        let Some(rule) = rule else {
            return Vec::new();
        };
        let mut seen: Vec<GatewayId> = Vec::new();
        for (_, gateway) in self.attached.keys() {
            if !seen.contains(gateway) && self.is_external(*gateway).is_none() {
                seen.push(*gateway);
            }
        }
        let gateways = seen.into_iter().filter_map(|id| self.resolved.gateway(id));
        gateways
            .map(|it| unknown_side::report(it.object, &it.key().to_string(), rule))
            .collect()
    }

    /// The listeners that accept older versions of TLS.
    fn tls_floors(&self) -> Vec<Diagnostic> {
        let Some(floor) = &self.rules.tls_floor else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (at, listener) in self.resolved.listeners().iter().enumerate() {
            let is_passed = text(listener.node, &["tls", "mode"]) == Some("Passthrough");
            if !listener.is_ready() || !listener.is_tls() || is_passed {
                continue;
            }
            let (version, policy) = lowest_tls(self.resolved, &self.effective, ListenerId(at));
            if !self.rules.is_below_floor(version) {
                continue;
            }
            let pointer = ["spec", "tls", "minVersion"]
                .iter()
                .fold(Pointer::root(), |at, key| at.key(*key));
            let place = match policy {
                Some(policy) => (policy, &pointer),
                None => (listener.object, &listener.pointer),
            };
            let name = format!(
                "listener {} of {}",
                listener_name(self.resolved, listener),
                self.gateway_name(listener.gateway)
            );
            found.push(tls_floor::report(&name, version, floor, place, floor.span));
        }
        // A policy for several listeners is one mistake.
        let mut places: Vec<(Option<Span>, Option<Span>)> = Vec::new();
        found.retain(|one| {
            let place = (one.span, one.origin);
            let is_new = place == (None, None) || !places.contains(&place);
            places.push(place);
            is_new
        });
        found
    }
}

/// The hostnames for which a route breaks a rule.
#[derive(Default)]
struct Broken {
    hosts: Vec<String>,
    is_certain: bool,
    detail: Option<String>,
}

impl Broken {
    fn add(&mut self, one: &Attached<'_>, detail: Option<String>) {
        let host = one.host.to_string();
        if !self.hosts.contains(&host) {
            self.hosts.push(host);
        }
        self.is_certain |= one.is_certain;
        self.detail = self.detail.take().or(detail);
    }
}
