//! How the request is forwarded: BackendTrafficPolicies, and the settings of the rule itself.

use super::route::ChosenRule;
use super::{Mark, RequestState, Stage, StageResult, Step, stop};
use envoy_gateway::policy::PolicyKind;
use envoy_gateway::read::{has, int, list, text};
use manifest::value::Node;

/// Settings that are reported as they are: the path in the policy, and the text before the value.
const TOLD: &[(&[&str], &str)] = &[
    (
        &["timeout", "http", "requestTimeout"],
        "the response must be complete within",
    ),
    (
        &["timeout", "http", "streamTimeout"],
        "the whole stream must end within",
    ),
    (
        &["timeout", "http", "connectionIdleTimeout"],
        "idle connections to the backend are closed after",
    ),
    (
        &["timeout", "http", "maxConnectionDuration"],
        "connections to the backend last at most",
    ),
    (
        &["timeout", "tcp", "connectTimeout"],
        "the backend must accept the connection within",
    ),
    (&["loadBalancer", "type"], "endpoints are chosen by"),
    (
        &["requestBuffer", "limit"],
        "requests are buffered completely, up to",
    ),
];

/// Settings that let the gateway respond instead of the backend.
const ANSWERS: &[(&str, &str)] = &[
    ("rateLimit", "a rate limit may answer with 429"),
    ("circuitBreaker", "a circuit breaker may answer with 503"),
    ("admissionControl", "admission control may answer with 503"),
    (
        "responseOverride",
        "some responses of the backend are replaced",
    ),
];

/// What Envoy Gateway retries on unless a policy says otherwise.
const DEFAULT_TRIGGERS: [&str; 5] = [
    "connect-failure",
    "refused-stream",
    "unavailable",
    "cancelled",
    "retriable-status-codes",
];

/// Describes the retries of a policy.
fn retries(retry: &Node) -> String {
    let count = int(retry, &["numRetries"]).unwrap_or(2);
    let triggers = list(retry, &["retryOn", "triggers"]).iter();
    let triggers = triggers.filter_map(|it| it.as_str().map(str::to_owned));
    let codes = list(retry, &["retryOn", "httpStatusCodes"]).iter();
    let codes = codes.filter_map(|it| it.as_i64().map(|code| code.to_string()));
    let on: Vec<String> = triggers.chain(codes).collect();
    let on = match list(retry, &["retryOn", "triggers"]).is_empty() {
        false => on,
        // Without triggers, those of the controller; without `retryOn`, its codes, too.
        true => {
            let codes = if has(retry, &["retryOn"]) {
                &[][..]
            } else {
                &["503".to_owned()]
            };
            let own = DEFAULT_TRIGGERS.iter().map(|it| (*it).to_owned());
            own.chain(codes.iter().cloned()).chain(on).collect()
        }
    };
    let times = if count == 1 { "once" } else { "times" };
    let count = if count == 1 {
        String::new()
    } else {
        format!("{count} ")
    };
    match on.is_empty() {
        true => format!("retried {count}{times}"),
        false => format!("retried {count}{times} on {}", on.join(", ")),
    }
}

impl<'a> RequestState<'a, '_> {
    /// Adds the steps that say how the request is forwarded.
    pub(super) fn traffic(&mut self, chosen: &ChosenRule<'a>) -> StageResult<()> {
        let route = self.inputs.resolved.route(chosen.route);
        let rule = route.and_then(|it| Some((it, it.rules.get(chosen.rule)?)));
        if let Some((route, rule)) = rule {
            let mut told = Vec::new();
            for (path, what) in [
                (
                    ["timeouts", "request"],
                    "the response must be complete within",
                ),
                (
                    ["timeouts", "backendRequest"],
                    "each attempt must be answered within",
                ),
            ] {
                told.extend(text(rule.node, &path).map(|value| format!("{what} {value}")));
            }
            if let Some(attempts) = int(rule.node, &["retry", "attempts"]) {
                told.push(format!("retried {attempts} times"));
            }
            if !told.is_empty() {
                let text = format!("set in the rule: {}", told.join("; "));
                let step = Step::new(Stage::Traffic, text);
                self.add(step.place(super::backend::rule_place(route, chosen.rule)));
            }
        }
        let Some(policy) = self.in_force(PolicyKind::Backend, chosen.listener, Some(chosen)) else {
            return Ok(());
        };
        let named = policy.named();
        if let Some(why) = policy.refused.clone() {
            let step = Step::new(Stage::Traffic, format!("{named} is refused"))
                .mark(Mark::Stops)
                .detail(why);
            self.add_for(step, &policy, &[]);
            return stop(
                500,
                "a refused BackendTrafficPolicy makes its routes answer 500",
            );
        }
        let spec = &policy.spec;
        let told = TOLD
            .iter()
            .filter_map(|(path, what)| Some(format!("{what} {}", text(spec, path)?)));
        let retry = spec.get("retry").map(retries);
        let compressors = list(spec, &["compressor"]).iter();
        // Without the table of its type, a compressor does nothing.
        let compressors: Vec<&str> = compressors
            .filter_map(|it| {
                let kind = text(it, &["type"])?;
                has(it, &[&kind.to_ascii_lowercase()]).then_some(kind)
            })
            .collect();
        let compressed = (!compressors.is_empty())
            .then(|| format!("responses are compressed: {}", compressors.join(", ")));
        let answers = ANSWERS.iter().filter(|(key, _)| has(spec, &[key]));
        let step = told
            .chain(retry)
            .chain(compressed)
            .chain(answers.map(|(_, what)| (*what).to_owned()))
            .fold(Step::new(Stage::Traffic, named), Step::detail);
        let step = match has(spec, &["faultInjection"]) {
            true => step
                .mark(Mark::Minds)
                .detail("faults are injected on purpose: some requests are delayed or fail"),
            false => step,
        };
        self.add_for(step, &policy, &[]);
        Ok(())
    }
}
