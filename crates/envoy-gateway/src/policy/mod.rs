//! Policies: what each targets, which of several wins, and whether its settings can be used.
//!
//! - [`scope`]: where a policy applies, and which scopes contain which;
//! - [`targets`]: from references and selectors to scopes;
//! - [`attach`]: BackendTrafficPolicy, SecurityPolicy and EnvoyExtensionPolicy, which attach in the same way;
//! - [`client`]: ClientTrafficPolicy, which applies to listeners;
//! - [`patch`]: EnvoyPatchPolicy; [`server`]: the policies of an extension server;
//! - [`effective`]: which policies apply to a route at a listener;
//! - [`content`]: settings that the controller refuses.

pub mod attach;
pub mod client;
pub mod content;
pub mod effective;
pub mod patch;
pub mod scope;
pub mod server;
pub mod targets;

use std::borrow::Cow;
use std::collections::HashSet;

use super::Resolver;
use super::condition::{Condition, Conditions, NOT_GIVEN, Status, kind};
use super::fault::Faults;
use super::view::{ListenerId, PolicyId, Reference};
use manifest::Object;
use manifest::value::Node;
pub use scope::Scope;

/// The kinds of policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyKind {
    /// ClientTrafficPolicy.
    Client,
    /// BackendTrafficPolicy.
    Backend,
    /// SecurityPolicy.
    Security,
    /// EnvoyExtensionPolicy.
    Extension,
    /// EnvoyPatchPolicy.
    Patch,
    /// A policy of an extension server.
    Server,
}

impl PolicyKind {
    /// The kinds that Envoy Gateway itself has.
    pub const OWN: [PolicyKind; 5] = [
        PolicyKind::Client,
        PolicyKind::Backend,
        PolicyKind::Security,
        PolicyKind::Extension,
        PolicyKind::Patch,
    ];

    /// The kind in Kubernetes; empty for policies of an extension server, which have kinds of their own.
    pub fn as_str(self) -> &'static str {
        match self {
            PolicyKind::Client => "ClientTrafficPolicy",
            PolicyKind::Backend => "BackendTrafficPolicy",
            PolicyKind::Security => "SecurityPolicy",
            PolicyKind::Extension => "EnvoyExtensionPolicy",
            PolicyKind::Patch => "EnvoyPatchPolicy",
            PolicyKind::Server => "",
        }
    }
}

/// The result of attaching a policy to one of its targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It applies there, unless a more specific policy replaces it.
    Holds,
    /// Another policy already applies there.
    Conflicts,
    /// The object exists, but not the section.
    NoSection,
    /// The object is not given, belongs to another controller, or can't be targeted by this kind of policy.
    NotFound,
}

/// One target of a policy.
#[derive(Clone, Debug)]
pub struct PolicyTarget<'a> {
    /// Where the policy is to apply.
    pub scope: Scope<'a>,
    /// Whether a selector chose the target, instead of a reference that names it.
    pub is_selected: bool,
    /// The result at this target.
    pub outcome: Outcome,
}

/// Why a policy doesn't apply to a listener as written.
#[derive(Clone, Debug)]
pub struct PolicyException {
    /// The listener.
    pub listener: ListenerId,
    /// The reason.
    pub why: String,
    /// Whether the listener works as if there were no policy. Otherwise, all its routes answer with 500.
    pub is_ignored: bool,
}

/// A policy.
#[derive(Debug)]
pub struct Policy<'a> {
    /// The object.
    pub object: &'a Object,
    /// Its kind.
    pub kind: PolicyKind,
    /// Its targets, without duplicates. Selectors only appear here if they select something.
    pub targets: Vec<PolicyTarget<'a>>,
    /// The conditions under each ancestor: a Gateway or ListenerSet, or a listener of one.
    pub ancestors: Vec<(Reference<'a>, Conditions)>,
    /// The listeners at which it doesn't apply as written. If there are any, it applies to all others, even if its
    /// status says that it is refused.
    pub exceptions: Vec<PolicyException>,
    /// Whether the controller keeps all ancestors until the end, as it does before 1.9.
    keeps_all_ancestors: bool,
}

/// The most ancestors that a status can hold (Gateway API 1.6).
const MOST_ANCESTORS: usize = 16;

impl<'a> Policy<'a> {
    /// The settings of the policy.
    pub fn spec(&self) -> Option<&'a Node> {
        self.object.node.get("spec")
    }

    fn at(&self, under: &Reference<'a>) -> Option<&Conditions> {
        let found = self.ancestors.iter().find(|(its, _)| its == under);
        found.map(|(_, conditions)| conditions)
    }

    fn set(
        &mut self,
        under: &Reference<'a>,
        kind: &'static str,
        status: Status,
        reason: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) {
        let found = self.ancestors.iter_mut().find(|(its, _)| its == under);
        if let Some((_, conditions)) = found {
            conditions.set(kind, status, reason, message);
            return;
        }
        let mut conditions = Conditions::default();
        conditions.set(kind, status, reason, message);
        self.ancestors.push((under.clone(), conditions));
        // The controller keeps one more than a status can hold, and drops the least important one immediately.
        if self.ancestors.len() > MOST_ANCESTORS + 1 && !self.keeps_all_ancestors {
            let ranks = self.ancestors.iter().map(rank).enumerate();
            let worst = ranks.max_by(|(a, one), (b, other)| one.cmp(other).then(b.cmp(a)));
            if let Some((worst, _)) = worst {
                self.ancestors.remove(worst);
            }
        }
    }

    /// Accepts the policy under an ancestor, unless that is decided already.
    fn accept(&mut self, under: &Reference<'a>) {
        let old = self.at(under).and_then(|it| it.get(kind::ACCEPTED));
        if old.is_none() {
            let message = "the policy applies";
            self.set(under, kind::ACCEPTED, Status::True, "Accepted", message);
        }
    }

    /// Writes faults of the settings.
    fn refuse(&mut self, under: &Reference<'a>, faults: &Faults) {
        let all: Vec<_> = faults.iter().collect();
        let refused: Vec<&str> = all
            .iter()
            .filter(|it| !it.is_unknown)
            .map(|it| it.message.as_str())
            .collect();
        if !refused.is_empty() {
            let known = || all.iter().filter(|it| !it.is_unknown);
            if known().all(|it| it.listener.is_some()) {
                let exceptions = known().filter_map(|it| {
                    Some(PolicyException {
                        listener: it.listener?,
                        why: it.message.clone(),
                        is_ignored: false,
                    })
                });
                self.exceptions.extend(exceptions);
            }
            self.set(
                under,
                kind::ACCEPTED,
                Status::False,
                "Invalid",
                refused.join("; "),
            );
        } else if !all.is_empty() {
            let open: Vec<&str> = all.iter().map(|it| it.message.as_str()).collect();
            self.set(
                under,
                kind::ACCEPTED,
                Status::Unknown,
                NOT_GIVEN,
                open.join("; "),
            );
        }
    }

    /// Adds a warning to those that exist already.
    fn warn(&mut self, under: &Reference<'a>, reason: &'static str, message: &str) {
        let old = self.at(under).and_then(|it| it.get(kind::WARNING));
        let (reason, message) = match old {
            None => (reason, message.to_owned()),
            Some(old) if old.reason == reason => (reason, message.to_owned()),
            Some(old) => ("Warnings", format!("{}; {message}", old.message)),
        };
        self.set(under, kind::WARNING, Status::True, reason, message);
    }

    /// Cuts the ancestors to what a status can hold. Those with problems come first.
    fn truncate(&mut self) {
        if self.ancestors.len() <= MOST_ANCESTORS {
            return;
        }
        self.ancestors
            .sort_by(|one, other| rank(one).cmp(&rank(other)));
        self.ancestors.truncate(MOST_ANCESTORS);
        if let Some((_, last)) = self.ancestors.last_mut() {
            let message = "a status can hold 16 ancestors, and this policy has more";
            last.set(kind::AGGREGATED, Status::True, "Aggregated", message);
        }
    }

    /// The condition of a type under the first ancestor where it has that status.
    pub fn condition(&self, kind: &str, status: Status) -> Option<&Condition> {
        let mut all = self
            .ancestors
            .iter()
            .filter_map(|(_, conditions)| conditions.get(kind));
        all.find(|condition| condition.status == status)
    }
}

/// The order of ancestors if a status can't hold all: refused ones first, then overridden ones, then by name.
fn rank<'r>(ancestor: &'r (Reference<'_>, Conditions)) -> (u8, &'r str, &'r str) {
    let (under, conditions) = ancestor;
    let rank = match conditions {
        it if it.is(kind::ACCEPTED, Status::False) => 0,
        it if it.is(kind::OVERRIDDEN, Status::True) => 1,
        _ => 2,
    };
    (rank, under.namespace.unwrap_or_default(), under.name)
}

impl<'a> Resolver<'a, '_> {
    /// Resolves all policies, kind by kind in the controller's order.
    pub(super) fn policies(&mut self) {
        for kind in [
            PolicyKind::Patch,
            PolicyKind::Client,
            PolicyKind::Backend,
            PolicyKind::Security,
            PolicyKind::Extension,
            PolicyKind::Server,
        ] {
            let first = self.view.lists.policy.len();
            let objects = match kind {
                PolicyKind::Server => self.server_objects(),
                kind => self.index.all(kind.as_str()).to_vec(),
            };
            // Two objects with the same identity can't both exist.
            let mut seen = HashSet::new();
            let is_new = |it: &&'a Object| seen.insert((it.kind(), it.namespace(), it.name()));
            for object in objects.into_iter().filter(is_new) {
                self.view.lists.policy.push(Policy {
                    object,
                    kind,
                    targets: Vec::new(),
                    ancestors: Vec::new(),
                    exceptions: Vec::new(),
                    keeps_all_ancestors: !self.settings.is_from((1, 9), object),
                });
            }
            let ids: Vec<PolicyId> = (first..self.view.lists.policy.len())
                .map(PolicyId)
                .collect();
            match kind {
                PolicyKind::Patch => self.patch_policies(&ids),
                PolicyKind::Client => self.client_policies(&ids),
                PolicyKind::Server => self.server_policies(&ids),
                _ => self.attach_policies(kind, &ids),
            }
            for policy in self.view.lists.policy.iter_mut().skip(first) {
                policy.truncate();
            }
        }
    }

    fn server_objects(&self) -> Vec<&'a Object> {
        let kinds = self.settings.extension_policies.iter();
        kinds
            .flat_map(|(_, kind)| self.index.all(kind).to_vec())
            .collect()
    }
}
