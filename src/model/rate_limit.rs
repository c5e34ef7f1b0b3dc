//! Rate limits and error pages of BackendTrafficPolicies.

use super::Version;
use super::address;
use super::names::{self, Rule};
use super::version::RATE_LIMIT_WITHOUT_TYPE;
use crate::config::rate_limit::{ErrorPage, RateLimitRule};
use crate::config::traffic::BackendTraffic;
use crate::config::{Cluster, Count, Text, codes};
use manifest::diagnostic::{Diagnostic, Span, Spanned};

/// The values of the chart that name the backend of global limits.
const IN_VALUES: [&str; 4] = ["config", "envoyGateway", "rateLimit", "backend"];

/// Reports mistakes in the rate limits and error pages of a policy; `owner` is the name of the policy's table.
pub fn check(
    cluster: &Cluster,
    owner: &str,
    name: &Text,
    table: &BackendTraffic,
    problems: &mut Vec<Diagnostic>,
) {
    for page in &table.error_pages {
        check_page(owner, page, name.span, problems);
    }
    let Some(limit) = &table.rate_limit else {
        return;
    };
    for (kind, rules) in [("local", &limit.local), ("global", &limit.global)] {
        for rule in rules {
            check_rule(
                &format!("{owner}.rate_limit.{kind}"),
                rule,
                name.span,
                problems,
            );
        }
    }
    let first = limit.global.first().map(|rule| span_of(rule).or(name.span));
    if let (Some(span), false) = (first, has_backend(cluster)) {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_MISSING_KEY,
                "a global rate limit needs a Redis, and `chart.rate_limit` names none",
            )
            .at(span)
            .why("Envoy Gateway would refuse the policy, so none of its settings would apply")
            .help("add `rate_limit.redis = \"redis.databases.svc.cluster.local:6379\"` to [chart], or use `local`"),
        );
    }
}

/// The type of a policy's limits, if the version of Envoy Gateway needs it.
pub fn needed_type(table: &BackendTraffic, chart: Version) -> Option<&'static str> {
    let limit = table
        .rate_limit
        .as_ref()
        .filter(|_| chart < RATE_LIMIT_WITHOUT_TYPE)?;
    match (limit.local.is_empty(), limit.global.is_empty()) {
        (false, true) => Some("Local"),
        (true, false) => Some("Global"),
        _ => None,
    }
}

/// Whether global limits have a backend, or it isn't known because the release is elsewhere.
fn has_backend(cluster: &Cluster) -> bool {
    let chart = &cluster.chart;
    let is_elsewhere = chart.release.enabled.as_ref().is_some_and(|on| !on.value);
    let values = chart.values.as_ref();
    let is_in_values = values.is_some_and(|values| values.path(&IN_VALUES).is_some());
    let is_in_spec = chart.release.spec.as_ref().is_some_and(|spec| {
        let values = spec.get("values");
        values.is_some_and(|values| values.path(&IN_VALUES).is_some())
            || spec.get("valuesFrom").is_some()
    });
    let is_set = chart.rate_limit.redis.is_some();
    is_set || is_elsewhere || is_in_values || is_in_spec
}

fn span_of(rule: &RateLimitRule) -> Option<Span> {
    let requests = rule.requests.as_ref().and_then(|it| it.span);
    requests.or(rule.per.as_ref().and_then(|it| it.span))
}

fn check_rule(
    owner: &str,
    rule: &RateLimitRule,
    span: Option<Span>,
    problems: &mut Vec<Diagnostic>,
) {
    let needs = [
        ("requests", rule.requests.is_some(), "requests = 100"),
        ("per", rule.per.is_some(), "per = \"minute\""),
    ];
    for (key, is_there, example) in needs {
        if !is_there {
            problems.push(
                Diagnostic::new(
                    codes::CONFIG_MISSING_KEY,
                    format!("a rule of `{owner}` has no `{key}`"),
                )
                .at(span_of(rule).or(span))
                .why("a limit is a number of requests in a time")
                .help(format!("add `{example}`")),
            );
        }
    }
    for network in rule.network.iter().chain(&rule.each_client_of) {
        address::network(network, problems);
    }
    if let (Some(network), Some(each)) = (&rule.network, &rule.each_client_of) {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_CONTRADICTION,
                "`network` and `each_client_of` are both given",
            )
            .at(each.span)
            .related(network.span, "this counts all clients together")
            .why("a rule counts the clients of a network either together or each by itself")
            .help("keep one of the two, or make two rules"),
        );
    }
}

fn check_page(owner: &str, page: &ErrorPage, span: Option<Span>, problems: &mut Vec<Diagnostic>) {
    let first = page
        .statuses
        .iter()
        .chain(&page.range)
        .find_map(|it| it.span);
    let mut report = |code, message: String, why: &str, help: &str| {
        let problem = Diagnostic::new(code, message).at(first.or(span));
        problems.push(problem.why(why).help(help));
    };
    if page.statuses.is_empty() && page.range.is_empty() {
        report(
            codes::CONFIG_MISSING_KEY,
            format!("an entry of `{owner}.error_pages` names no status"),
            "it would replace nothing",
            "add `statuses = [404]` or `range = [500, 599]`",
        );
    }
    let is_number = |it: &Spanned<Count>| match it.value {
        Count::Number(number) => (100..=599).contains(&number),
        Count::Variable(_) => true,
    };
    if !page.statuses.iter().chain(&page.range).all(is_number) || !matches!(page.range.len(), 0 | 2)
    {
        report(
            codes::CONFIG_INVALID_VALUE,
            format!(
                "an entry of `{owner}.error_pages` has a status that can't exist, or no range of two"
            ),
            "only statuses from 100 to 599 exist, and a range has a first and a last one",
            "write `statuses = [404]` or `range = [500, 599]`",
        );
    }
    if page.body.is_some() && page.config_map.is_some() {
        report(
            codes::CONFIG_CONTRADICTION,
            format!("an entry of `{owner}.error_pages` has both `body` and `config_map`"),
            "a response has one body",
            "keep one of the two",
        );
    }
    if let Some(map) = &page.config_map {
        names::check(Rule::Subdomain, "a ConfigMap's name", map, problems);
    }
}
