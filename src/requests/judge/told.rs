//! What is told of an expectation that doesn't hold.

use super::checks::Verdict;
use crate::config::test::Test;
use crate::requests::Failure;
use crate::requests::cases::{Case, name, place};
use crate::requests::codes::{TEST_FAILED, TEST_UNKNOWN};
use crate::requests::networks::Origin;
use crate::requests::seen::Seen;
use envoy_simulate::{Request, Stage, Step};
use manifest::diagnostic::{Diagnostic, Span};

/// What failures are told about.
pub(super) struct Told<'t> {
    pub(super) test: &'t Test,
    pub(super) case: &'t Case,
    pub(super) request: &'t Request,
}

impl Told<'_> {
    /// The failure of an expectation, if it doesn't hold.
    pub(super) fn failure(
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
