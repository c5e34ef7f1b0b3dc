//! The steps of a request, and what they are about.

use manifest::Object;
use manifest::value::Pointer;

/// What a step is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The DNS name.
    Dns,
    /// The gateway and its address.
    Gateway,
    /// The listener.
    Listener,
    /// Its certificate.
    Certificate,
    /// The client, as policies see it.
    Client,
    /// The route and its rule.
    Route,
    /// Authentication or authorization by a policy.
    Security,
    /// A script or another extension.
    Extension,
    /// A filter of the rule.
    Filter,
    /// How the request is forwarded to the backend.
    Traffic,
    /// The backend.
    Backend,
}

impl Stage {
    /// The word in the output.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Dns => "dns",
            Stage::Gateway => "gateway",
            Stage::Listener => "listener",
            Stage::Certificate => "certificate",
            Stage::Client => "client",
            Stage::Route => "route",
            Stage::Security => "security",
            Stage::Extension => "extension",
            Stage::Filter => "filter",
            Stage::Traffic => "traffic",
            Stage::Backend => "backend",
        }
    }
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// The request passes.
    Passes,
    /// It passes, but something needs attention.
    Minds,
    /// It depends on something that is not given.
    Unknown,
    /// The request stops here.
    Stops,
}

impl Mark {
    /// The word in the output.
    pub fn as_str(self) -> &'static str {
        match self {
            Mark::Passes => "passes",
            Mark::Minds => "minds",
            Mark::Unknown => "unknown",
            Mark::Stops => "stops",
        }
    }
}

/// The place of the setting that decides a step.
#[derive(Clone, Debug)]
pub struct SettingPlace<'a> {
    /// The object.
    pub object: &'a Object,
    /// The path in the object.
    pub pointer: Pointer,
}

impl<'a> SettingPlace<'a> {
    /// The place of a field, given by its keys.
    pub fn of(object: &'a Object, keys: &[&str]) -> Self {
        let pointer = keys.iter().fold(Pointer::root(), |at, key| at.key(*key));
        SettingPlace { object, pointer }
    }
}

/// One step of the request.
#[derive(Clone, Debug)]
pub struct Step<'a> {
    /// What the step is about.
    pub stage: Stage,
    /// The result of the step.
    pub mark: Mark,
    /// What happens, in one line.
    pub text: String,
    /// Why, and other information, one line each.
    pub details: Vec<String>,
    /// The setting that decides the step.
    pub place: Option<SettingPlace<'a>>,
}

impl<'a> Step<'a> {
    /// A step that passes.
    pub fn new(stage: Stage, text: impl Into<String>) -> Self {
        Step {
            stage,
            mark: Mark::Passes,
            text: text.into(),
            details: Vec::new(),
            place: None,
        }
    }

    /// Sets the mark.
    #[must_use]
    pub fn mark(self, mark: Mark) -> Self {
        Step { mark, ..self }
    }

    /// Sets the place to the field of an object, given by its keys.
    #[must_use]
    pub fn at(self, object: &'a Object, keys: &[&str]) -> Self {
        self.place(SettingPlace::of(object, keys))
    }

    /// Sets the place.
    #[must_use]
    pub fn place(self, place: SettingPlace<'a>) -> Self {
        Step {
            place: Some(place),
            ..self
        }
    }

    /// Adds a detail.
    #[must_use]
    pub fn detail(mut self, text: impl Into<String>) -> Self {
        self.details.push(text.into());
        self
    }
}
