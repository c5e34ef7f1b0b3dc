//! Routes and policies that attach to nothing, and what the controller would refuse: those of its conditions that the
//! user needs to know about. Also settings that it accepts, but that can't be intended.
//!
//! - [`listener`]: conflicts, certificates, and plain HTTP that is not redirected;
//! - [`route`]: routes and their parents, including routes from chart values;
//! - [`redirect`]: redirects that lead to themselves;
//! - [`policy`]: policies and their targets; [`selector`]: targets by selector.
//!
//! Nothing is reported that depends on objects that are not given: a Service may come from a chart, for example. The
//! same holds for objects whose identity exists twice, objects that a patch may change, and objects in an unknown
//! namespace. If a repository is for several clusters, each cluster is checked by itself. Objects that several
//! clusters share are only reported if the finding is the same for all of them.
//! holds for all of them.

mod listener;
mod policy;
mod redirect;
mod route;
mod selector;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::envoy_refuses;
use super::front::GATEWAY_API;
use super::{Applied, Whole};
use crate::codes;
use envoy_gateway::condition::{Condition, kind};
use envoy_gateway::controller::{ControllerRelease, settings_of};
use envoy_gateway::helm_routes::{HELM, HelmRoute, helm_routes};
use envoy_gateway::index::Key;
use envoy_gateway::{Features, Resolved, RouteKind, Settings, resolve};
use flux_repo::{Cluster, may_patch};
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::listed;
use manifest::value::{Pointer, variable};
use manifest::{Object, finding};

/// Reports routes and policies that attach to nothing, and what the controller would refuse.
pub fn check(whole: &Whole<'_>) -> Vec<Diagnostic> {
    let clusters = whole
        .delivery
        .clusters(whole.all().map(|one| one.object.file.as_str()));
    let mut found: HashMap<Diagnostic, Tally> = HashMap::new();
    for (nth, cluster) in clusters.iter().enumerate() {
        for (file, one) in of_cluster(whole, cluster) {
            let order = found.len();
            let tally = found.entry(one).or_insert_with(|| Tally {
                order,
                holding: clusters.iter().filter(|it| it.may_hold(&file)).count(),
                told_in: BTreeSet::new(),
            });
            tally.told_in.insert(nth);
        }
    }
    let mut told: Vec<(Diagnostic, Tally)> = found
        .into_iter()
        .filter(|(_, tally)| tally.told_in.len() == tally.holding)
        .collect();
    told.sort_by_key(|(_, tally)| tally.order);
    told.into_iter().map(|(one, _)| one).collect()
}

/// Counts the clusters in which the same finding was made.
struct Tally {
    /// The number of other findings before it.
    order: usize,
    /// The number of clusters that may use the file.
    holding: usize,
    told_in: BTreeSet<usize>,
}

/// The findings of one cluster, each with its file.
fn of_cluster(whole: &Whole<'_>, cluster: &Cluster<'_>) -> Vec<(String, Diagnostic)> {
    let all: Vec<Applied<'_>> = whole
        .all()
        .filter(|one| cluster.may_hold(&one.object.file))
        .collect();
    let releases = all.iter().filter(|one| !changes_parents(whole, one));
    let charted = helm_routes(releases.map(|one| one.object));
    let objects = all.iter().map(|one| one.object);
    let objects: Vec<&Object> = objects
        .chain(charted.iter().map(|route| &route.object))
        .collect();
    let resolved = resolve(objects.iter().copied(), &settings(whole, cluster));
    let look = Look {
        whole,
        resolved: &resolved,
        open: open(whole, &all, &objects),
        charted: charted
            .iter()
            .map(|route| (&raw const route.object, route))
            .collect(),
        gateways: gateways(whole, &all),
        all: &all,
    };
    look.run()
}

/// The settings of the controller in a cluster. What its chart leaves switched off is
/// [`extension`](super::extension)'s to tell, once, where it is used: here it counts as on.
fn settings(whole: &Whole<'_>, cluster: &Cluster<'_>) -> Settings {
    let releases = whole.controllers().iter();
    let own = releases.filter(|one| cluster.may_hold(&one.release.file));
    let own: Vec<ControllerRelease<'_>> = own.cloned().collect();
    let mut settings = settings_of(&own, |release| whole.minor_in_force(release));
    for (_, features) in &mut settings.by_release {
        *features = Features {
            backend: true,
            lua: true,
            patch_policy: true,
            ..*features
        };
    }
    settings
}

/// The kinds whose patches matter here.
fn is_patchable(kind: &str) -> bool {
    matches!(kind, "Gateway" | "ListenerSet")
        || RouteKind::parse(kind).is_some()
        || kind.ends_with("Policy")
}

/// Whether a patch that can't be applied here may change an object.
fn is_patched(whole: &Whole<'_>, one: &Applied<'_>) -> bool {
    let by = one.way.map_or(&[][..], |way| &way.patched_by);
    let mut by = by.iter().filter_map(|at| whole.objects.get(*at));
    by.any(|by| may_patch(by, one.object))
}

/// Whether a patch that can't be applied here may change the parents of routes in a release's values.
fn changes_parents(whole: &Whole<'_>, release: &Applied<'_>) -> bool {
    let by = release.way.map_or(&[][..], |way| &way.patched_by);
    let is_release = release.object.kind() == "HelmRelease" && release.object.group() == HELM;
    is_release
        && by.iter().any(|at| {
            let by = whole.objects.get(*at);
            by.is_some_and(|by| {
                may_patch(by, release.object)
                    && by.node.to_json().to_string().contains("parentRefs")
            })
        })
}

/// The identities about which nothing is known: those that two objects share, and those that patches may change.
fn open<'a>(
    whole: &Whole<'_>,
    all: &[Applied<'a>],
    objects: &[&'a Object],
) -> HashSet<(&'a str, Key<'a>)> {
    let mut seen = HashSet::new();
    let identity = |object: &&'a Object| (object.kind(), Key::of(object));
    let twice = objects.iter().map(identity).filter(|it| !seen.insert(*it));
    let mut open: HashSet<_> = twice.collect();
    let patched = all
        .iter()
        .filter(|one| is_patchable(one.object.kind()) && is_patched(whole, one));
    open.extend(patched.map(|one| identity(&one.object)));
    open
}

fn gateways<'a>(whole: &Whole<'_>, all: &[Applied<'a>]) -> BTreeMap<Key<'a>, bool> {
    let mut gateways = BTreeMap::new();
    let objects = all.iter().map(|one| one.object);
    for object in objects.filter(|it| it.kind() == "Gateway" && it.group() == GATEWAY_API) {
        *gateways.entry(Key::of(object)).or_default() |= is_walked(whole, object);
    }
    gateways
}

/// Whether all files in an object's folder are given.
fn is_walked(whole: &Whole<'_>, object: &Object) -> bool {
    whole.model.is_some() || whole.is_walked(&object.file)
}

fn spec() -> Pointer {
    Pointer::root().key("spec")
}

/// Whether a name or namespace is known.
fn is_known(text: &str) -> bool {
    !text.is_empty() && !variable::in_text(text)
}

/// The objects of one cluster.
struct Look<'r, 'a> {
    whole: &'r Whole<'r>,
    resolved: &'r Resolved<'a>,
    open: HashSet<(&'a str, Key<'a>)>,
    charted: HashMap<*const Object, &'r HelmRoute<'a>>,
    /// The gateways, each with whether the folder of one of its files was walked.
    gateways: BTreeMap<Key<'a>, bool>,
    all: &'r [Applied<'a>],
}

impl<'a> Look<'_, 'a> {
    fn run(&self) -> Vec<(String, Diagnostic)> {
        let mut all = Vec::new();
        let mut add = |object: &Object, found: Vec<Diagnostic>| {
            all.extend(found.into_iter().map(|one| (object.file.clone(), one)));
        };
        for listener in self.resolved.listeners() {
            add(listener.object, self.listener(listener));
        }
        for gateway in self.resolved.gateways() {
            add(gateway.object, self.plain_http(gateway));
        }
        for route in self.resolved.routes() {
            let mut found = self.route(route);
            found.extend(self.redirects(route));
            if let Some(charted) = self.charted.get(&(route.object as *const Object)) {
                found = found
                    .into_iter()
                    .map(|one| in_release(charted, one))
                    .collect();
            }
            add(route.object, found);
        }
        for policy in self.resolved.policies() {
            let mut found = self.policy(policy);
            found.extend(self.selectors(policy));
            add(policy.object, found);
        }
        for backend in self.resolved.backends() {
            if let Some(condition) = backend.conditions.get(kind::INVALID) {
                let one = refused(backend.object, &spec(), condition);
                add(backend.object, vec![one]);
            }
        }
        for (object, one) in envoy_refuses::check(self.whole, self.resolved) {
            let key = Key::of(object);
            let is_open = match object.kind() {
                "GatewayClass" => self.open.contains(&(object.kind(), key)),
                _ => self.is_open(object),
            };
            if !is_open {
                add(object, vec![one]);
            }
        }
        all
    }

    fn is_open(&self, object: &Object) -> bool {
        self.is_open_key(object.kind(), Key::of(object))
    }

    /// Whether it is unknown which object is meant, or how it looks in the cluster.
    fn is_open_key(&self, kind: &str, key: Key<'_>) -> bool {
        // The set's lifetime is longer than that of the key.
        let open: &HashSet<(&str, Key<'_>)> = &self.open;
        key.namespace.is_empty() || open.contains(&(kind, key))
    }

    /// Whether a route comes from a chart.
    fn is_charted(&self, object: &Object) -> bool {
        self.charted.contains_key(&(object as *const Object))
    }

    /// Says that a gateway doesn't exist, if it would have to be among the given objects: there are others in its
    /// namespace, or, if `may_be_elsewhere`, one with its name in another namespace.
    fn missing_gateway(
        &self,
        from: &Object,
        key: Key<'_>,
        may_be_elsewhere: bool,
    ) -> Option<Missing<'a>> {
        if !is_known(key.name) || !is_known(key.namespace) || !is_walked(self.whole, from) {
            return None;
        }
        let near = || {
            let all = self.gateways.iter();
            all.filter(|(it, _)| it.namespace == key.namespace || !is_known(it.namespace))
        };
        if near().any(|(it, _)| it.name == key.name || !is_known(it.name)) {
            return None;
        }
        let names: BTreeSet<&str> = near()
            .filter(|(_, is_walked)| **is_walked)
            .map(|(it, _)| it.name)
            .collect();
        if !names.is_empty() {
            return Some(Missing::Among(names.into_iter().collect()));
        }
        let all = self.gateways.keys();
        let mut elsewhere = all.filter(|it| may_be_elsewhere && it.name == key.name);
        match (elsewhere.next(), elsewhere.next()) {
            (Some(one), None) => Some(Missing::In(one.namespace)),
            _ => None,
        }
    }
}

/// What exists instead of a gateway.
enum Missing<'a> {
    /// These gateways in the same namespace.
    Among(Vec<&'a str>),
    /// A gateway with the same name in this namespace.
    In(&'a str),
}

/// Moves a finding on a chart's route to the values that it comes from.
fn in_release(route: &HelmRoute<'_>, mut one: Diagnostic) -> Diagnostic {
    let pointer = one.pointer.as_deref().and_then(Pointer::parse);
    let place = pointer.map_or_else(|| route.block.clone(), |pointer| route.place(&pointer));
    one.origin = route.release.origin(&place);
    one.span = route.release.span(&place);
    one.object = Some(route.release.reference());
    one.with_pointer(place.to_string())
}

/// `` `http`, `https` ``; only the first ones if there are many.
fn list(names: &[&str]) -> String {
    match names.is_empty() {
        true => "none".to_owned(),
        false => listed(names.iter().map(|name| format!("`{name}`"))),
    }
}

fn refused(object: &Object, pointer: &Pointer, condition: &Condition) -> Diagnostic {
    let message = format!("the controller can't use it: {}", condition.message);
    finding(codes::ATTACHMENT_REFUSED, object, pointer, message)
        .why("the controller reports it in the object's status, and requests that depend on it are answered with 500")
        .help("change the setting that the message names")
}
