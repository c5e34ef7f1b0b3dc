//! Conditions that the controller writes on an object, on a listener, or on an object under one of its parents.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

/// The types of condition that the controller writes.
pub mod kind {
    /// Whether the object is accepted.
    pub const ACCEPTED: &str = "Accepted";
    /// Whether everything that it refers to exists and may be used.
    pub const RESOLVED_REFS: &str = "ResolvedRefs";
    /// Whether its configuration is sent to Envoy.
    pub const PROGRAMMED: &str = "Programmed";
    /// Whether it conflicts with another listener.
    pub const CONFLICTED: &str = "Conflicted";
    /// Whether it shares a hostname or a certificate with another listener, which disables HTTP/2.
    pub const OVERLAPPING_TLS: &str = "OverlappingTLSConfig";
    /// Whether clients without a valid certificate are accepted although one is asked for.
    pub const INSECURE_FRONTEND: &str = "InsecureFrontendValidationMode";
    /// Whether some rules of a route were dropped.
    pub const PARTIALLY_INVALID: &str = "PartiallyInvalid";
    /// Whether another route matches exactly the same requests.
    pub const RULES_OVERLAP: &str = "RouteRulesOverlap";
    /// Whether the backends have at least one ready endpoint.
    pub const BACKENDS_AVAILABLE: &str = "BackendsAvailable";
    /// Whether a more specific policy replaces it.
    pub const OVERRIDDEN: &str = "Overridden";
    /// Whether it is merged with another policy.
    pub const MERGED: &str = "Merged";
    /// Whether there is a warning, most often about a deprecated field.
    pub const WARNING: &str = "Warning";
    /// Whether there are more ancestors than a status can hold.
    pub const AGGREGATED: &str = "Aggregated";
    /// The type that Envoy Gateway 1.9.0 writes for a Backend that it refuses. It was meant to be the reason.
    pub const INVALID: &str = "Invalid";
}

/// The status of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The condition holds.
    True,
    /// The condition doesn't hold.
    False,
    /// It depends on objects that are not given.
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

/// The reason of every condition with [`Status::Unknown`]. The controller never writes it.
pub const NOT_GIVEN: &str = "NotGiven";

/// A condition of an object, a listener or a parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Its type, one of those in [`kind`].
    pub kind: &'static str,
    /// Whether it holds.
    pub status: Status,
    /// The controller's reason, in one word. Several are joined by commas.
    pub reason: Cow<'static, str>,
    /// An explanation in this project's own words.
    pub message: String,
}

impl Condition {
    /// Whether the condition needs attention: a refusal, a conflict, a policy without effect, or a warning.
    pub fn is_bad(&self) -> bool {
        is_bad(self.kind, self.status)
    }
}

/// Whether a condition of this type with this status needs attention.
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

/// Conditions of one object, at most one of each type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    all: Vec<Condition>,
}

impl Conditions {
    /// Sets a condition, and replaces the one of the same type.
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

    /// The condition of a type, if there is one.
    pub fn get(&self, kind: &str) -> Option<&Condition> {
        self.all.iter().find(|one| one.kind == kind)
    }

    /// Whether there is a condition of this type with this status.
    pub fn is(&self, kind: &str, status: Status) -> bool {
        self.get(kind).is_some_and(|one| one.status == status)
    }

    /// The conditions, in the order in which they were first set.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Condition> {
        self.all.iter()
    }

    /// Whether there are no conditions.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

/// How many names a message lists. Nobody reads thousands of names, and with thousands of messages that each list
/// them all the output would have millions.
pub(super) const MOST_NAMED: usize = 8;

/// `a, b, c`; only the first [`MOST_NAMED`] if there are more.
pub(super) fn listed(names: &BTreeSet<String>) -> String {
    let first: Vec<&str> = names.iter().take(MOST_NAMED).map(String::as_str).collect();
    match names.len() > MOST_NAMED {
        true => format!("{} and others", first.join(", ")),
        false => first.join(", "),
    }
}
