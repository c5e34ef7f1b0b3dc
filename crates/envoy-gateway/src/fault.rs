//! Faults: why something can't be used, or why it is not known whether it can.

use std::collections::BTreeSet;

use super::condition::{Conditions, NOT_GIVEN, Status, kind};
use super::view::ListenerId;
use manifest::value::Pointer;

/// One thing that is wrong or unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The type of the condition that reports it.
    pub kind: &'static str,
    /// The controller's reason for it.
    pub reason: &'static str,
    /// What is wrong, in this project's own words.
    pub message: String,
    /// Where in the object it is, if that is known.
    pub pointer: Option<Pointer>,
    /// The only listener that it concerns, if it doesn't concern all of them.
    pub listener: Option<ListenerId>,
    /// Whether it is only unknown, because the object that decides it is not given.
    pub is_unknown: bool,
}

impl Fault {
    /// A refusal by the controller. Its condition is `ResolvedRefs`, unless [`of`](Self::of) sets another type.
    pub fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Fault {
            kind: kind::RESOLVED_REFS,
            reason,
            message: message.into(),
            pointer: None,
            listener: None,
            is_unknown: false,
        }
    }

    /// Something that can't be known from the given objects.
    pub fn unknown(message: impl Into<String>) -> Self {
        Fault {
            is_unknown: true,
            ..Fault::new(NOT_GIVEN, message)
        }
    }

    /// A value that can't be used and has no reason of its own. A policy then has the reason `Invalid`.
    pub fn invalid(message: impl Into<String>) -> Self {
        Fault::new("Invalid", message)
    }

    /// Sets the type of the condition.
    #[must_use]
    pub fn of(self, kind: &'static str) -> Self {
        Fault { kind, ..self }
    }

    /// Sets the reason, unless it is only unknown.
    #[must_use]
    pub fn because(self, reason: &'static str) -> Self {
        match self.is_unknown {
            true => self,
            false => Fault { reason, ..self },
        }
    }

    /// Sets the place in the object, unless there is one already.
    #[must_use]
    pub fn on(self, pointer: &Pointer) -> Self {
        let pointer = self.pointer.or_else(|| Some(pointer.clone()));
        Fault { pointer, ..self }
    }

    /// Says that it concerns one listener only.
    #[must_use]
    pub fn at_listener(self, listener: ListenerId) -> Self {
        let listener = Some(listener);
        Fault { listener, ..self }
    }

    /// Adds the place to the message.
    #[must_use]
    pub fn at(self, place: impl AsRef<str>) -> Self {
        let message = format!("{}: {}", place.as_ref(), self.message);
        Fault { message, ..self }
    }
}

/// All faults of one object.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    all: Vec<Fault>,
}

impl Faults {
    /// Adds a fault.
    pub fn push(&mut self, fault: Fault) {
        self.all.push(fault);
    }

    /// Keeps the error of a result, and returns its value.
    pub fn keep<T>(&mut self, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.all.push(fault)).ok()
    }

    /// Adds several faults.
    pub fn extend(&mut self, faults: impl IntoIterator<Item = Fault>) {
        self.all.extend(faults);
    }

    /// Whether there are no faults.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The faults, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.all.iter()
    }

    /// Status, reasons and messages for one type of condition. `None` if nothing is wrong, `False` if something is,
    /// `Unknown` if something is only unknown.
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

    /// Sets the condition of a type if there are faults of that type. Returns whether there are.
    pub fn write(&self, kind: &'static str, conditions: &mut Conditions) -> bool {
        let Some((status, reason, message)) = self.verdict(kind) else {
            return false;
        };
        conditions.set(kind, status, reason, message);
        true
    }
}
