//! Why something can't be used, or why it can't be known whether it can.

use std::collections::BTreeSet;

use super::condition::{Conditions, NOT_AT_HAND, Status, kind};
use manifest::value::Pointer;

/// One thing that is wrong, or not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The type of condition that it goes into.
    pub kind: &'static str,
    /// The controller's word for it.
    pub reason: &'static str,
    /// What is wrong, in this project's own words.
    pub message: String,
    /// Where it stands in the object, where that is known.
    pub pointer: Option<Pointer>,
    /// Whether it is only not known, because what decides it is not at hand.
    pub is_unknown: bool,
}

impl Fault {
    /// What the controller refuses; the condition is `ResolvedRefs` unless [`of`](Self::of) says otherwise.
    pub fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Fault {
            kind: kind::RESOLVED_REFS,
            reason,
            message: message.into(),
            pointer: None,
            is_unknown: false,
        }
    }

    /// What can't be known here.
    pub fn unknown(message: impl Into<String>) -> Self {
        Fault {
            is_unknown: true,
            ..Fault::new(NOT_AT_HAND, message)
        }
    }

    /// A value that can't be used, without a reason of its own: a policy is then `Invalid`.
    pub fn invalid(message: impl Into<String>) -> Self {
        Fault::new("Invalid", message)
    }

    /// The same for a condition of another type.
    #[must_use]
    pub fn of(self, kind: &'static str) -> Self {
        Fault { kind, ..self }
    }

    /// The same with another reason, where it is a refusal.
    #[must_use]
    pub fn because(self, reason: &'static str) -> Self {
        match self.is_unknown {
            true => self,
            false => Fault { reason, ..self },
        }
    }

    /// The same, at a place in the object, unless it has one.
    #[must_use]
    pub fn on(self, pointer: &Pointer) -> Self {
        let pointer = self.pointer.or_else(|| Some(pointer.clone()));
        Fault { pointer, ..self }
    }

    /// The same, saying where.
    #[must_use]
    pub fn at(self, place: impl AsRef<str>) -> Self {
        let message = format!("{}: {}", place.as_ref(), self.message);
        Fault { message, ..self }
    }
}

/// All faults of one thing.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    all: Vec<Fault>,
}

impl Faults {
    /// Adds one.
    pub fn push(&mut self, fault: Fault) {
        self.all.push(fault);
    }

    /// Adds what went wrong, and gives what did not.
    pub fn keep<T>(&mut self, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.all.push(fault)).ok()
    }

    /// Adds several.
    pub fn extend(&mut self, faults: impl IntoIterator<Item = Fault>) {
        self.all.extend(faults);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The faults, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.all.iter()
    }

    /// The verdict for one type of condition: `None` where nothing is wrong; `False` where something is, with
    /// its reasons and messages; `Unknown` where something is only not known.
    pub fn verdict(&self, kind: &str) -> Option<(Status, String, String)> {
        let all = || self.all.iter().filter(|fault| fault.kind == kind);
        all().next()?;
        let status = match all().any(|fault| !fault.is_unknown) {
            true => Status::False,
            false => Status::Unknown,
        };
        let told = || all().filter(|fault| fault.is_unknown == (status == Status::Unknown));
        let reasons: BTreeSet<&str> = told().map(|fault| fault.reason).collect();
        let messages: Vec<&str> = told().map(|fault| fault.message.as_str()).collect();
        let reason = reasons.into_iter().collect::<Vec<_>>().join(",");
        Some((status, reason, messages.join("\n")))
    }

    /// Sets the condition of a type from its faults; says whether there was one.
    pub fn write(&self, kind: &'static str, conditions: &mut Conditions) -> bool {
        let Some((status, reason, message)) = self.verdict(kind) else {
            return false;
        };
        conditions.set(kind, status, reason, message);
        true
    }
}
