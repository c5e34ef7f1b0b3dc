//! Compares what happens to the requests of a test with what the test expects.

mod checks;
mod told;

use std::net::IpAddr;

use ipnet::IpNet;

use super::Failure;
use super::cases::Case;
use super::coverage::Touched;
use super::networks::Origin;
use super::seen::{Front, Seen, ends};
use crate::config::test::Test;
use checks::{Verdict, checks, described};
use envoy_gateway::exposure::table::Side;
use envoy_simulate::Request;
use told::Told;

/// The requests of a case that are traced: with each address that stands for where it comes from.
fn requests(case: &Case, named: &[IpNet]) -> Vec<Request> {
    let addresses = case.origin.addresses(named).into_iter();
    let requests = addresses.map(|from: Option<IpAddr>| Request {
        from,
        ..case.request.clone()
    });
    requests.collect()
}

/// Judges one request of a test. `named` are the networks that policies name. What the request touches is added to
/// `touched`.
pub fn judge(
    front: &Front<'_, '_>,
    test: &Test,
    case: &Case,
    named: &[IpNet],
    touched: &mut Touched,
) -> Vec<Failure> {
    let checks = checks(&test.expect);
    let allows_unknown = test.allow_unknown.as_ref().is_some_and(|it| it.value);
    let gateway = test.request.gateway.as_ref().map(|it| it.value.as_str());
    let mut failures: Vec<Failure> = Vec::new();
    for request in requests(case, named) {
        let (mut ways, notes) = front.see(&request, gateway);
        let internal = leave_out_internal(&mut ways, &case.origin);
        for seen in &ways {
            touched.add(seen);
        }
        let told = Told {
            test,
            case,
            request: &request,
        };
        if let Some(failure) = reachable(&told, &ways, &internal, &notes) {
            push(&mut failures, failure, allows_unknown);
        }
        for check in &checks {
            if ways.is_empty() {
                let found = not_arriving(&internal, &notes);
                let verdict = Verdict::Differs(described(check.key, test), found);
                let failure = told.failure(check.key, check.span, verdict, None);
                failures_of(&mut failures, failure, allows_unknown);
                continue;
            }
            for seen in &ways {
                let verdict = (check.verdict)(seen);
                let failure = told.failure(check.key, check.span, verdict, Some(seen));
                failures_of(&mut failures, failure, allows_unknown);
            }
        }
    }
    told_once(failures)
}

/// Leaves out failures that only repeat how the request ends: a refusal is also the reason why no backend is reached.
fn told_once(failures: Vec<Failure>) -> Vec<Failure> {
    let found: Vec<String> = failures.iter().map(|it| it.found.clone()).collect();
    let repeats = |at: usize, own: &str| {
        found.iter().enumerate().any(|(other, text)| {
            let is_longer = text.len() > own.len() || (text.len() == own.len() && other < at);
            other != at && is_longer && text.contains(own)
        })
    };
    let kept = failures.into_iter().enumerate();
    kept.filter(|(at, it)| !repeats(*at, &it.found))
        .map(|(_, it)| it)
        .collect()
}

fn failures_of(failures: &mut Vec<Failure>, failure: Option<Failure>, allows_unknown: bool) {
    if let Some(failure) = failure {
        push(failures, failure, allows_unknown);
    }
}

/// Adds a failure. One mistake is told once: the first that is certain for each expectation, else the first.
fn push(failures: &mut Vec<Failure>, failure: Failure, allows_unknown: bool) {
    if failure.is_unknown && allows_unknown {
        return;
    }
    match failures.iter_mut().find(|it| it.key == failure.key) {
        Some(first) if first.is_unknown && !failure.is_unknown => *first = failure,
        Some(_) => {}
        None => failures.push(failure),
    }
}

/// Removes the ways through internal gateways from a request that comes from the Internet. Returns their names, with the
/// reasons.
fn leave_out_internal(ways: &mut Vec<Seen<'_, '_, '_>>, origin: &Origin) -> Vec<String> {
    let mut internal = Vec::new();
    if origin.is_internet() {
        ways.retain(|seen| {
            let (side, why) = seen.side();
            if side == Side::Internal {
                internal.push(format!("{} is internal, since {why}", seen.gateway()));
            }
            side != Side::Internal
        });
    }
    internal
}

fn not_arriving(internal: &[String], notes: &[String]) -> String {
    let why: Vec<&str> = internal.iter().chain(notes).map(String::as_str).collect();
    match why.is_empty() {
        true => "no gateway takes the request".to_owned(),
        false => format!("no gateway takes the request: {}", why.join("; ")),
    }
}

/// The expectation `reachable`, which is about all gateways together.
fn reachable(
    told: &Told<'_>,
    ways: &[Seen<'_, '_, '_>],
    internal: &[String],
    notes: &[String],
) -> Option<Failure> {
    let wanted = told.test.expect.reachable.as_ref()?;
    let answers: Vec<Result<bool, String>> = ways.iter().map(|seen| {
        let is_reachable = seen.is_reachable()?;
        match seen.side().0 {
            Side::Unknown if is_reachable && told.case.origin.is_internet() => Err(format!(
                "whether {} can be reached from the Internet; name it in `rules.external.gateways` if it can",
                seen.gateway()
            )),
            _ => Ok(is_reachable),
        }
    }).collect();
    let expected = match wanted.value {
        true => "that the request gets to a route".to_owned(),
        false => "that the request gets to no route".to_owned(),
    };
    let at = answers.iter().position(|it| *it == Ok(true));
    let verdict = match (at, answers.iter().find_map(|it| it.as_ref().err())) {
        (Some(at), _) if !wanted.value => {
            let end = ways.get(at).map(|seen| ends(&seen.way.outcome));
            Verdict::Differs(expected, end.unwrap_or_default())
        }
        (Some(_), _) => return None,
        (None, Some(missing)) => Verdict::Unknown(expected, missing.clone()),
        (None, None) if wanted.value => {
            let end = ways.first().map(|seen| ends(&seen.way.outcome));
            Verdict::Differs(
                expected,
                end.unwrap_or_else(|| not_arriving(internal, notes)),
            )
        }
        (None, None) => return None,
    };
    let seen = at.and_then(|at| ways.get(at)).or(ways.first());
    told.failure("reachable", wanted.span, verdict, seen)
}
