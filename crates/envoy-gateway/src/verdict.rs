//! All conditions of the resolved view as one list.

use super::condition::{Condition, Conditions};
use super::view::{ListenerId, Reference, Resolved};
use manifest::Object;

/// What a condition is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConditionSubject<'a> {
    /// The object as a whole.
    Object,
    /// A listener, by name.
    Listener(&'a str),
    /// The object under a parent or an ancestor.
    Parent(Reference<'a>),
}

impl ConditionSubject<'_> {
    /// `object`, `listener` or `parent`.
    pub fn as_str(&self) -> &'static str {
        match self {
            ConditionSubject::Object => "object",
            ConditionSubject::Listener(_) => "listener",
            ConditionSubject::Parent(_) => "parent",
        }
    }

    /// The listener's name, or `namespace/name/section` of the parent; empty for the object as a whole.
    pub fn which(&self) -> String {
        match self {
            ConditionSubject::Object => String::new(),
            ConditionSubject::Listener(name) => (*name).to_owned(),
            ConditionSubject::Parent(reference) => reference.to_string(),
        }
    }
}

/// A condition, and what it is about.
#[derive(Clone, Debug)]
pub struct ObjectCondition<'v, 'a> {
    /// The object.
    pub object: &'a Object,
    /// The part of the object.
    pub on: ConditionSubject<'a>,
    /// The condition.
    pub condition: &'v Condition,
}

impl<'a> Resolved<'a> {
    /// All conditions that the controller would write, by kind, then in the order of the objects.
    pub fn verdicts(&self) -> Vec<ObjectCondition<'_, 'a>> {
        let mut all = Vec::new();
        let lists = &self.lists;
        for class in &lists.class {
            if let Some(object) = class.object {
                push(
                    &mut all,
                    object,
                    ConditionSubject::Object,
                    &class.conditions,
                );
            }
        }
        for gateway in &lists.gateway {
            push(
                &mut all,
                gateway.object,
                ConditionSubject::Object,
                &gateway.conditions,
            );
            self.push_listeners(&mut all, gateway.object, &gateway.listeners);
        }
        for set in &lists.set {
            push(
                &mut all,
                set.object,
                ConditionSubject::Object,
                &set.conditions,
            );
            self.push_listeners(&mut all, set.object, &set.listeners);
        }
        for route in &lists.route {
            for parent in &route.parents {
                let on = ConditionSubject::Parent(parent.reference.clone());
                push(&mut all, route.object, on, &parent.conditions);
            }
        }
        for backend in &lists.backend {
            push(
                &mut all,
                backend.object,
                ConditionSubject::Object,
                &backend.conditions,
            );
        }
        let policies = lists.policy.iter().map(|one| (one.object, &one.ancestors));
        let proxies = lists.proxy.iter().map(|one| (one.object, &one.ancestors));
        let tls = lists.tls.iter().map(|one| (one.object, &one.ancestors));
        for (object, ancestors) in policies.chain(proxies).chain(tls) {
            for (reference, conditions) in ancestors {
                push(
                    &mut all,
                    object,
                    ConditionSubject::Parent(reference.clone()),
                    conditions,
                );
            }
        }
        all
    }

    fn push_listeners<'v>(
        &'v self,
        all: &mut Vec<ObjectCondition<'v, 'a>>,
        object: &'a Object,
        listeners: &[ListenerId],
    ) {
        for listener in listeners.iter().filter_map(|id| self.listener(*id)) {
            if std::ptr::eq(listener.object, object) {
                push(
                    all,
                    object,
                    ConditionSubject::Listener(listener.name),
                    &listener.conditions,
                );
            }
        }
    }
}

fn push<'v, 'a>(
    all: &mut Vec<ObjectCondition<'v, 'a>>,
    object: &'a Object,
    on: ConditionSubject<'a>,
    conditions: &'v Conditions,
) {
    all.extend(conditions.iter().map(|condition| ObjectCondition {
        object,
        on: on.clone(),
        condition,
    }));
}
