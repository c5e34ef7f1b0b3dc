//! `test --live`: asks the real gateways, and compares their answers with what the manifests say.
//!
//! A request can't be sent from another place, with a certificate or with a password that is only described. So only what
//! happens to a client of unknown address without any of them is compared, and only where that is known.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use super::files::Runnable;
use crate::cluster::probe::{Answer, Ask, ask_all};
use crate::config::test::Test;
use crate::requests::cases::{self, Case};
use crate::requests::codes::TEST_LIVE;
use crate::requests::seen::{Front, Seen, ends};
use crate::requests::{Failure, Outcome as TestOutcome};
use envoy_simulate::{ClientCertificate, Outcome, Request};
use manifest::diagnostic::Diagnostic;
use manifest::value::variable;

/// What a gateway should do with a request, and the request.
struct Question<'t> {
    /// The index of the case.
    at: usize,
    test: &'t Test,
    case: &'t Case,
    gateway: String,
    expected: Outcome,
    ask: Ask,
}

/// The answers to the requests of tests.
#[derive(Default)]
pub(super) struct Asked {
    /// What differs, each with the index of its case.
    pub failures: Vec<(usize, Failure)>,
    /// The indices of the cases that a gateway was asked about.
    pub about: BTreeSet<usize>,
    /// How many requests were sent.
    pub sent: usize,
    /// How many could not be.
    pub skipped: usize,
}

impl Asked {
    /// Puts what differs into the results of the cases. Where a gateway was asked, the status of a backend's answer is known.
    pub(super) fn put_into(self, outcomes: &mut [TestOutcome]) {
        for (at, outcome) in outcomes.iter_mut().enumerate() {
            if self.about.contains(&at) {
                outcome
                    .failures
                    .retain(|it| !(it.key == "status" && it.is_unknown));
            }
        }
        for (at, failure) in self.failures {
            if let Some(outcome) = outcomes.get_mut(at) {
                outcome.failures.push(failure);
            }
        }
    }
}

/// Asks the gateways for the requests of some tests.
pub(super) fn ask(front: &Front<'_, '_>, jobs: &[(&Runnable<'_>, &Case)]) -> Asked {
    let mut asked = Asked::default();
    let mut questions = Vec::new();
    for (at, (runnable, case)) in jobs.iter().enumerate() {
        let found = questions_of(front, at, runnable.test, case);
        asked.skipped += usize::from(found.is_empty());
        questions.extend(found);
    }
    let asks: Vec<Ask> = questions.iter().map(|it| it.ask.clone()).collect();
    asked.sent = asks.len();
    asked.about = questions.iter().map(|it| it.at).collect();
    for (question, answer) in questions.iter().zip(ask_all(&asks)) {
        let failure = question.failure(&answer);
        asked.failures.extend(failure.map(|it| (question.at, it)));
    }
    asked
}

fn questions_of<'t>(
    front: &Front<'_, '_>,
    at: usize,
    test: &'t Test,
    case: &'t Case,
) -> Vec<Question<'t>> {
    let request = &case.request;
    let needs =
        request.signed_in || !matches!(request.certificate, None | Some(ClientCertificate::None));
    if needs || !request.scheme.is_http() || variable::in_text(&request.host) {
        return Vec::new();
    }
    let request = Request {
        from: None,
        certificate: Some(ClientCertificate::None),
        ..request.clone()
    };
    let gateway = test.request.gateway.as_ref().map(|it| it.value.as_str());
    let (ways, _) = front.see(&request, gateway);
    let ways = ways.iter().filter(|seen| is_decided(seen));
    let questions = ways.filter_map(|seen| {
        let address: IpAddr = seen.addresses().iter().find_map(|it| it.parse().ok())?;
        Some(Question {
            at,
            test,
            case,
            gateway: seen.gateway(),
            expected: seen.way.outcome.clone(),
            ask: Ask {
                address: SocketAddr::new(address, request.port),
                server_name: request.scheme.is_tls().then(|| request.host.clone()),
                verifies: request.verifies,
                method: request.method.clone(),
                target: request.target(),
                host: host(&request),
                headers: request.headers.clone(),
            },
        })
    });
    questions.collect()
}

/// The header `Host`, which has the port unless it is the default.
fn host(request: &Request) -> String {
    let default = if request.scheme.is_tls() { 443 } else { 80 };
    match request.port == default {
        true => request.authority.clone(),
        false => format!("{}:{}", request.authority, request.port),
    }
}

/// Whether it is known what happens, wherever the client is.
fn is_decided(seen: &Seen<'_, '_, '_>) -> bool {
    !matches!(seen.way.outcome, Outcome::Unknown(_)) && seen.refused().is_ok()
}

impl Question<'_> {
    /// What differs between the answer and what should happen.
    fn failure(&self, answer: &Answer) -> Option<Failure> {
        let wanted = self.test.expect.status.as_ref();
        let is_met = match (&self.expected, answer) {
            // The backend's own answer may be anything, unless the test says more.
            (Outcome::Backends(_), Answer::Response { status, .. }) => {
                wanted.is_none_or(|it| it.value == i64::from(*status))
            }
            (Outcome::Response { status, .. }, Answer::Response { status: found, .. }) => {
                status == found
            }
            (
                Outcome::Redirect {
                    status, location, ..
                },
                Answer::Response {
                    status: found,
                    location: to,
                },
            ) => {
                // Where a login redirects to has more in it than is known here.
                let to = to.as_deref().unwrap_or_default();
                status == found && (to == location || to.starts_with(location.as_str()))
            }
            (Outcome::Closed(_), Answer::Nothing(_)) => true,
            _ => false,
        };
        if is_met {
            return None;
        }
        let expected = match (&self.expected, wanted) {
            (Outcome::Backends(_), Some(status)) => format!("status {}", status.value),
            (other, _) => ends(other),
        };
        let found = match answer {
            Answer::Response {
                status,
                location: Some(to),
            } => format!("it answers {status}, to {to}"),
            Answer::Response { status, .. } => format!("it answers {status}"),
            Answer::Nothing(why) => why.clone(),
        };
        let message = format!(
            "{}: the real gateway does something else: {found}",
            cases::name(self.test)
        );
        let finding = Diagnostic::new(TEST_LIVE, message)
            .at(cases::place(self.test))
            .why(format!(
                "{} was sent to {} ({}); by the manifests, {expected}",
                self.case.shown(),
                self.gateway,
                self.ask.address
            ))
            .help("check whether the cluster has applied these manifests, and whether something else answers at this address");
        Some(Failure {
            key: "live",
            expected,
            found,
            is_unknown: false,
            finding,
        })
    }
}
