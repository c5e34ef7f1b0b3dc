//! The backends of a rule, and the share of requests that each gets.

use super::route::{ChosenRule, parent_at};
use super::{Mark, Outcome, RequestState, SettingPlace, Share, Stage, StageResult, Step, stop};
use envoy_gateway::condition::kind;
use envoy_gateway::fault::Fault;
use envoy_gateway::index::Key;
use envoy_gateway::read::{flag, has, int, list, text};
use envoy_gateway::view::{BackendRef, Route};
use manifest::value::{Node, Pointer};

/// The place of a rule in its route.
pub(super) fn rule_place<'a>(route: &Route<'a>, rule: usize) -> SettingPlace<'a> {
    SettingPlace {
        object: route.object,
        pointer: Pointer::root().key("spec").key("rules").index(rule),
    }
}

/// The share of a weight, in percent.
fn percent(weight: i64, total: i64) -> u8 {
    let (weight, total) = (i128::from(weight), i128::from(total.max(1)));
    u8::try_from((weight * 100 + total / 2) / total).unwrap_or(100)
}

impl<'a> RequestState<'a, '_> {
    /// Adds the step that lists the backends.
    pub(super) fn backends(&mut self, chosen: &ChosenRule<'a>) -> StageResult<Outcome> {
        let Some(route) = self.inputs.resolved.route(chosen.route) else {
            return stop(404, "no route matches");
        };
        self.end_at_unknown_backends(route, chosen.rule)?;
        let backends = route
            .rules
            .get(chosen.rule)
            .map_or(&[][..], |it| &it.backends);
        let total = backends
            .iter()
            .fold(0_i64, |sum, it| sum.saturating_add(it.weight.max(0)));
        if total == 0 {
            let text = match backends.is_empty() {
                true => "the rule has no backend",
                false => "all backends of the rule have the weight 0",
            };
            let step = Step::new(Stage::Backend, text).mark(Mark::Stops);
            self.add(step.place(rule_place(route, chosen.rule)));
            return stop(500, "there is no backend to send the request to");
        }
        let faults: Vec<Fault> = parent_at(route, chosen.listener)
            .map(|it| it.faults.iter().cloned().collect())
            .unwrap_or_default();
        let mut shares = Vec::new();
        let mut is_any_empty = false;
        for backend in backends.iter().filter(|it| it.weight > 0) {
            let fault = faults
                .iter()
                .find(|it| it.pointer.as_ref() == Some(&backend.pointer));
            let refused = fault.filter(|it| !it.is_unknown);
            let is_empty = refused.is_some_and(|it| it.kind == kind::BACKENDS_AVAILABLE);
            is_any_empty |= is_empty;
            let share = Share {
                kind: backend.kind.to_owned(),
                namespace: backend.namespace.to_owned(),
                name: backend.name.to_owned(),
                port: backend.port,
                percent: percent(backend.weight, total),
                is_refused: refused.is_some(),
            };
            let step = self.tell_backend(route, backend, &share, fault);
            self.add(step);
            shares.push(share);
        }
        let place = rule_place(route, chosen.rule);
        let of_rule = faults
            .iter()
            .find(|it| it.pointer.as_ref() == Some(&place.pointer) && !it.is_unknown);
        if let Some(fault) = of_rule {
            let text = "the backends of the rule can't be combined";
            let step = Step::new(Stage::Backend, text).mark(Mark::Stops);
            self.add(step.detail(fault.message.clone()).place(place));
            return stop(500, "the controller refuses the backends of the rule");
        }
        match (shares.iter().all(|it| it.is_refused), is_any_empty) {
            (false, _) => Ok(Outcome::Backends(shares)),
            (true, true) => stop(503, "no backend has an endpoint"),
            (true, false) => stop(500, "the controller refuses every backend of the rule"),
        }
    }

    fn tell_backend(
        &self,
        route: &Route<'a>,
        backend: &BackendRef<'a>,
        share: &Share,
        fault: Option<&Fault>,
    ) -> Step<'a> {
        let key = Key {
            namespace: backend.namespace,
            name: backend.name,
        };
        let port = backend
            .port
            .map_or(String::new(), |port| format!(":{port}"));
        let part = match share.percent {
            100 => String::new(),
            percent => format!(", {percent} of 100 requests"),
        };
        let text = format!("{} {key}{port}{part}", backend.kind);
        let step = Step::new(Stage::Backend, text).place(SettingPlace {
            object: route.object,
            pointer: backend.pointer.clone(),
        });
        let step = match fault {
            None => step,
            Some(fault) if fault.is_unknown => {
                step.mark(Mark::Unknown).detail(fault.message.clone())
            }
            Some(fault) => step.mark(Mark::Stops).detail(fault.message.clone()),
        };
        let step = self.described(backend).into_iter().fold(step, Step::detail);
        match self.tls_to(backend) {
            Some(told) => step.detail(told),
            None => step,
        }
    }

    /// Details from the backend itself.
    fn described(&self, backend: &BackendRef<'a>) -> Vec<String> {
        let Some(object) = backend.object else {
            return Vec::new();
        };
        let spec = |path: &[&str]| object.node.get("spec").and_then(|it| text(it, path));
        if backend.kind != "Backend" {
            let ports = list(&object.node, &["spec", "ports"]).iter();
            let port = ports
                .into_iter()
                .find(|it| int(it, &["port"]) == backend.port);
            let target = port.and_then(|it| it.get("targetPort"));
            let target =
                target.map(|it| it.as_str().map_or(it.to_json().to_string(), str::to_owned));
            return target
                .map(|it| format!("its Pods listen on port {it}"))
                .into_iter()
                .collect();
        }
        if spec(&["type"]) == Some("DynamicResolver") {
            return vec!["it forwards to the host that the request names".to_owned()];
        }
        let endpoints = list(&object.node, &["spec", "endpoints"]);
        let mut told: Vec<String> = endpoints.iter().filter_map(endpoint).collect();
        if has(&object.node, &["spec", "tls"]) {
            told.push("with TLS, because of the Backend's `tls`".to_owned());
        }
        if flag(&object.node, &["spec", "fallback"]) == Some(true) {
            told.push("only used while the other backends are unhealthy (`fallback`)".to_owned());
        }
        told
    }

    /// The detail on TLS, if a BackendTLSPolicy applies to the backend.
    fn tls_to(&self, backend: &BackendRef<'a>) -> Option<String> {
        let is_target = |it: &Node| {
            text(it, &["kind"]) == Some(backend.kind) && text(it, &["name"]) == Some(backend.name)
        };
        let mut policies = self.inputs.resolved.backend_tls_policies().iter();
        let policy = policies.find(|policy| {
            policy.object.namespace() == backend.namespace
                && list(&policy.object.node, &["spec", "targetRefs"])
                    .iter()
                    .any(is_target)
        })?;
        let host = text(&policy.object.node, &["spec", "validation", "hostname"]);
        Some(format!(
            "with TLS for {}, because of BackendTLSPolicy {}",
            host.unwrap_or("its own name"),
            Key::of(policy.object)
        ))
    }
}

/// The address of a Backend's endpoint.
fn endpoint(node: &Node) -> Option<String> {
    let at = |kind: &str, key: &str| {
        let host = text(node, &[kind, key])?;
        let port = int(node, &[kind, "port"]).unwrap_or_default();
        Some(format!("at {host}:{port}"))
    };
    let socket = || text(node, &["unix", "path"]).map(|path| format!("at {path}"));
    at("fqdn", "hostname")
        .or_else(|| at("ip", "address"))
        .or_else(socket)
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn parts_are_rounded() {
        for (weight, total, want) in [
            (1, 1, 100),
            (1, 3, 33),
            (2, 3, 67),
            (i64::MAX, i64::MAX, 100),
        ] {
            assert_eq!(percent(weight, total), want);
        }
    }
}
