//! Checks the settings of BackendTrafficPolicies.

use super::units::{check_quantity, whole};
use super::{Content, cluster};
use crate::Resolver;
use crate::fault::{Fault, Faults};
use crate::read::{flag, has, list, text};
use crate::rules::is_pattern;
use crate::telemetry::{ROUTE_STATS, check_stat_name};
use manifest::value::Node;

const MOST: i128 = u32::MAX as i128;

pub(crate) fn check(
    resolver: &mut Resolver<'_, '_>,
    content: &Content<'_, '_>,
    faults: &mut Faults,
) {
    let spec = content.spec;
    cluster::check(spec, faults);
    check_quantity(spec, &["requestBuffer", "limit"], 0, MOST, faults);
    if has(spec, &["requestBuffer"]) && !list(spec, &["httpUpgrade"]).is_empty() {
        faults.push(Fault::invalid(
            "`requestBuffer` and `httpUpgrade` can't be combined: an upgraded request has no end",
        ));
    }
    if let Some(limit) = spec.get("rateLimit") {
        check_rate_limit(limit, faults);
        let owner = content.owner(&["rateLimit"]);
        let is_global = has(limit, &["global"]) && text(limit, &["type"]) != Some("Local");
        if is_global
            && !resolver
                .settings
                .features_for(Some(owner))
                .global_rate_limit
        {
            faults.push(Fault::invalid(
                "`rateLimit.global`: the controller's configuration has no `rateLimit`",
            ));
        }
    }
    if let Some(name) = text(spec, &["telemetry", "metrics", "routeStatName"]) {
        faults.keep(check_stat_name(name, ROUTE_STATS));
    }
    for side in ["request", "response"] {
        check_bandwidth(spec, side, faults);
    }
    for body in list(spec, &["responseOverride"]) {
        let owner = content.owner(&["responseOverride"]);
        faults.keep(resolver.check_body(body.path(&["response", "body"]), owner.namespace()));
    }
}

/// Reports a bandwidth that is below what Envoy can limit: 1 KiB in a second.
fn check_bandwidth(spec: &Node, side: &str, faults: &mut Faults) {
    let Some(limit) = spec.path(&["bandwidthLimit", side, "limit"]) else {
        return;
    };
    let value = limit.get("value");
    if value
        .and_then(Node::as_str)
        .is_some_and(manifest::value::variable::in_text)
    {
        return;
    }
    let seconds = match text(limit, &["unit"]) {
        Some("Minute") => 60,
        Some("Hour") => 3600,
        _ => 1,
    };
    match value.and_then(whole) {
        None => faults.push(Fault::invalid(format!(
            "`bandwidthLimit.{side}.limit.value` is not a whole number of bytes"
        ))),
        Some(bytes) if bytes / (seconds * 1024) < 1 => faults.push(Fault::invalid(format!(
            "`bandwidthLimit.{side}` is less than 1 KiB in a second, which is the least that Envoy can limit"
        ))),
        Some(_) => {}
    }
}

fn seconds(unit: &str) -> u64 {
    match unit {
        "Second" => 1,
        "Minute" => 60,
        "Hour" => 3600,
        "Day" => 86_400,
        "Month" => 30 * 86_400,
        "Year" => 365 * 86_400,
        _ => 0,
    }
}

fn check_rate_limit(limit: &Node, faults: &mut Faults) {
    let kind = text(limit, &["type"]);
    for (name, key) in [("Global", "global"), ("Local", "local")] {
        if kind == Some(name) && !has(limit, &[key]) {
            faults.push(Fault::invalid(format!(
                "`rateLimit` of type {name} has no `{key}`"
            )));
        }
    }
    let rules = list(limit, &["local", "rules"]);
    let is_open = |rule: &&Node| list(rule, &["clientSelectors"]).is_empty();
    let open: Vec<&Node> = rules.iter().filter(is_open).collect();
    if open.len() > 1 {
        faults.push(Fault::invalid("`rateLimit.local` has two rules without `clientSelectors`; only one is allowed, the limit for all clients"));
    }
    let unit = |rule: &Node| seconds(text(rule, &["limit", "unit"]).unwrap_or_default());
    let base = open.first().map_or(1, |rule| unit(rule));
    if rules.iter().any(|rule| base == 0 || unit(rule) % base != 0) {
        faults.push(Fault::invalid("`rateLimit.local`: the unit of a rule must be a multiple of that of the rule without `clientSelectors`"));
    }
    let all = rules.iter().chain(list(limit, &["global", "rules"]));
    for by in all.flat_map(|rule| list(rule, &["clientSelectors"])) {
        check_selector(by, faults);
        let headers = list(by, &["headers"])
            .iter()
            .chain(list(by, &["queryParams"]));
        let patterns = headers
            .chain(by.get("path"))
            .filter(|it| text(it, &["type"]) == Some("RegularExpression"));
        for pattern in patterns.filter_map(|it| text(it, &["value"])) {
            if !is_pattern(pattern) {
                faults.push(Fault::invalid(format!(
                    "`rateLimit`: `{pattern}` is not a valid regular expression"
                )));
            }
        }
        let source = by.get("sourceCIDR");
        let cidrs = source.into_iter().flat_map(|it| {
            text(it, &["value"])
                .into_iter()
                .chain(list(it, &["cidrs"]).iter().filter_map(Node::as_str))
        });
        for cidr in cidrs {
            if !is_cidr(cidr) {
                faults.push(Fault::invalid(format!(
                    "`rateLimit`: `{cidr}` is not a CIDR"
                )));
            }
        }
    }
}

/// Reports a selector that selects nothing, or that can't be told from others.
fn check_selector(by: &Node, faults: &mut Faults) {
    const KEYS: [&str; 5] = ["headers", "methods", "path", "sourceCIDR", "queryParams"];
    if !KEYS.iter().any(|key| has(by, &[key])) {
        faults.push(Fault::invalid(
            "`rateLimit`: an entry of `clientSelectors` selects by nothing",
        ));
    }
    for (key, needs_text) in [("headers", false), ("queryParams", true)] {
        for one in list(by, &[key]) {
            let kind = text(one, &["type"]).unwrap_or("Exact");
            let value = one.get("value").and_then(Node::as_str);
            let wrong = match kind {
                "Distinct" if flag(one, &["invert"]) == Some(true) => {
                    "`Distinct` can't be combined with `invert`"
                }
                "Distinct" if value.is_some() => "`Distinct` has no `value`",
                "Distinct" => continue,
                "Exact" | "RegularExpression" => match value {
                    None => "a `value` is missing",
                    Some("") if needs_text => "a `value` is empty",
                    Some(_) => continue,
                },
                _ => "the `type` must be Exact, RegularExpression or Distinct",
            };
            faults.push(Fault::invalid(format!(
                "`rateLimit`: `clientSelectors.{key}`: {wrong}"
            )));
        }
    }
}

/// Whether a string is a CIDR. Host bits and Flux variables are allowed.
pub(super) fn is_cidr(text: &str) -> bool {
    text.parse::<ipnet::IpNet>().is_ok() || manifest::value::variable::in_text(text)
}
