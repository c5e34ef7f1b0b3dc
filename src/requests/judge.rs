//! Compares what happens to the requests of a test with what the test expects.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Failure;
use super::cases::{Case, name, place};
use super::codes::{TEST_FAILED, TEST_UNKNOWN};
use super::coverage::Touched;
use super::networks::Origin;
use super::seen::{Front, Seen, backend, ends};
use crate::config::test::{Expectation, FlagOrText, Test};
use envoy_gateway::exposure::table::{GuardKind, Side};
use envoy_simulate::{Outcome, Request, Stage, Step};
use manifest::diagnostic::{Diagnostic, Span};

/// What a single expectation comes to.
enum Verdict {
    Holds,
    /// Something else happens: what is expected, and what happens.
    Differs(String, String),
    /// It is not known: what is expected, and what is missing.
    Unknown(String, String),
}

/// An expectation: its key, its place, and how it is compared.
struct Check<'e> {
    key: &'static str,
    span: Option<Span>,
    verdict: Box<dyn Fn(&Seen<'_, '_, '_>) -> Verdict + 'e>,
}

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
    if *origin == Origin::Internet {
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
            Side::Unknown if is_reachable && told.case.origin == Origin::Internet => Err(format!(
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

/// What is expected of a key, in words, for a request that gets to no gateway.
fn described(key: &'static str, test: &Test) -> String {
    let expect = &test.expect;
    let text = match key {
        "route" => expect.route.as_ref().map(|it| it.value.clone()),
        "backend" => Some(joined(expect.backend.iter().map(|it| it.value.as_str()))),
        "guards" => Some(joined(expect.guards.iter().map(|it| it.value.as_str()))),
        "gateway" => expect.gateway.as_ref().map(|it| it.value.clone()),
        "listener" => expect.listener.as_ref().map(|it| it.value.clone()),
        "status" => expect.status.as_ref().map(|it| it.value.to_string()),
        _ => None,
    };
    match text {
        Some(text) => format!("{key} {text}"),
        None => key.to_owned(),
    }
}

fn joined<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let all: Vec<&str> = texts.collect();
    match all.is_empty() {
        true => "none".to_owned(),
        false => all.join(", "),
    }
}

fn known<T>(
    seen: Result<T, String>,
    expected: String,
    judge: impl FnOnce(T, String) -> Verdict,
) -> Verdict {
    match seen {
        Ok(value) => judge(value, expected),
        Err(missing) => Verdict::Unknown(expected, missing),
    }
}

fn is(holds: bool, expected: String, found: impl FnOnce() -> String) -> Verdict {
    match holds {
        true => Verdict::Holds,
        false => Verdict::Differs(expected, found()),
    }
}

/// Whether `namespace/name` is meant by a name, with or without the namespace.
fn is_named(full: &str, wanted: &str) -> bool {
    full == wanted || full.rsplit('/').next() == Some(wanted)
}

fn checks(expect: &Expectation) -> Vec<Check<'_>> {
    let mut all: Vec<Check<'_>> = Vec::new();
    let mut add = |key, span, verdict| all.push(Check { key, span, verdict });
    if let Some(wanted) = &expect.gateway {
        add(
            "gateway",
            wanted.span,
            Box::new(move |seen: &Seen<'_, '_, '_>| {
                let found = seen.gateway();
                is(
                    is_named(&found, wanted),
                    format!("gateway {}", wanted.value),
                    || format!("it arrives at gateway {found}"),
                )
            }) as Box<dyn Fn(&Seen<'_, '_, '_>) -> Verdict>,
        );
    }
    if let Some(wanted) = &expect.listener {
        add(
            "listener",
            wanted.span,
            Box::new(move |seen: &Seen<'_, '_, '_>| {
                let found = seen.listener_name();
                let holds = found
                    .as_deref()
                    .is_some_and(|found| is_named(found, wanted));
                is(
                    holds,
                    format!("listener {}", wanted.value),
                    || match found {
                        Some(found) => format!("it arrives at listener {found}"),
                        None => ends(&seen.way.outcome),
                    },
                )
            }),
        );
    }
    if let Some(wanted) = &expect.tls {
        add(
            "tls",
            wanted.span,
            Box::new(move |seen: &Seen<'_, '_, '_>| {
                known(seen.tls(), tls_words(&wanted.value), |found, expected| {
                    let holds = match &wanted.value {
                        FlagOrText::Flag(flag) => found.is_some() == *flag,
                        FlagOrText::Text(version) => found.as_deref() == Some(version),
                    };
                    is(holds, expected, || match found.as_deref() {
                        None if seen.way.listener.is_none() => ends(&seen.way.outcome),
                        None => "the listener uses no TLS".to_owned(),
                        Some("passthrough") => "the listener passes TLS through".to_owned(),
                        Some(version) => format!("the listener accepts TLS {version} and later"),
                    })
                })
            }),
        );
    }
    if let Some(wanted) = &expect.client_ip {
        add(
            "client_ip",
            wanted.span,
            Box::new(move |seen: &Seen<'_, '_, '_>| {
                let sent = seen.way.request.from;
                let address = match wanted.value.as_str() {
                    "as sent" => sent,
                    address => address.parse().ok(),
                };
                let expected = format!("the client's address {}", wanted.value);
                known(seen.client(), expected, |found, expected| {
                    is(address == Some(found), expected, || {
                        format!("policies and backends see {found}")
                    })
                })
            }),
        );
    }
    if let Some(wanted) = &expect.route {
        add(
            "route",
            wanted.span,
            Box::new(move |seen: &Seen<'_, '_, '_>| {
                known(
                    seen.route(),
                    format!("route {}", wanted.value),
                    |found, expected| {
                        let Some((kind, name, _)) = found else {
                            return Verdict::Differs(expected, ends(&seen.way.outcome));
                        };
                        let holds = match wanted.split_once(' ') {
                            Some((of_kind, named)) => of_kind == kind && is_named(&name, named),
                            None => is_named(&name, wanted),
                        };
                        is(holds, expected, || {
                            format!("{kind} {name} takes the request")
                        })
                    },
                )
            }),
        );
    }
    if expect.guards.is_given() {
        let wanted = &expect.guards;
        add(
            "guards",
            wanted.span,
            Box::new(move |seen: &Seen<'_, '_, '_>| {
                let mut kinds: Vec<GuardKind> = wanted
                    .iter()
                    .filter_map(|it| GuardKind::parse(it))
                    .collect();
                kinds.sort();
                kinds.dedup();
                let names = |kinds: &[GuardKind]| joined(kinds.iter().map(|kind| kind.as_str()));
                let expected = match kinds.is_empty() {
                    true => "no guards".to_owned(),
                    false => format!("guards {}", names(&kinds)),
                };
                known(seen.guards(), expected, |found, expected| match found {
                    None => Verdict::Differs(expected, ends(&seen.way.outcome)),
                    Some(found) => is(found == kinds, expected, || match found.is_empty() {
                        true => "nothing guards the backend".to_owned(),
                        false => format!("the backend is guarded by {}", names(&found)),
                    }),
                })
            }),
        );
    }
    if expect.backend.is_given() {
        let wanted = &expect.backend;
        add(
            "backend",
            wanted.span,
            Box::new(move |seen: &Seen<'_, '_, '_>| {
                let expected = format!(
                    "backend {}",
                    joined(wanted.iter().map(|it| it.value.as_str()))
                );
                known(seen.backends(), expected, |found, expected| match found {
                    Err(end) => Verdict::Differs(expected, end),
                    Ok(shares) => {
                        let fits = |text: &str, share: &envoy_simulate::Share| {
                            let full = backend(share);
                            let bare = full
                                .rsplit_once(':')
                                .map_or(full.as_str(), |(bare, _)| bare);
                            is_named(&full, text) || is_named(bare, text)
                        };
                        let holds = shares.iter().all(|share| {
                            !share.is_refused && wanted.iter().any(|it| fits(it, share))
                        }) && wanted
                            .iter()
                            .all(|it| shares.iter().any(|share| fits(it, share)));
                        is(holds, expected, || {
                            match shares.iter().find(|share| share.is_refused) {
                                Some(share) => format!(
                                    "the gateway answers 500 in place of {}",
                                    backend(share)
                                ),
                                None => ends(&Outcome::Backends(shares.clone())),
                            }
                        })
                    }
                })
            }),
        );
    }
    if let Some(wanted) = &expect.path {
        add(
            "path",
            wanted.span,
            Box::new(move |seen: &Seen<'_, '_, '_>| {
                known(
                    seen.path(),
                    format!("path {}", wanted.value),
                    |found, expected| match found {
                        None => Verdict::Differs(expected, ends(&seen.way.outcome)),
                        Some(found) => is(found == wanted.value, expected, || {
                            format!("the backend gets {found}")
                        }),
                    },
                )
            }),
        );
    }
    if let Some(wanted) = &expect.refused {
        add(
            "refused",
            wanted.span,
            Box::new(move |seen: &Seen<'_, '_, '_>| {
                let expected = match &wanted.value {
                    FlagOrText::Flag(true) => "a refusal".to_owned(),
                    FlagOrText::Flag(false) => "no refusal".to_owned(),
                    FlagOrText::Text(guard) => format!("a refusal by {guard}"),
                };
                known(seen.refused(), expected, |found, expected| {
                    let holds = match &wanted.value {
                        FlagOrText::Flag(flag) => found.is_some() == *flag,
                        FlagOrText::Text(guard) => {
                            found.is_some_and(|found| found.as_str() == guard)
                        }
                    };
                    is(holds, expected, || match found {
                        Some(guard) => format!(
                            "the client is refused by {}: {}",
                            guard.as_str(),
                            ends(&seen.way.outcome)
                        ),
                        None => ends(&seen.way.outcome),
                    })
                })
            }),
        );
    }
    if let Some(wanted) = &expect.status {
        add(
            "status",
            wanted.span,
            Box::new(move |seen: &Seen<'_, '_, '_>| status(seen, wanted.value)),
        );
    }
    if let Some(wanted) = &expect.redirect {
        add(
            "redirect",
            wanted.span,
            Box::new(move |seen: &Seen<'_, '_, '_>| redirect(seen, &wanted.value)),
        );
    }
    all
}

fn tls_words(wanted: &FlagOrText) -> String {
    match wanted {
        FlagOrText::Flag(true) => "TLS".to_owned(),
        FlagOrText::Flag(false) => "no TLS".to_owned(),
        FlagOrText::Text(text) if text == "passthrough" => "TLS that is passed through".to_owned(),
        FlagOrText::Text(version) => format!("TLS {version} and later"),
    }
}

/// A guard that only the cluster can decide on, after which the way continues.
fn undecided(seen: &Seen<'_, '_, '_>) -> Option<String> {
    seen.refused().err()
}

fn status(seen: &Seen<'_, '_, '_>, wanted: i64) -> Verdict {
    let expected = format!("status {wanted}");
    let found = match &seen.way.outcome {
        Outcome::Response { status, .. } | Outcome::Redirect { status, .. } => i64::from(*status),
        Outcome::Closed(_) => return Verdict::Differs(expected, ends(&seen.way.outcome)),
        Outcome::Unknown(why) => return Verdict::Unknown(expected, why.clone()),
        Outcome::Backends(shares) => {
            if let Some(share) = shares.iter().find(|share| share.is_refused) {
                let found = format!("the gateway answers 500 in place of {}", backend(share));
                let is_whole = shares.iter().all(|share| share.is_refused);
                return is(is_whole && wanted == 500, expected, || found);
            }
            let missing = undecided(seen).unwrap_or_else(|| {
                format!(
                    "{}, whose answer is not known here; expect `backend` instead",
                    ends(&seen.way.outcome)
                )
            });
            return Verdict::Unknown(expected, missing);
        }
    };
    match (found == wanted, undecided(seen)) {
        (true, None) => Verdict::Holds,
        (_, Some(missing)) => Verdict::Unknown(expected, missing),
        (false, None) => Verdict::Differs(expected, ends(&seen.way.outcome)),
    }
}

fn redirect(seen: &Seen<'_, '_, '_>, wanted: &FlagOrText) -> Verdict {
    let expected = match wanted {
        FlagOrText::Flag(true) => "a redirect".to_owned(),
        FlagOrText::Flag(false) => "no redirect".to_owned(),
        FlagOrText::Text(to) => format!("a redirect to {to}"),
    };
    let location = match &seen.way.outcome {
        Outcome::Redirect { location, .. } => Some(location.as_str()),
        Outcome::Unknown(why) => return Verdict::Unknown(expected, why.clone()),
        _ => None,
    };
    let holds = match wanted {
        FlagOrText::Flag(flag) => location.is_some() == *flag,
        FlagOrText::Text(to) => location.is_some_and(|location| same_url(location, to)),
    };
    match (holds, undecided(seen)) {
        (true, None) => Verdict::Holds,
        (_, Some(missing)) => Verdict::Unknown(expected, missing),
        (false, None) => Verdict::Differs(expected, ends(&seen.way.outcome)),
    }
}

/// Whether two URLs are the same, with or without the port that is the default anyway and the slash at the end of a host.
fn same_url(one: &str, other: &str) -> bool {
    let plain = |url: &str| Request::get(url).map_or(url.to_owned(), |it| it.to_string());
    plain(one) == plain(other)
}

/// What failures are told about.
struct Told<'t> {
    test: &'t Test,
    case: &'t Case,
    request: &'t Request,
}

impl Told<'_> {
    fn failure(
        &self,
        key: &'static str,
        span: Option<Span>,
        verdict: Verdict,
        seen: Option<&Seen<'_, '_, '_>>,
    ) -> Option<Failure> {
        let (code, expected, found) = match verdict {
            Verdict::Holds => return None,
            Verdict::Differs(expected, found) => (TEST_FAILED, expected, found),
            Verdict::Unknown(expected, missing) => (TEST_UNKNOWN, expected, missing),
        };
        let is_unknown = code == TEST_UNKNOWN;
        let named = match name(self.test) {
            text if text.is_empty() => String::new(),
            text => format!("{text}: "),
        };
        let message = match is_unknown {
            true => format!("{named}expected {expected}, but that is not known: {found}"),
            false => format!("{named}expected {expected}, but {found}"),
        };
        let mut finding = Diagnostic::new(code, message)
            .at(span.or_else(|| place(self.test)))
            .why(self.why(seen))
            .help(match is_unknown {
                true => "add what is missing to the request or to the files, or set `allow_unknown = true`".to_owned(),
                false => format!("`{}` shows each step", self.command()),
            });
        if let Some(seen) = seen {
            let step = match key {
                "route" | "backend" | "path" => seen.routing(),
                "guards" => seen.guarding().or(seen.routing()),
                "client_ip" => seen.step_of(Stage::Client),
                "tls" | "listener" => seen.step_of(Stage::Listener),
                "gateway" => seen.step_of(Stage::Gateway),
                _ => None,
            };
            let step = step.filter(|step| step.place.is_some()).or(seen.deciding());
            finding = related(finding, step);
        }
        Some(Failure {
            key,
            expected,
            found,
            is_unknown,
            finding,
        })
    }

    /// The request, and where it went.
    fn why(&self, seen: Option<&Seen<'_, '_, '_>>) -> String {
        let address = match (&self.case.origin, self.request.from) {
            (Origin::Network(..) | Origin::Internet, Some(address)) => format!(" ({address})"),
            _ => String::new(),
        };
        let gateway = seen.map_or(String::new(), |seen| {
            format!(", at gateway {}", seen.gateway())
        });
        format!("{}{address}{gateway}", self.case.shown())
    }

    /// The command that traces the request.
    fn command(&self) -> String {
        let mut words = vec![
            "gatewayctl trace".to_owned(),
            quoted(&self.request.to_string()),
        ];
        words.extend((self.request.method != "GET").then(|| format!("-X {}", self.request.method)));
        let headers = self.request.headers.iter();
        words.extend(
            headers.map(|(name, value)| format!("-H {}", quoted(&format!("{name}: {value}")))),
        );
        words.extend(self.request.from.map(|from| format!("--from {from}")));
        words.join(" ")
    }
}

/// The text as one word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~/:@%+=,".contains(c);
    match text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// Adds the object that decides a step.
fn related(finding: Diagnostic, step: Option<&Step<'_>>) -> Diagnostic {
    let Some((step, place)) = step.and_then(|step| Some((step, step.place.as_ref()?))) else {
        return finding;
    };
    let span = place
        .object
        .origin(&place.pointer)
        .or_else(|| place.object.span(&place.pointer));
    let label = match step.details.first() {
        Some(detail) => format!("{}: {detail}", step.text),
        None => step.text.clone(),
    };
    finding.related(span, label)
}
