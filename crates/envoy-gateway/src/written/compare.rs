//! Compares computed conditions with those that controllers wrote.

use std::collections::HashMap;
use std::net::IpAddr;

use super::super::condition::{self, Condition, Status};
use super::super::index::{ENVOY_GATEWAY, GATEWAY_API};
use super::super::{ObjectCondition, Resolved};
use super::read::{LiveCondition, LiveStatus, LiveSubject};
use manifest::Object;
use manifest::value::variable;

/// The kinds of the two API groups that have no status.
const SILENT: [&str; 2] = ["ReferenceGrant", "HTTPRouteFilter"];

/// The result of asking for a live object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveObject {
    /// It exists.
    There(LiveStatus),
    /// It doesn't exist.
    Absent,
    /// It could not be asked for, or there was no answer. The text continues "an object".
    NotAsked(&'static str),
}

/// Why there is no live condition to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoLiveCondition {
    /// The object is not in the cluster.
    Absent,
    /// No controller has processed the object: the condition is the API server's default.
    Pending,
    /// The condition is about an older generation of the object.
    Stale,
    /// There is no such condition.
    Unwritten,
    /// The cluster was not asked, or did not answer.
    NotAsked,
}

/// How a computed and a live condition relate to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// They have a different status or reason.
    Differs,
    /// They have the same status and reason.
    Agrees,
    /// It was computed as unknown, and the cluster has decided it.
    Decided,
    /// It is not computed here.
    OnlyLive,
    /// There is no live condition to compare with.
    OnlyComputed(NoLiveCondition),
}

impl Relation {
    /// The word in JSON output.
    pub fn as_str(self) -> &'static str {
        match self {
            Relation::Differs => "differs",
            Relation::Agrees => "agrees",
            Relation::Decided => "decided",
            Relation::OnlyLive => "only-live",
            Relation::OnlyComputed(NoLiveCondition::Absent) => "absent",
            Relation::OnlyComputed(NoLiveCondition::Pending) => "pending",
            Relation::OnlyComputed(NoLiveCondition::Stale) => "stale",
            Relation::OnlyComputed(NoLiveCondition::Unwritten) => "unwritten",
            Relation::OnlyComputed(NoLiveCondition::NotAsked) => "not-asked",
        }
    }

    /// Whether both are the same; `None` if one of them is missing.
    pub fn agrees(self) -> Option<bool> {
        match self {
            Relation::Differs => Some(false),
            Relation::Agrees => Some(true),
            _ => None,
        }
    }
}

/// A computed condition and the live one. At least one of them exists.
#[derive(Clone, Debug)]
pub struct ComparedCondition<'v, 'a> {
    /// The object.
    pub object: &'a Object,
    /// The part of the object.
    pub place: LiveSubject,
    /// The type of the condition.
    pub kind: String,
    /// The computed condition.
    pub computed: Option<&'v Condition>,
    /// The live condition.
    pub live: Option<LiveCondition>,
    /// How they relate to each other.
    pub relation: Relation,
}

impl ComparedCondition<'_, '_> {
    /// Whether the live condition is up to date and needs attention.
    pub fn is_bad_there(&self) -> bool {
        let silent = matches!(self.relation, Relation::OnlyComputed(_));
        let live = self.live.as_ref().filter(|_| !silent);
        live.is_some_and(|said| condition::is_bad(&said.kind, said.status))
    }
}

/// The addresses of a gateway.
#[derive(Clone, Debug)]
pub struct Addresses<'a> {
    /// The gateway.
    pub object: &'a Object,
    /// The addresses that it asks for.
    pub wanted: Vec<String>,
    /// The addresses that it has.
    pub live: Vec<String>,
    /// How they relate to each other.
    pub relation: Relation,
}

/// The objects to ask a cluster for: those of both API groups, except for kinds without a status and objects that are
/// known to belong to another controller.
pub fn asked<'a>(objects: &'a [Object], resolved: &Resolved<'a>) -> Vec<&'a Object> {
    let may_have_status = |object: &&Object| {
        matches!(object.group(), GATEWAY_API | ENVOY_GATEWAY)
            && !SILENT.contains(&object.kind())
            && !object.name().is_empty()
            && is_ours(object, resolved)
    };
    objects.iter().filter(may_have_status).collect()
}

/// Whether the conditions on an object itself are this controller's. Unlike those under parents, they don't name a
/// controller.
fn is_ours(object: &Object, resolved: &Resolved<'_>) -> bool {
    let same = |one: &Object| std::ptr::eq(one, object);
    match object.kind() {
        "GatewayClass" => {
            let mut classes = resolved.classes().iter().filter_map(|it| it.object);
            classes.any(same)
        }
        "Gateway" => {
            let mut gateways = resolved.gateways().iter();
            gateways.any(|it| it.class.is_some() && same(it.object))
        }
        "ListenerSet" => {
            let mut sets = resolved.listener_sets().iter();
            sets.any(|it| it.gateway.is_some() && same(it.object))
        }
        _ => true,
    }
}

/// All conditions: computed ones in order, and after those of each object the ones that only exist in the cluster.
pub fn rows<'v, 'a>(
    verdicts: &[ObjectCondition<'v, 'a>],
    answers: &[(&'a Object, LiveObject)],
) -> Vec<ComparedCondition<'v, 'a>> {
    let by_object: HashMap<*const Object, usize> = answers
        .iter()
        .enumerate()
        .map(|(at, (object, _))| (std::ptr::from_ref(*object), at))
        .collect();
    let mut met: Vec<Vec<bool>> = answers
        .iter()
        .map(|(_, answer)| vec![false; written(answer).map_or(0, |it| it.conditions.len())])
        .collect();
    let mut rows = Vec::new();
    for verdict in verdicts {
        let place = LiveSubject::of(&verdict.on, verdict.object.namespace());
        let condition = verdict.condition;
        let at = by_object.get(&std::ptr::from_ref(verdict.object));
        let answer = at.and_then(|at| answers.get(*at)).map(|(_, it)| it);
        let (live, relation) = match answer {
            Some(LiveObject::There(written)) => {
                let all = written.conditions.iter();
                let index = all
                    .clone()
                    .position(|it| it.place == place && it.kind == condition.kind);
                let seen = at.and_then(|at| met.get_mut(*at));
                if let Some(flag) = seen.zip(index).and_then(|(seen, at)| seen.get_mut(at)) {
                    *flag = true;
                }
                let said = index.and_then(|at| written.conditions.get(at));
                (said.cloned(), relation(condition, said, written))
            }
            Some(LiveObject::Absent) => (None, Relation::OnlyComputed(NoLiveCondition::Absent)),
            Some(LiveObject::NotAsked(_)) | None => {
                (None, Relation::OnlyComputed(NoLiveCondition::NotAsked))
            }
        };
        rows.push(ComparedCondition {
            object: verdict.object,
            place,
            kind: condition.kind.to_owned(),
            computed: Some(condition),
            live,
            relation,
        });
    }
    for ((object, answer), met) in answers.iter().zip(met) {
        let said = written(answer).map_or(&[][..], |it| it.conditions.as_slice());
        let others = said.iter().zip(met).filter(|(_, met)| !met);
        // A condition that is neither computed nor written by a controller is left out.
        let others = others.filter(|(said, _)| !said.is_pending());
        rows.extend(others.map(|(said, _)| ComparedCondition {
            object,
            place: said.place.clone(),
            kind: said.kind.clone(),
            computed: None,
            live: Some(said.clone()),
            relation: Relation::OnlyLive,
        }));
    }
    rows
}

fn written(answer: &LiveObject) -> Option<&LiveStatus> {
    match answer {
        LiveObject::There(written) => Some(written),
        _ => None,
    }
}

fn relation(computed: &Condition, said: Option<&LiveCondition>, written: &LiveStatus) -> Relation {
    let Some(said) = said else {
        return Relation::OnlyComputed(NoLiveCondition::Unwritten);
    };
    if said.is_pending() {
        return Relation::OnlyComputed(NoLiveCondition::Pending);
    }
    if written.is_stale(said) {
        return Relation::OnlyComputed(NoLiveCondition::Stale);
    }
    if computed.status == Status::Unknown {
        return Relation::Decided;
    }
    match computed.status == said.status && computed.reason == said.reason {
        true => Relation::Agrees,
        false => Relation::Differs,
    }
}

/// The addresses of this controller's gateways, if they ask for some or have some.
pub fn addresses<'a>(
    resolved: &Resolved<'a>,
    answers: &[(&'a Object, LiveObject)],
) -> Vec<Addresses<'a>> {
    let ours = resolved.gateways().iter().filter(|it| it.class.is_some());
    let all = ours.map(|gateway| {
        let mut answers = answers.iter();
        let answer = answers.find(|(object, _)| std::ptr::eq(*object, gateway.object));
        let wanted = gateway.addresses();
        let (live, relation) = match answer.map(|(_, answer)| answer) {
            Some(LiveObject::There(written)) => (
                written.addresses.clone(),
                address_relation(&wanted, written),
            ),
            Some(LiveObject::Absent) => {
                (Vec::new(), Relation::OnlyComputed(NoLiveCondition::Absent))
            }
            _ => (
                Vec::new(),
                Relation::OnlyComputed(NoLiveCondition::NotAsked),
            ),
        };
        Addresses {
            object: gateway.object,
            wanted,
            live,
            relation,
        }
    });
    all.filter(|it| !(it.wanted.is_empty() && it.live.is_empty()))
        .collect()
}

/// A gateway may get more addresses than it asks for, often of a second IP family. Those that it asks for must be
/// among them.
fn address_relation(wanted: &[String], written: &LiveStatus) -> Relation {
    let on_object = written.conditions.iter();
    let mut on_object = on_object.filter(|it| it.place == LiveSubject::Object);
    let live = &written.addresses;
    if live.is_empty() {
        return Relation::OnlyComputed(NoLiveCondition::Unwritten);
    }
    if wanted.is_empty() {
        return Relation::OnlyLive;
    }
    if on_object.any(|said| written.is_stale(said)) {
        return Relation::OnlyComputed(NoLiveCondition::Stale);
    }
    if wanted.iter().any(|it| is_open(it)) {
        return Relation::Decided;
    }
    match wanted
        .iter()
        .all(|it| live.iter().any(|other| is_same(it, other)))
    {
        true => Relation::Agrees,
        false => Relation::Differs,
    }
}

/// Whether the cluster chooses an address: it is a Flux variable, or `0.0.0.0` or `::`, which ask for any address.
fn is_open(address: &str) -> bool {
    variable::in_text(address)
        || address
            .parse::<IpAddr>()
            .is_ok_and(|it| it.is_unspecified())
}

/// Whether two strings are the same address or hostname.
fn is_same(one: &str, other: &str) -> bool {
    match (one.parse::<IpAddr>(), other.parse::<IpAddr>()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one.eq_ignore_ascii_case(other),
    }
}
