//! The `authorization` of a SecurityPolicy: who is allowed. The first matching rule decides; if none matches, the
//! default action does, which is to deny (Envoy Gateway 1.9.0).

use std::net::IpAddr;

use ipnet::IpNet;

use super::matching::{MatchResult, MatchType, compare};
use super::policies::InForce;
use super::route::ChosenRule;
use super::{Mark, Outcome, Request, RequestState, Stage, StageResult, Step, stop};
use envoy_gateway::policy::PolicyKind;
use envoy_gateway::read::{flag, has, list, text};
use envoy_gateway::view::ListenerId;
use manifest::value::Node;

/// The result of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ruling {
    /// It is decided.
    Is {
        allows: bool,
        /// The rule that decides; `None` if it is the default action.
        rule: Option<usize>,
        /// If the rule is about the client's address, the network that contains it.
        network: Option<String>,
    },
    /// The result depends on this, which is not known.
    Open(String),
}

/// Applies the rules to a request.
pub(super) fn judge(authorization: &Node, request: &Request, client: Option<IpAddr>) -> Ruling {
    let allows = |action: Option<&str>| action == Some("Allow");
    let mut open = Vec::new();
    let mut actions = Vec::new();
    let mut decided = None;
    for (at, rule) in list(authorization, &["rules"]).iter().enumerate() {
        let action = allows(text(rule, &["action"]));
        let mut network = None;
        match fit(rule, request, client, &mut open, &mut network) {
            MatchResult::No => {}
            MatchResult::Maybe => actions.push(action),
            MatchResult::Yes => {
                decided = Some((action, Some(at), network));
                break;
            }
        }
    }
    let default = (allows(text(authorization, &["defaultAction"])), None, None);
    let (allows, rule, network) = decided.unwrap_or(default);
    match actions.iter().all(|action| *action == allows) {
        true => Ruling::Is {
            allows,
            rule,
            network,
        },
        false => Ruling::Open(open.join(", ")),
    }
}

/// Whether everything that a rule requires is true for the request.
fn fit(
    rule: &Node,
    request: &Request,
    client: Option<IpAddr>,
    open: &mut Vec<String>,
    network: &mut Option<String>,
) -> MatchResult {
    let mut all = vec![MatchResult::Yes];
    let principal = rule.get("principal");
    let asks = |path: &[&str]| principal.filter(|it| has(it, path));
    if let Some(principal) = asks(&["clientCIDRs"]) {
        let cidrs = list(principal, &["clientCIDRs"]);
        all.push(in_networks(cidrs, client, network));
        if client.is_none() {
            open.push("the client's address".to_owned());
        }
    }
    if let Some(principal) = asks(&["headers"]) {
        let headers = list(principal, &["headers"]);
        all.extend(headers.iter().map(|header| has_header(header, request)));
    }
    const ELSEWHERE: [(&str, &str); 2] = [
        ("jwt", "the claims of the token"),
        (
            "clientIPGeoLocations",
            "the location of the client's address",
        ),
    ];
    for (key, what) in ELSEWHERE {
        if asks(&[key]).is_some() {
            open.push(what.to_owned());
            all.push(MatchResult::Maybe);
        }
    }
    if has(rule, &["cel"]) {
        open.push("a CEL expression".to_owned());
        all.push(MatchResult::Maybe);
    }
    let operation = rule.get("operation");
    let methods = operation.map_or(&[][..], |it| list(it, &["methods"]));
    if !methods.is_empty() {
        let mut methods = methods.iter().filter_map(Node::as_str);
        all.push(methods.any(|it| it == request.method).into());
    }
    if let Some(path) = operation.and_then(|it| it.get("path")) {
        all.push(has_path(path, request));
    }
    all.into_iter().min().unwrap_or(MatchResult::Yes)
}

fn in_networks(
    cidrs: &[Node],
    client: Option<IpAddr>,
    network: &mut Option<String>,
) -> MatchResult {
    let Some(client) = client else {
        return MatchResult::Maybe;
    };
    let mut best = MatchResult::No;
    for text in cidrs.iter().filter_map(Node::as_str) {
        match text.parse::<IpNet>() {
            Ok(net) if net.contains(&client) => {
                *network = Some(text.to_owned());
                return MatchResult::Yes;
            }
            Ok(_) => {}
            Err(_) => best = best.max(compare(MatchType::Exact, text, "")),
        }
    }
    best
}

fn has_header(header: &Node, request: &Request) -> MatchResult {
    let name = text(header, &["name"]).unwrap_or_default().to_lowercase();
    let Some(value) = request.header(&name) else {
        return MatchResult::No;
    };
    let values = list(header, &["values"]).iter().filter_map(Node::as_str);
    values
        .map(|wanted| compare(MatchType::Exact, wanted, &value))
        .max()
        .unwrap_or(MatchResult::No)
}

fn has_path(path: &Node, request: &Request) -> MatchResult {
    let how = match text(path, &["type"]) {
        Some("Exact") => MatchType::Exact,
        Some("RegularExpression") => MatchType::Regular,
        _ => MatchType::Prefix,
    };
    let wanted = text(path, &["value"]).unwrap_or("/");
    match (compare(how, wanted, &request.path), flag(path, &["invert"])) {
        (MatchResult::Yes, Some(true)) => MatchResult::No,
        (MatchResult::No, Some(true)) => MatchResult::Yes,
        (fit, _) => fit,
    }
}

impl<'a> RequestState<'a, '_> {
    /// Checks whether the client is allowed.
    pub(super) fn authorization(&mut self, chosen: &ChosenRule<'a>) -> StageResult<()> {
        self.authorize(chosen.listener, chosen, |why| stop(403, why))
    }

    /// The same for a connection, which is closed if the client is not allowed.
    pub(super) fn authorize_connection(
        &mut self,
        listener: ListenerId,
        chosen: &ChosenRule<'a>,
    ) -> StageResult<()> {
        self.authorize(listener, chosen, |why| Err(Outcome::Closed(why)))
    }

    fn authorize(
        &mut self,
        listener: ListenerId,
        chosen: &ChosenRule<'a>,
        deny: impl Fn(String) -> StageResult<()>,
    ) -> StageResult<()> {
        let policy = self.in_force(PolicyKind::Security, listener, Some(chosen));
        let found = policy.and_then(|it| Some((it.spec.get("authorization")?.clone(), it)));
        let Some((authorization, policy)) = found else {
            return Ok(());
        };
        match judge(&authorization, &self.request, self.client) {
            Ruling::Open(what) => {
                let text = format!("the decision of {} depends on {what}", policy.named());
                let step = Step::new(Stage::Security, text).mark(Mark::Unknown);
                let step = step.detail("the following steps assume that it allows the request");
                self.add_for(step, &policy, &["authorization"]);
                Ok(())
            }
            Ruling::Is {
                allows,
                rule,
                network,
            } => {
                let step = self.ruled(&policy, &authorization, allows, rule, network);
                self.add(step);
                match allows {
                    true => Ok(()),
                    false => deny(format!("{} denies it", policy.named())),
                }
            }
        }
    }

    fn ruled(
        &self,
        policy: &InForce<'a>,
        authorization: &Node,
        allows: bool,
        rule: Option<usize>,
        network: Option<String>,
    ) -> Step<'a> {
        let who = self
            .client
            .map_or("the client".to_owned(), |it| it.to_string());
        let verb = if allows { "allows" } else { "denies" };
        let rules = list(authorization, &["rules"]);
        let by = match rule {
            None if rules.is_empty() => "its `defaultAction`, because it has no rules".to_owned(),
            None => "its `defaultAction`, because no rule matches the request".to_owned(),
            Some(at) => {
                let name = rules.get(at).and_then(|it| text(it, &["name"]));
                let name = name.map_or(format!("rule {at}"), |name| format!("rule `{name}`"));
                match network {
                    Some(network) => format!("{name}: {who} is in {network}"),
                    None => name,
                }
            }
        };
        let mark = if allows { Mark::Passes } else { Mark::Stops };
        let text = format!("{} {verb} {who}", policy.named());
        let mut step = Step::new(Stage::Security, text).mark(mark).detail(by);
        step.place = policy.place(&["authorization"]);
        if let (Some(place), Some(at)) = (step.place.as_mut(), rule) {
            place.pointer = place.pointer.key("rules").index(at);
        }
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn ruling(authorization: Value, client: &str) -> String {
        let mut request = Request::get("https://a.example.com/admin/x").expect("a URL");
        request.add_header("X-Team: blue").expect("a header");
        let authorization = Node::from_json(authorization);
        match judge(&authorization, &request, client.parse().ok()) {
            Ruling::Open(what) => format!("open: {what}"),
            Ruling::Is { allows, rule, .. } => format!("{allows} by {rule:?}"),
        }
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let from = |action: &str, cidr: &str| json!({"action": action, "principal": {"clientCIDRs": [cidr]}});
        let path = |action: &str, value: &str| json!({"action": action, "operation": {"path": {"value": value}}});
        let rows = [
            (json!({}), "10.10.30.7", "false by None"),
            (
                json!({"defaultAction": "Allow"}),
                "10.10.30.7",
                "true by None",
            ),
            (
                json!({"rules": [from("Allow", "10.10.30.0/24")]}),
                "10.10.30.7",
                "true by Some(0)",
            ),
            (
                json!({"rules": [from("Allow", "10.10.30.0/24")]}),
                "203.0.113.1",
                "false by None",
            ),
            (
                json!({"rules": [from("Deny", "10.10.30.7/32"), from("Allow", "10.10.30.0/24")]}),
                "10.10.30.7",
                "false by Some(0)",
            ),
            (
                json!({"rules": [from("Allow", "10.10.30.0/24")]}),
                "",
                "open: the client's address",
            ),
            (
                json!({"defaultAction": "Allow", "rules": [from("Allow", "10.10.30.0/24")]}),
                "",
                "true by None",
            ),
            (
                json!({"rules": [path("Allow", "/admin")]}),
                "",
                "true by Some(0)",
            ),
            (
                json!({"rules": [path("Allow", "/other")]}),
                "",
                "false by None",
            ),
            (
                json!({"rules": [{"action": "Allow", "principal": {"headers": [{"name": "x-team", "values": ["red", "blue"]}]}}]}),
                "",
                "true by Some(0)",
            ),
            (
                json!({"rules": [{"action": "Allow", "principal": {"jwt": {"provider": "p"}}}]}),
                "",
                "open: the claims of the token",
            ),
        ];
        for (authorization, client, want) in rows {
            assert_eq!(
                ruling(authorization.clone(), client),
                want,
                "{authorization}"
            );
        }
    }
}
