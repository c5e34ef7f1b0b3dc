//! Reads the status of one live object.

use super::super::ConditionSubject;
use super::super::class::CONTROLLER;
use super::super::condition::Status;
use super::super::read::{int, list, text};
use super::super::view::Reference;
use manifest::value::Node;

/// What a condition is about. Parts that are not written have their defaults, so that equal places compare as equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LiveSubject {
    /// The object itself.
    Object,
    /// A listener, by name.
    Listener(String),
    /// A parent of a route, or an ancestor of a policy.
    Parent {
        /// Its kind.
        kind: String,
        /// Its namespace; empty for a GatewayClass.
        namespace: String,
        /// Its name.
        name: String,
        /// The listener; empty if none is named.
        section: String,
        /// The port, if there is one.
        port: Option<i64>,
    },
}

impl LiveSubject {
    /// The place of a verdict on an object in the namespace `own`.
    pub fn of(on: &ConditionSubject<'_>, own: &str) -> Self {
        match on {
            ConditionSubject::Object => LiveSubject::Object,
            ConditionSubject::Listener(name) => LiveSubject::Listener((*name).to_owned()),
            ConditionSubject::Parent(reference) => parent(reference, own),
        }
    }

    /// `object`, `listener` or `parent`.
    pub fn as_str(&self) -> &'static str {
        match self {
            LiveSubject::Object => "object",
            LiveSubject::Listener(_) => "listener",
            LiveSubject::Parent { .. } => "parent",
        }
    }

    /// The listener's name, or `namespace/name/section` of the parent; empty for the object itself.
    pub fn which(&self) -> String {
        match self {
            LiveSubject::Object => String::new(),
            LiveSubject::Listener(name) => name.clone(),
            LiveSubject::Parent {
                namespace,
                name,
                section,
                ..
            } => format!("{namespace}/{name}/{section}"),
        }
    }
}

fn parent(reference: &Reference<'_>, own: &str) -> LiveSubject {
    let kind = reference.kind.unwrap_or("Gateway");
    let namespace = match kind {
        "GatewayClass" => "",
        _ => reference.namespace.unwrap_or(own),
    };
    LiveSubject::Parent {
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: reference.name.to_owned(),
        section: reference.section.unwrap_or_default().to_owned(),
        port: reference.port,
    }
}

/// A condition as a controller wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveCondition {
    /// What it is about.
    pub place: LiveSubject,
    /// Its type.
    pub kind: String,
    /// `True`, `False` or `Unknown`. Any other value counts as `Unknown`.
    pub status: Status,
    /// The reason, in one word.
    pub reason: String,
    /// The controller's message.
    pub message: String,
    /// The generation of the object that the condition is about, if it is written.
    pub observed: Option<i64>,
}

impl LiveCondition {
    /// Whether no controller has processed the object: the condition is the default that the CRDs of the Gateway API
    /// set for a new Gateway or GatewayClass.
    pub fn is_pending(&self) -> bool {
        self.status == Status::Unknown && self.reason == "Pending"
    }
}

/// The status of a live object, as far as this controller wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveStatus {
    /// The object's generation, which counts changes of its `spec`; 0 if it has none.
    pub generation: i64,
    /// The conditions, without those under a parent or ancestor that another controller wrote.
    pub conditions: Vec<LiveCondition>,
    /// The addresses of a Gateway.
    pub addresses: Vec<String>,
}

impl LiveStatus {
    /// Reads the status of a live object.
    pub fn of(object: &Node) -> Self {
        let own = text(object, &["metadata", "namespace"]).unwrap_or_default();
        let mut conditions = Vec::new();
        let mut add = |place: &LiveSubject, holder: &Node| {
            let all = list(holder, &["conditions"]).iter();
            conditions.extend(all.filter_map(|one| said(place, one)));
        };
        if let Some(status) = object.get("status") {
            add(&LiveSubject::Object, status);
            for listener in list(status, &["listeners"]) {
                let name = text(listener, &["name"]).unwrap_or_default();
                add(&LiveSubject::Listener(name.to_owned()), listener);
            }
            for (all, reference) in [("parents", "parentRef"), ("ancestors", "ancestorRef")] {
                for holder in list(status, &[all]).iter().filter(|it| is_ours(it)) {
                    if let Some(reference) = holder.get(reference) {
                        add(&parent(&written(reference), own), holder);
                    }
                }
            }
        }
        let addresses = list(object, &["status", "addresses"]).iter();
        LiveStatus {
            generation: int(object, &["metadata", "generation"]).unwrap_or_default(),
            conditions,
            addresses: addresses
                .filter_map(|it| text(it, &["value"]).map(str::to_owned))
                .collect(),
        }
    }

    /// Whether a condition is about an older generation of the object.
    pub fn is_stale(&self, said: &LiveCondition) -> bool {
        said.observed
            .is_some_and(|observed| observed < self.generation)
    }
}

/// Whether this controller wrote a condition under a parent or ancestor. Only the ancestors of an EnvoyProxy name no
/// controller (the CRD of Envoy Gateway 1.9 has no field for it), and no other controller uses that kind.
fn is_ours(holder: &Node) -> bool {
    text(holder, &["controllerName"]).is_none_or(|name| name.starts_with(CONTROLLER))
}

fn written(reference: &Node) -> Reference<'_> {
    Reference {
        group: text(reference, &["group"]),
        kind: text(reference, &["kind"]),
        namespace: text(reference, &["namespace"]),
        name: text(reference, &["name"]).unwrap_or_default(),
        section: text(reference, &["sectionName"]),
        port: int(reference, &["port"]),
    }
}

fn said(place: &LiveSubject, condition: &Node) -> Option<LiveCondition> {
    let word = |key: &str| text(condition, &[key]).unwrap_or_default().to_owned();
    Some(LiveCondition {
        place: place.clone(),
        kind: text(condition, &["type"])?.to_owned(),
        status: match word("status").as_str() {
            "True" => Status::True,
            "False" => Status::False,
            _ => Status::Unknown,
        },
        reason: word("reason"),
        message: word("message"),
        observed: int(condition, &["observedGeneration"]),
    })
}
