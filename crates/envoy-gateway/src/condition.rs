//! Conditions: what the controller says of an object, a listener, or an object under one of its parents.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// The types of condition, as the controller writes them.
pub mod kind {
    /// Whether the thing is taken at all.
    pub const ACCEPTED: &str = "Accepted";
    /// Whether all that it refers to is there and may be used.
    pub const RESOLVED_REFS: &str = "ResolvedRefs";
    /// Whether it is sent to Envoy.
    pub const PROGRAMMED: &str = "Programmed";
    /// Whether another listener is in its way.
    pub const CONFLICTED: &str = "Conflicted";
    /// Whether a name or a certificate is shared with another listener, which turns HTTP/2 off.
    pub const OVERLAPPING_TLS: &str = "OverlappingTLSConfig";
    /// Whether clients without a valid certificate get through where one is asked for.
    pub const INSECURE_FRONTEND: &str = "InsecureFrontendValidationMode";
    /// Whether some rules of a route were dropped.
    pub const PARTIALLY_INVALID: &str = "PartiallyInvalid";
    /// Whether another route matches just the same requests.
    pub const RULES_OVERLAP: &str = "RouteRulesOverlap";
    /// Whether the backends have an endpoint that is ready.
    pub const BACKENDS_AVAILABLE: &str = "BackendsAvailable";
    /// Whether a policy closer to the traffic takes its place.
    pub const OVERRIDDEN: &str = "Overridden";
    /// Whether it is laid over another policy, or another over it.
    pub const MERGED: &str = "Merged";
    /// Whether there is something to mind, a deprecated field above all.
    pub const WARNING: &str = "Warning";
    /// Whether more parents were met than a status can hold.
    pub const AGGREGATED: &str = "Aggregated";
    /// The condition of a Backend that is not taken: its type, where the reason should stand, in 1.9.0.
    pub const INVALID: &str = "Invalid";
}

/// A condition's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It holds.
    True,
    /// It does not.
    False,
    /// What it depends on is not at hand.
    Unknown,
}

impl Status {
    /// The word that Kubernetes uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::True => "True",
            Status::False => "False",
            Status::Unknown => "Unknown",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The reason of every condition whose status is [`Status::Unknown`].
pub const NOT_AT_HAND: &str = "NotAtHand";

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Its type, one of [`kind`].
    pub kind: &'static str,
    /// Whether it holds.
    pub status: Status,
    /// Why, in one word, as the controller has it; several are joined by commas.
    pub reason: Cow<'static, str>,
    /// Why, in this project's own words.
    pub message: String,
}

impl Condition {
    /// Whether a person would rather not see it: a refusal, a conflict, a policy without effect, a warning.
    pub fn is_bad(&self) -> bool {
        is_bad(self.kind, self.status)
    }
}

/// Whether a person would rather not see a condition of a type with that status.
pub fn is_bad(kind: &str, status: Status) -> bool {
    match kind {
        kind::CONFLICTED
        | kind::OVERLAPPING_TLS
        | kind::INSECURE_FRONTEND
        | kind::PARTIALLY_INVALID
        | kind::RULES_OVERLAP
        | kind::OVERRIDDEN
        | kind::WARNING
        | kind::AGGREGATED => status == Status::True,
        kind::MERGED => false,
        _ => status == Status::False,
    }
}

/// Conditions, one of each type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    all: Vec<Condition>,
}

impl Conditions {
    /// Sets a condition, in place of one of the same type.
    pub fn set(
        &mut self,
        kind: &'static str,
        status: Status,
        reason: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) {
        let new = Condition {
            kind,
            status,
            reason: reason.into(),
            message: message.into(),
        };
        match self.all.iter_mut().find(|old| old.kind == kind) {
            Some(old) => *old = new,
            None => self.all.push(new),
        }
    }

    /// The condition of a type.
    pub fn get(&self, kind: &str) -> Option<&Condition> {
        self.all.iter().find(|one| one.kind == kind)
    }

    /// Whether there is a condition of that type with that status.
    pub fn is(&self, kind: &str, status: Status) -> bool {
        self.get(kind).is_some_and(|one| one.status == status)
    }

    /// The conditions, in the order in which they were first set.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Condition> {
        self.all.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

/// How many names a message lists. Of thousands nobody reads on; and all names in each of their messages would be millions.
pub(super) const MOST_NAMED: usize = 8;

/// `a, b, c`; of more than [`MOST_NAMED`] the first.
pub(super) fn listed(names: &BTreeSet<String>) -> String {
    let first: Vec<&str> = names.iter().take(MOST_NAMED).map(String::as_str).collect();
    match names.len() > MOST_NAMED {
        true => format!("{} and others", first.join(", ")),
        false => first.join(", "),
    }
}
