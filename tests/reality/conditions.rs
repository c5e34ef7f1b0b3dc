//! The conditions that Envoy Gateway writes while it translates, and those that `status` foretells. A condition is named
//! by its object, what of it is meant, and its type; its value is its status with the reason.

use std::collections::BTreeMap;

use envoy_gateway::{ConditionSubject, Resolved, condition};
use serde_json::Value;

use crate::cluster::{name_of, text};
use crate::surroundings::list;

/// Conditions by name.
pub type Conditions = BTreeMap<String, String>;

/// The conditions in the status of an object that the controller returns.
pub fn written(object: &Value) -> Conditions {
    let mut found = Conditions::new();
    let mut add = |on: &str, conditions: &Value| {
        for it in list(conditions) {
            let (kind, of) = (text(object, "kind"), name_of(object));
            let name = format!("{} of {kind} {of} {on}", text(it, "type"));
            let value = format!("{} {}", text(it, "status"), text(it, "reason"));
            found.insert(name.trim_end().to_owned(), value);
        }
    };
    let status = &object["status"];
    add("", &status["conditions"]);
    for listener in list(&status["listeners"]) {
        let on = format!("listener {}", text(listener, "name"));
        add(&on, &listener["conditions"]);
    }
    for (list_key, key) in [("parents", "parentRef"), ("ancestors", "ancestorRef")] {
        for parent in list(&status[list_key]) {
            let reference = &parent[key];
            // What an EnvoyProxy is for a class is written only if the gateways have it, too.
            if reference["kind"] == "GatewayClass" {
                continue;
            }
            // As it is written in the object; nobody adds a namespace.
            let namespace = text(reference, "namespace");
            let (name, section) = (text(reference, "name"), text(reference, "sectionName"));
            let on = format!("parent {namespace}/{name}/{section}");
            add(&on, &parent["conditions"]);
        }
    }
    found
}

/// The conditions that `status` foretells, of those that the controller writes while it translates.
pub fn foretold(resolved: &Resolved<'_>) -> Conditions {
    let verdicts = resolved.verdicts();
    let written = verdicts.iter().filter(|it| {
        // What is said of a Gateway as a whole is written later, unless its settings are refused.
        let is_late = it.object.kind() == "Gateway"
            && it.on == ConditionSubject::Object
            && it.condition.kind == condition::kind::ACCEPTED
            && matches!(
                it.condition.reason.as_ref(),
                "Accepted" | "ListenersNotValid"
            );
        // The lists of objects don't have the class and its proxy.
        let is_of_class = it.object.kind() == "GatewayClass"
            || it.object.kind() == "EnvoyProxy" && it.on.which().starts_with('/');
        !is_late && !is_of_class
    });
    let named = written.map(|it| {
        let on = match &it.on {
            ConditionSubject::Object => String::new(),
            on => format!("{} {}", on.as_str(), on.which()),
        };
        let object = it.object;
        let (kind, namespace) = (object.kind(), object.namespace());
        let condition = it.condition;
        let name = format!(
            "{} of {kind} {namespace}/{} {on}",
            condition.kind,
            object.name()
        );
        let value = format!("{} {}", condition.status, condition.reason);
        (name.trim_end().to_owned(), value)
    });
    named.collect()
}
