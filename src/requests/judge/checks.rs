//! The expectations that are about a single gateway, and how each is compared.

use crate::config::test::{Expectation, FlagOrText, Test};
use crate::requests::seen::{Seen, backend, ends};
use envoy_gateway::exposure::table::GuardKind;
use envoy_simulate::{Outcome, Request};
use manifest::diagnostic::Span;

/// What a single expectation comes to.
pub(super) enum Verdict {
    Holds,
    /// Something else happens: what is expected, and what happens.
    Differs(String, String),
    /// It is not known: what is expected, and what is missing.
    Unknown(String, String),
}

/// An expectation: its key, its place, and how it is compared.
pub(super) struct Check<'e> {
    pub(super) key: &'static str,
    pub(super) span: Option<Span>,
    pub(super) verdict: Box<dyn Fn(&Seen<'_, '_, '_>) -> Verdict + 'e>,
}

/// What is expected of a key, in words, for a request that gets to no gateway.
pub(super) fn described(key: &'static str, test: &Test) -> String {
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

/// Everything that is expected, but `reachable`.
pub(super) fn checks(expect: &Expectation) -> Vec<Check<'_>> {
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
