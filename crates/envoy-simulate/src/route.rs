//! Which route and rule a request matches.
//!
//! Envoy selects the most specific hostname first, and then only looks at the routes for that hostname. If none of
//! them matches, the response is 404, even if a route for a wildcard would match.

use std::collections::BTreeSet;

use super::dns::named;
use super::matching::{self, Match, MatchResult, MatchType, Rank};
use super::{
    ChosenListener, Mark, Outcome, RequestState, SettingPlace, Stage, StageResult, Step, stop,
};
use envoy_gateway::condition::{Status, kind};
use envoy_gateway::helm_routes::TEMPLATE;
use envoy_gateway::index::Key;
use envoy_gateway::read::{flag, list};
use envoy_gateway::view::{Attachment, ListenerId, Parent, Route, RouteId, RouteKind};
use manifest::value::{Node, Pointer};

/// The outcome if it is not known whether a route is attached.
pub(super) const OPEN: &str = "it is not known whether a route is attached";

/// How many of the other matching rules are listed.
const MOST_TOLD: usize = 5;

/// The rule that a request matches.
#[derive(Clone, Debug)]
pub(super) struct ChosenRule<'a> {
    pub route: RouteId,
    /// The index of the rule.
    pub rule: usize,
    pub rule_name: Option<&'a str>,
    pub listener: ListenerId,
    /// The prefix that matched the path, if it was matched by a prefix.
    pub prefix: Option<String>,
}

/// A match of a rule that may be used.
struct Candidate<'a> {
    chosen: ChosenRule<'a>,
    matched: Match,
    fit: MatchResult,
    rank: Rank,
    order: (RouteId, usize, usize),
    place: SettingPlace<'a>,
}

/// A route at a listener, and how specific its hostname is.
struct RouteAtListener {
    route: RouteId,
    listener: ListenerId,
    hostname: String,
}

/// The hostnames of a route at a listener.
fn hostnames(attachment: &Attachment, route: &Route<'_>) -> Vec<String> {
    match attachment.is_unknown {
        false => attachment.hostnames.clone(),
        true => route.hostnames.iter().map(|it| (*it).to_owned()).collect(),
    }
}

/// The parent under which a route is attached to a listener.
pub(super) fn parent_at<'r, 'a>(
    route: &'r Route<'a>,
    listener: ListenerId,
) -> Option<&'r Parent<'a>> {
    let is_here = |it: &Attachment| it.listener == listener;
    let mut parents = route.parents.iter();
    parents.find(|parent| parent.attachments.iter().any(is_here))
}

/// Why the controller drops a rule, if it does.
fn dropped(parent: Option<&Parent<'_>>, rule: usize) -> Option<String> {
    let at = Pointer::root().key("spec").key("rules").index(rule);
    let mut faults = parent?.faults.iter();
    let found = faults.find(|fault| {
        fault.kind == kind::ACCEPTED && !fault.is_unknown && fault.pointer.as_ref() == Some(&at)
    });
    found.map(|fault| fault.message.clone())
}

impl<'a> RequestState<'a, '_> {
    /// The rule that the request matches.
    ///
    /// # Errors
    /// If no rule matches (404), or if that depends on a Flux variable.
    pub(super) fn choose_route(&mut self, found: ChosenListener) -> StageResult<ChosenRule<'a>> {
        let (served, open) = self.served(found.listener);
        if served.is_empty() {
            return self.no_route(found.listener, &open);
        }
        for one in &served {
            if let Some(route) = self.inputs.resolved.route(one.route) {
                self.end_at_unknown_rules(route)?;
            }
        }
        let mut told = Vec::new();
        let mut candidates = Vec::new();
        for one in &served {
            candidates.extend(self.candidates(one, &mut told));
        }
        let keeps_order = self.keeps_order();
        candidates.sort_by(|a, b| match keeps_order {
            true => a.order.cmp(&b.order),
            // Routes are ordered by age, so the order decides between equal matches.
            false => b.rank.cmp(&a.rank).then(a.order.cmp(&b.order)),
        });
        let fits = |wanted: MatchResult| move |it: &&Candidate<'a>| it.fit == wanted;
        let Some(best) = candidates.iter().find(fits(MatchResult::Yes)) else {
            let maybe = candidates.iter().find(fits(MatchResult::Maybe));
            return self.no_match(&candidates, maybe, told);
        };
        let hostname = served.first().map_or("", |it| it.hostname.as_str());
        let step = self.tell_chosen(best, hostname, &candidates, keeps_order);
        let step = told.into_iter().fold(step, Step::detail);
        let step = match open.is_empty() {
            true => step,
            false => step.mark(Mark::Minds).detail(format!(
                "whether {} is more specific depends on a Flux variable",
                open.join(", ")
            )),
        };
        let chosen = best.chosen.clone();
        self.add(step);
        Ok(chosen)
    }

    /// The listeners whose routes Envoy searches together: all plain HTTP listeners on one port.
    fn sharing(&self, listener: ListenerId) -> Vec<ListenerId> {
        let is_plain = |id: &ListenerId| {
            let found = self.inputs.resolved.listener(*id);
            found.is_some_and(|it| it.protocol == "HTTP" && it.is_ready())
        };
        if !is_plain(&listener) {
            return vec![listener];
        }
        let all = self.on_port().into_iter().map(|(id, _)| id);
        all.filter(is_plain).collect()
    }

    /// The routes with the most specific hostname, and the hostnames with variables that may be more specific.
    fn served(&self, listener: ListenerId) -> (Vec<RouteAtListener>, Vec<String>) {
        let host = &self.request.authority;
        let mut all: Vec<(usize, RouteAtListener)> = Vec::new();
        let mut open = BTreeSet::new();
        for id in self.sharing(listener) {
            let listener = self.inputs.resolved.listener(id);
            let routes = listener.map_or(&[][..], |it| &it.routes);
            let of_http =
                |route: &Route<'_>| matches!(route.kind, RouteKind::Http | RouteKind::Grpc);
            for route_id in routes {
                let route = self.inputs.resolved.route(*route_id);
                let Some(route) = route.filter(|it| of_http(it)) else {
                    continue;
                };
                let attachments = route.parents.iter().flat_map(|it| &it.attachments);
                for attachment in attachments.filter(|it| it.listener == id) {
                    for hostname in hostnames(attachment, route) {
                        match matching::host(&hostname, host) {
                            MatchResult::Yes => all.push((
                                matching::specificity(&hostname),
                                RouteAtListener {
                                    route: *route_id,
                                    listener: id,
                                    hostname,
                                },
                            )),
                            MatchResult::Maybe => {
                                open.insert(format!("{hostname} ({})", named(route)));
                            }
                            MatchResult::No => {}
                        }
                    }
                }
            }
        }
        let best = all.iter().map(|(weight, _)| *weight).max();
        let closest = all.into_iter().filter(|(weight, _)| Some(*weight) == best);
        (
            closest.map(|(_, it)| it).collect(),
            open.into_iter().collect(),
        )
    }

    /// The matches of a route's rules that may match the request. Notes on rules that don't are added to `told`.
    fn candidates(&self, served: &RouteAtListener, told: &mut Vec<String>) -> Vec<Candidate<'a>> {
        let Some(route) = self.inputs.resolved.route(served.route) else {
            return Vec::new();
        };
        let parent = parent_at(route, served.listener);
        let mut all = Vec::new();
        for (at, rule) in route.rules.iter().enumerate() {
            let dropped = dropped(parent, at);
            for (nth, matched) in self.matches(route, rule.node) {
                let fit = matched.fit(&self.request);
                if let Some(why) = &dropped {
                    if fit != MatchResult::No {
                        told.push(format!(
                            "{}, which would match, is dropped: {why}",
                            named(route)
                        ));
                    }
                    continue;
                }
                let rules = Pointer::root().key("spec").key("rules").index(at);
                let pointer = match list(rule.node, &["matches"]).is_empty() {
                    true => rules,
                    false => rules.key("matches").index(nth),
                };
                all.push(Candidate {
                    chosen: ChosenRule {
                        route: served.route,
                        rule: at,
                        rule_name: rule.name,
                        listener: served.listener,
                        prefix: (matched.path.how == MatchType::Prefix)
                            .then(|| matched.path.value.clone()),
                    },
                    rank: matched.rank(),
                    matched,
                    fit,
                    order: (served.route, at, nth),
                    place: SettingPlace {
                        object: route.object,
                        pointer,
                    },
                });
            }
        }
        all
    }

    /// The matches of a rule, each with its number among those that are written. An HTTPRouteFilter with matches
    /// multiplies them: each is combined with each of the filter.
    fn matches(&self, route: &Route<'a>, rule: &Node) -> Vec<(usize, Match)> {
        let plain = Match::all(route.kind, rule).into_iter().enumerate();
        let filters = self.own_filters(route, rule).into_iter();
        let mut cookies = filters.map(|filter| list(&filter.node, &["spec", "matches"]));
        let cookies = cookies.find(|it| !it.is_empty()).unwrap_or_default();
        let mut all: Vec<(usize, Match)> = match cookies {
            [] => plain.collect(),
            cookies => plain
                .flat_map(|(nth, one)| {
                    let with = move |node: &Node| {
                        (nth, one.clone().with_cookies(list(node, &["cookies"])))
                    };
                    cookies.iter().map(with)
                })
                .collect(),
        };
        let filters = list(rule, &["filters"]);
        if filters.iter().any(|it| it.get("cors").is_some()) {
            let added = all
                .iter()
                .filter_map(|(nth, it)| Some((*nth, it.preflight()?)));
            let added: Vec<_> = added.collect();
            all.extend(added);
        }
        all
    }

    /// Whether the EnvoyProxy keeps rules in the order in which they are written.
    fn keeps_order(&self) -> bool {
        let gateway = self.inputs.resolved.gateway(self.gateway);
        let settings = gateway.and_then(|it| it.infra.settings.as_ref());
        settings
            .and_then(|it| flag(it, &["preserveRouteOrder"]))
            .unwrap_or_default()
    }

    fn tell_chosen(
        &self,
        best: &Candidate<'a>,
        hostname: &str,
        all: &[Candidate<'a>],
        keeps_order: bool,
    ) -> Step<'a> {
        let describe = |it: &Candidate<'a>| {
            let route = self.inputs.resolved.route(it.chosen.route);
            let name = route.map(named).unwrap_or_default();
            match it.chosen.rule_name {
                Some(rule) => format!("{name}, rule `{rule}`"),
                None => format!("{name}, rule {}", it.chosen.rule),
            }
        };
        let host = match hostname {
            "*" => "every hostname".to_owned(),
            hostname => format!("hostname {hostname}"),
        };
        let step = Step::new(Stage::Route, describe(best))
            .detail(format!("matches by {host}, {}", best.matched.described()))
            .place(best.place.clone());
        let same = |it: &&Candidate<'a>| it.order.0 == best.order.0 && it.order.1 == best.order.1;
        let lost = all
            .iter()
            .filter(|it| it.fit != MatchResult::No && it.order != best.order && !same(it));
        lost.take(MOST_TOLD).fold(step, |step, other| {
            let reason = match (other.fit, keeps_order) {
                (MatchResult::Maybe, _) => "whether it matches depends on a Flux variable",
                (_, true) => "it is written first (`preserveRouteOrder`)",
                _ => best.rank.reason_over(&other.rank),
            };
            step.detail(format!(
                "before {} ({}): {reason}",
                describe(other),
                other.matched.described()
            ))
        })
    }

    fn no_route(&mut self, listener: ListenerId, open: &[String]) -> StageResult<ChosenRule<'a>> {
        let host = self.request.authority.clone();
        if !open.is_empty() {
            let is_of_chart = open.iter().all(|it| it.contains(TEMPLATE));
            let (on, advice) = match is_of_chart {
                true => (
                    "a chart's template",
                    "use `helm template` to see the hostname",
                ),
                false => (
                    "a Flux variable",
                    "write the variable into the URL as it is in the manifests",
                ),
            };
            let text = format!("whether a route matches {host} depends on {on}");
            let step = Step::new(Stage::Route, text).mark(Mark::Unknown);
            let told = open.iter().take(MOST_TOLD).cloned();
            self.add(told.fold(step, Step::detail));
            return Err(Outcome::Unknown(advice.to_owned()));
        }
        let kinds = [RouteKind::Http, RouteKind::Grpc];
        let (told, is_open) = self.left_out(&kinds, Some(&host));
        let listener = self.inputs.resolved.listener(listener);
        let mark = if is_open { Mark::Unknown } else { Mark::Stops };
        let step = Step::new(Stage::Route, format!("no route matches {host}")).mark(mark);
        let step = told.into_iter().fold(step, Step::detail);
        self.add(match listener {
            Some(listener) => step.place(super::listener::place(listener)),
            None => step,
        });
        match is_open {
            true => Err(Outcome::Unknown(OPEN.to_owned())),
            false => stop(404, "no route at this listener matches the host"),
        }
    }

    /// Routes for the host (or for any host) that name the gateway but are not attached, and whether one of them may
    /// be attached after all.
    pub(super) fn left_out(&self, kinds: &[RouteKind], host: Option<&str>) -> (Vec<String>, bool) {
        let gateway = self.inputs.resolved.gateway(self.gateway);
        let Some(key) = gateway.map(|it| it.key()) else {
            return (Vec::new(), false);
        };
        let is_for =
            |name: &str| host.is_none_or(|host| matching::host(name, host) == MatchResult::Yes);
        let mut told = Vec::new();
        let mut is_open = false;
        for route in self.inputs.resolved.routes() {
            let is_any = route.hostnames.is_empty() && host.is_none();
            if !kinds.contains(&route.kind)
                || !(is_any || route.hostnames.iter().any(|it| is_for(it)))
            {
                continue;
            }
            for parent in &route.parents {
                let reference = &parent.reference;
                let under = Key {
                    namespace: reference.namespace.unwrap_or(route.object.namespace()),
                    name: reference.name,
                };
                let port = i64::from(self.request.port);
                let is_here = under == key && reference.port.is_none_or(|it| it == port);
                let accepted = parent.conditions.get(kind::ACCEPTED).filter(|_| is_here);
                let how = match accepted.map(|it| it.status) {
                    Some(Status::False) => "is not attached",
                    Some(Status::Unknown) => "may be attached",
                    _ => continue,
                };
                is_open |= accepted.is_some_and(|it| it.status == Status::Unknown);
                let why = accepted.map_or("", |it| it.message.as_str());
                told.push(format!("{} {how}: {why}", named(route)));
            }
        }
        told.truncate(MOST_TOLD);
        (told, is_open)
    }

    fn no_match(
        &mut self,
        all: &[Candidate<'a>],
        maybe: Option<&Candidate<'a>>,
        told: Vec<String>,
    ) -> StageResult<ChosenRule<'a>> {
        let mut seen = BTreeSet::new();
        let asked = all.iter().map(|it| {
            let route = self.inputs.resolved.route(it.chosen.route);
            let name = route.map(named).unwrap_or_default();
            format!("{name} requires {}", it.matched.described())
        });
        let asked: Vec<String> = asked.filter(|it| seen.insert(it.clone())).collect();
        let target = format!("{} {}", self.request.method, self.request.target());
        let (text, mark) = match maybe {
            Some(_) => (
                format!("whether {target} matches depends on a Flux variable"),
                Mark::Unknown,
            ),
            None => (format!("no rule matches {target}"), Mark::Stops),
        };
        let step = Step::new(Stage::Route, text).mark(mark);
        let step = asked.into_iter().take(MOST_TOLD).fold(step, Step::detail);
        let step = told.into_iter().fold(step, Step::detail);
        let place = maybe.or(all.first()).map(|it| it.place.clone());
        self.add(Step { place, ..step });
        match maybe {
            Some(_) => Err(Outcome::Unknown("it depends on a Flux variable".to_owned())),
            None => stop(404, "no rule of the host's routes matches the request"),
        }
    }
}
