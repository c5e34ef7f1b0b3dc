//! The results of tests as JSON.

use serde_json::{Value as Json, json};

use super::coverage::Coverage;
use super::{Failure, Outcome};
use manifest::diagnostic::{Diagnostic, Sources, Span};

/// The name of the format. Keys are added to it, never renamed or dropped.
pub const FORMAT: &str = "gatewayctl/test/v1";

/// The results as JSON:
///
/// - `schema`: [`FORMAT`].
/// - `summary`: `tests`, `requests`, `passed`, `failed` (both of requests), `unknown` (of those that failed, the ones where
///   only something is not known), `mistakes` (tests that are wrong themselves).
/// - `requests`: each with `test` (its name), `request`, `cluster` (or null), `file`, `line`, `passed`, `failures`.
/// - a failure: `expectation` (its key), `expected`, `found`, `unknown`, `file`, `line`, `column`, `request` (with the address
///   that was tried), `because` (`file`, `line`, `text`; or null).
/// - `coverage`: for each cluster `cluster` (or null), `listeners` and `routes`, each with `total` and `untouched`.
/// - `mistakes`: each with `code`, `message`, `file`, `line`, `column`.
pub fn json(
    tests: usize,
    outcomes: &[Outcome],
    coverage: &[(Option<String>, Coverage)],
    mistakes: &[Diagnostic],
    sources: &Sources,
) -> Json {
    let failed = outcomes.iter().filter(|it| !it.failures.is_empty());
    let unknown = failed
        .clone()
        .filter(|it| it.failures.iter().all(|one| one.is_unknown));
    let (failed, unknown) = (failed.count(), unknown.count());
    json!({
        "schema": FORMAT,
        "summary": {
            "tests": tests,
            "requests": outcomes.len(),
            "passed": outcomes.len() - failed,
            "failed": failed,
            "unknown": unknown,
            "mistakes": mistakes.len(),
        },
        "requests": outcomes.iter().map(|it| outcome(it, sources)).collect::<Vec<_>>(),
        "coverage": coverage.iter().map(|(cluster, it)| json!({
            "cluster": cluster,
            "listeners": {"total": it.listeners, "untouched": it.untouched_listeners},
            "routes": {"total": it.rules, "untouched": it.untouched_rules},
        })).collect::<Vec<_>>(),
        "mistakes": mistakes.iter().map(|it| mistake(it, sources)).collect::<Vec<_>>(),
    })
}

fn outcome(it: &Outcome, sources: &Sources) -> Json {
    json!({
        "test": it.test,
        "request": it.request,
        "cluster": it.cluster,
        "file": it.file,
        "line": it.line,
        "passed": it.failures.is_empty(),
        "failures": it.failures.iter().map(|one| failure(one, sources)).collect::<Vec<_>>(),
    })
}

fn failure(it: &Failure, sources: &Sources) -> Json {
    let mut json = place(it.finding.span, sources);
    let because = it.finding.related.first().map(|related| {
        let mut json = place(Some(related.span), sources);
        json["text"] = related.label.as_str().into();
        json
    });
    json["expectation"] = it.key.into();
    json["expected"] = it.expected.as_str().into();
    json["found"] = it.found.as_str().into();
    json["unknown"] = it.is_unknown.into();
    json["request"] = it.finding.why.as_deref().into();
    json["because"] = because.into();
    json
}

fn mistake(it: &Diagnostic, sources: &Sources) -> Json {
    let mut json = place(it.span, sources);
    json["code"] = it.code.as_str().into();
    json["message"] = it.message.as_str().into();
    json
}

fn place(span: Option<Span>, sources: &Sources) -> Json {
    let at = span.map(|span| sources.locate(span));
    json!({
        "file": at.as_ref().map(|it| it.file.as_str()),
        "line": at.as_ref().map(|it| it.line),
        "column": at.as_ref().map(|it| it.column),
    })
}
