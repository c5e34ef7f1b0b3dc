//! ClientTrafficPolicies apply to listeners. One that targets a listener or a ListenerSet comes before one for the
//! whole Gateway.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::attach::as_ancestor;
use super::{Outcome, PolicyException, Scope};
use crate::Resolver;
use crate::condition::{Status, kind};
use crate::fault::{Fault, Faults};
use crate::index::Key;
use crate::proxies::inner_port;
use crate::read::has;
use crate::view::{GatewayId, Listener, ListenerId, PolicyId};

/// The beginning of what is said of a policy for one of several plain HTTP listeners that are one listener in Envoy.
pub const SHARED_PORT: &str = "plain HTTP listeners share port";

/// The targets that have a policy already, by gateway.
#[derive(Default)]
struct TakenTargets<'a> {
    /// Gateways and ListenerSets as a whole.
    whole: HashSet<Scope<'a>>,
    /// Listeners, by their gateway.
    listeners: HashMap<GatewayId, BTreeSet<Scope<'a>>>,
}

impl<'a> Resolver<'a, '_> {
    pub(super) fn client_policies(&mut self, ids: &[PolicyId]) {
        let board = self.board();
        let targets = self.find_targets(ids, &board);
        let mut taken = TakenTargets::default();
        const STAGES: [fn(&Scope<'_>) -> bool; 4] = [
            |it| matches!(it, Scope::SetListener(..) | Scope::GatewayListener(..)),
            |it| matches!(it, Scope::Set(_)),
            |it| matches!(it, Scope::Gateway(_)),
            |it| matches!(it, Scope::Route(..) | Scope::Rule(..) | Scope::Other(..)),
        ];
        for stage in STAGES {
            for id in ids {
                for (scope, is_selected) in targets
                    .get(id)
                    .into_iter()
                    .flatten()
                    .filter(|(scope, _)| stage(scope))
                {
                    let gateway = match scope {
                        Scope::Set(set) | Scope::SetListener(set, _) => {
                            self.gateway_of_set(*set, &board)
                        }
                        Scope::Gateway(key) | Scope::GatewayListener(key, _) => {
                            board.gateways.get(key).copied()
                        }
                        _ => None,
                    };
                    let outcome = match gateway {
                        None => Outcome::NotFound,
                        Some(gateway)
                            if scope.is_section()
                                && !self.has_any_section(*scope, gateway, &board) =>
                        {
                            Outcome::NoSection
                        }
                        Some(gateway) if taken.claim(*scope, gateway) => Outcome::Holds,
                        Some(_) => Outcome::Conflicts,
                    };
                    self.note(*id, *scope, *is_selected, outcome);
                    if let Some(gateway) = gateway {
                        self.attach_client(*id, *scope, gateway, outcome, &mut taken);
                    }
                }
            }
        }
    }

    /// Whether a section exists. Since Envoy Gateway 1.9, a section of a Gateway may also be a listener of its
    /// ListenerSets.
    fn has_any_section(
        &self,
        scope: Scope<'a>,
        gateway: GatewayId,
        board: &super::targets::TargetCandidates<'a>,
    ) -> bool {
        let Scope::GatewayListener(_, name) = scope else {
            return self.has_section(scope, board);
        };
        let mut all = self
            .view
            .gateway(gateway)
            .into_iter()
            .flat_map(|it| &it.listeners);
        all.any(|id| self.view.listener(*id).is_some_and(|it| it.name == name))
    }

    fn attach_client(
        &mut self,
        id: PolicyId,
        scope: Scope<'a>,
        gateway: GatewayId,
        outcome: Outcome,
        taken: &mut TakenTargets<'a>,
    ) {
        let under = vec![as_ancestor(scope)];
        if self.refuse_target(id, scope, outcome, &under) {
            return;
        }
        let [under] = under.as_slice() else {
            return;
        };
        let mut listeners = self.listeners_of(scope, gateway);
        if !scope.is_section() {
            let others = taken.listeners.get(&gateway).cloned().unwrap_or_default();
            let overriding: Vec<&str> = others
                .iter()
                .filter(|it| matches!(scope, Scope::Gateway(_)) || it.whole() == scope)
                .filter_map(|it| it.section())
                .collect();
            if !overriding.is_empty() {
                let message = format!(
                    "other ClientTrafficPolicies apply to the listeners {}",
                    overriding.join(", ")
                );
                self.policy(id, |policy| {
                    policy.set(under, kind::OVERRIDDEN, Status::True, "Overridden", message)
                });
            }
            listeners.retain(|id| {
                self.view
                    .listener(*id)
                    .is_some_and(|it| !others.contains(&scope_of(it)))
            });
        }
        let mut faults = Faults::default();
        let mut without_http3 = Vec::new();
        for listener in listeners {
            let mut here = Faults::default();
            let wrong = self.check_client(id, scope, listener, &mut here);
            let known: Vec<&str> = here
                .iter()
                .filter(|fault| !fault.is_unknown)
                .map(|fault| fault.message.as_str())
                .collect();
            if !known.is_empty() {
                let exception = PolicyException {
                    listener,
                    why: known.join("; "),
                    is_ignored: wrong,
                };
                self.policy(id, |policy| policy.exceptions.push(exception));
            }
            faults.extend(here.iter().cloned());
            if self.turns_http3_off(id, listener) && !wrong {
                without_http3.extend(self.view.listener(listener).map(|it| it.name));
            }
            if let (Scope::Set(_), Some(listener)) = (scope, self.view.listener(listener))
                && !wrong
            {
                taken
                    .listeners
                    .entry(gateway)
                    .or_default()
                    .insert(scope_of(listener));
            }
        }
        self.policy(id, |policy| {
            policy.refuse(under, &faults);
            policy.accept(under);
            if !without_http3.is_empty() {
                let message = format!(
                    "HTTP/3 is disabled for {}: Envoy can't verify client certificates over QUIC",
                    without_http3.join(", ")
                );
                policy.warn(under, "UnsupportedHTTP3ClientValidation", &message);
            }
        });
        if !scope.is_section() || self.policy_is_from((1, 9), id) {
            self.warn_deprecated(id, std::slice::from_ref(under));
        }
    }

    /// Checks a policy at one listener. Returns whether the listener shares its port with one that the policy doesn't
    /// apply to.
    fn check_client(
        &self,
        id: PolicyId,
        scope: Scope<'a>,
        listener: ListenerId,
        faults: &mut Faults,
    ) -> bool {
        let (Some(policy), Some(listener)) = (self.view.policy(id), self.view.listener(listener))
        else {
            return false;
        };
        if !listener.is_ready() || matches!(listener.protocol, "UDP") {
            return false;
        }
        let sharing = self.sharing_port(scope, listener);
        if !sharing.is_empty() {
            let message = format!(
                "{SHARED_PORT} {}: {}/{} and {}, so no ClientTrafficPolicy can apply to one of them alone",
                listener.port,
                Key::of(listener.object),
                listener.name,
                sharing.join(", ")
            );
            faults.push(Fault::invalid(message));
            return true;
        }
        super::content::client::check(self, policy.object, listener, faults);
        false
    }

    /// The other plain HTTP listeners on the same port that a policy doesn't apply to. Envoy has one listener for all
    /// of them.
    fn sharing_port(&self, scope: Scope<'a>, listener: &Listener<'a>) -> Vec<String> {
        if listener.protocol != "HTTP" {
            return Vec::new();
        }
        let same_proxy = |other: &Listener<'a>| {
            let gateway = |it: &Listener<'a>| self.view.gateway(it.gateway);
            let class = gateway(listener).and_then(|it| it.class);
            let merges = class
                .and_then(|class| self.view.class(class))
                .is_some_and(|it| it.merges);
            other.gateway == listener.gateway
                || (merges && gateway(other).and_then(|it| it.class) == class)
        };
        let is_meant = |other: &Listener<'a>| match scope {
            Scope::Gateway(_) => other.gateway == listener.gateway,
            Scope::Set(_) => other.set.is_some() && other.set == listener.set,
            _ => false,
        };
        let all = self.view.listeners().iter();
        let others = all.filter(|other| {
            !std::ptr::eq(*other, listener)
                && other.protocol == "HTTP"
                && other.is_ready()
                && inner_port(other.port) == inner_port(listener.port)
                && same_proxy(other)
                && !is_meant(other)
        });
        others
            .map(|other| format!("{}/{}", Key::of(other.object), other.name))
            .collect()
    }

    fn turns_http3_off(&self, id: PolicyId, listener: ListenerId) -> bool {
        let (Some(policy), Some(listener)) = (self.view.policy(id), self.view.listener(listener))
        else {
            return false;
        };
        let spec = |path: &[&str]| policy.spec().is_some_and(|spec| has(spec, path));
        listener.is_ready()
            && listener.protocol == "HTTPS"
            && spec(&["http3"])
            && spec(&["tls", "clientValidation"])
    }
}

impl<'a> TakenTargets<'a> {
    fn claim(&mut self, scope: Scope<'a>, gateway: GatewayId) -> bool {
        match scope.is_section() {
            true => self.listeners.entry(gateway).or_default().insert(scope),
            false => self.whole.insert(scope),
        }
    }
}

fn scope_of<'a>(listener: &Listener<'a>) -> Scope<'a> {
    let key = Key::of(listener.object);
    match listener.set {
        Some(_) => Scope::SetListener(key, listener.name),
        None => Scope::GatewayListener(key, listener.name),
    }
}
