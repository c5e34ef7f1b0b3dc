//! What attaches to what in one cluster, and the rules about it.
//!
//! Nothing is reported that depends on objects that are not given: a Service may come from a chart, for example. The
//! same holds for objects whose identity exists twice, objects that a patch may change, and objects in an unknown
//! namespace. If a repository is for several clusters, each cluster is checked by itself. Objects that several
//! clusters share are only reported if the finding is the same for all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::refused;
use crate::lint::dns::{endpoint_elsewhere, hostname_outside_listener, published};
use crate::lint::envoy;
use crate::lint::front::GATEWAY_API;
use crate::lint::network::acme_solver;
use crate::lint::reference::{parameters, rate_limit_service, unknown_resource};
use crate::lint::{Applied, LintContext};
use crate::model::Model;
use envoy_gateway::condition::kind;
use envoy_gateway::controller::{ControllerRelease, settings_of};
use envoy_gateway::helm_routes::{HELM, HelmRoute, helm_routes};
use envoy_gateway::index::Key;
use envoy_gateway::{Features, Resolved, RouteKind, Settings, resolve};
use flux_repo::{Cluster, may_patch};
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::listed;
use manifest::value::{Pointer, variable};

/// Reports routes and policies that attach to nothing, and what the controller would refuse.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let clusters = context
        .delivery
        .clusters(context.all().map(|one| one.object.file.as_str()));
    let mut found: HashMap<Diagnostic, Tally> = HashMap::new();
    for (nth, cluster) in clusters.iter().enumerate() {
        for (file, one) in of_cluster(context, cluster) {
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
fn of_cluster(context: &LintContext<'_>, cluster: &Cluster<'_>) -> Vec<(String, Diagnostic)> {
    let all: Vec<Applied<'_>> = context
        .all()
        .filter(|one| cluster.may_hold(&one.object.file))
        .collect();
    let releases = all.iter().filter(|one| !changes_parents(context, one));
    let charted = helm_routes(releases.map(|one| one.object));
    let objects = all.iter().map(|one| one.object);
    let objects: Vec<&Object> = objects
        .chain(charted.iter().map(|route| &route.object))
        .collect();
    let resolved = resolve(objects.iter().copied(), &settings(context, cluster));
    let attachments = ClusterAttachments {
        context,
        resolved: &resolved,
        open: open(context, &all, &objects),
        charted: charted
            .iter()
            .map(|route| (&raw const route.object, route))
            .collect(),
        gateways: gateways(context, &all),
        all: &all,
    };
    attachments.findings()
}

/// The settings of the controller in a cluster. What its chart leaves switched off is for
/// [`extension_disabled`](crate::lint::reference::extension_disabled) to report, once, where it is used: here it
/// counts as on.
fn settings(context: &LintContext<'_>, cluster: &Cluster<'_>) -> Settings {
    let releases = context.controllers().iter();
    let own = releases.filter(|one| cluster.may_hold(&one.release.file));
    let own: Vec<ControllerRelease<'_>> = own.cloned().collect();
    let mut settings = settings_of(&own, |release| context.minor_in_force(release));
    // Other rules report scripts, with the line of the mistake.
    settings.reads_scripts = false;
    if let Some(minor) = context.envoy_gateway() {
        settings.features.minor = minor;
    }
    let is_own = |model: &&Model| {
        let folder = [model.layout.app_path().as_str(), &model.layout.folder].join("/");
        cluster.may_hold(&format!("{folder}/kustomization.yaml"))
    };
    if let Some(model) = context.model.filter(is_own) {
        settings.declared.clone_from(&model.declared);
    }
    for (_, features) in &mut settings.by_release {
        *features = Features {
            backend: true,
            lua: true,
            patch_policy: true,
            global_rate_limit: true,
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
pub(crate) fn is_patched(context: &LintContext<'_>, one: &Applied<'_>) -> bool {
    let by = one.way.map_or(&[][..], |way| &way.patched_by);
    let mut by = by.iter().filter_map(|at| context.objects.get(*at));
    by.any(|by| may_patch(by, one.object))
}

/// Whether a patch that can't be applied here may change the parents of routes in a release's values.
fn changes_parents(context: &LintContext<'_>, release: &Applied<'_>) -> bool {
    let by = release.way.map_or(&[][..], |way| &way.patched_by);
    let is_release = release.object.kind() == "HelmRelease" && release.object.group() == HELM;
    is_release
        && by.iter().any(|at| {
            let by = context.objects.get(*at);
            by.is_some_and(|by| {
                may_patch(by, release.object)
                    && by.node.to_json().to_string().contains("parentRefs")
            })
        })
}

/// The identities about which nothing is known: those that two objects share, and those that patches may change.
fn open<'a>(
    context: &LintContext<'_>,
    all: &[Applied<'a>],
    objects: &[&'a Object],
) -> HashSet<(&'a str, Key<'a>)> {
    let identity = |object: &&'a Object| (object.kind(), Key::of(object));
    // A chart's route may have another name than the one that is taken for it, so it is no second definition of a given
    // object.
    let (given, charted) = objects
        .split_at_checked(all.len())
        .unwrap_or((objects, &[]));
    let mut open = HashSet::new();
    for some in [given, charted] {
        let mut seen = HashSet::new();
        open.extend(some.iter().map(identity).filter(|it| !seen.insert(*it)));
    }
    let patched = all
        .iter()
        .filter(|one| is_patchable(one.object.kind()) && is_patched(context, one));
    open.extend(patched.map(|one| identity(&one.object)));
    open
}

fn gateways<'a>(context: &LintContext<'_>, all: &[Applied<'a>]) -> BTreeMap<Key<'a>, bool> {
    let mut gateways = BTreeMap::new();
    let objects = all.iter().map(|one| one.object);
    for object in objects.filter(|it| it.kind() == "Gateway" && it.group() == GATEWAY_API) {
        *gateways.entry(Key::of(object)).or_default() |= is_walked(context, object);
    }
    gateways
}

/// Whether all files in an object's folder are given.
pub(crate) fn is_walked(context: &LintContext<'_>, object: &Object) -> bool {
    context.model.is_some() || context.is_walked(&object.file)
}

pub(super) fn spec() -> Pointer {
    Pointer::root().key("spec")
}

/// Whether a name or namespace is known.
pub(crate) fn is_known(text: &str) -> bool {
    !text.is_empty() && !variable::in_text(text)
}

/// The objects of one cluster.
pub(super) struct ClusterAttachments<'r, 'a> {
    pub(super) context: &'r LintContext<'r>,
    pub(super) resolved: &'r Resolved<'a>,
    open: HashSet<(&'a str, Key<'a>)>,
    charted: HashMap<*const Object, &'r HelmRoute<'a>>,
    /// The gateways, each with whether the folder of one of its files was walked.
    pub(super) gateways: BTreeMap<Key<'a>, bool>,
    pub(super) all: &'r [Applied<'a>],
}

impl<'a> ClusterAttachments<'_, 'a> {
    /// All findings, each with the file of its object.
    fn findings(&self) -> Vec<(String, Diagnostic)> {
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
            found.extend(self.same_match(route));
            if let Some(charted) = self.charted.get(&(route.object as *const Object)) {
                found = found
                    .into_iter()
                    .map(|one| in_release(charted, one))
                    .collect();
            }
            add(route.object, found);
        }
        for (object, one) in self.listener_sets() {
            add(object, vec![one]);
        }
        for (object, one) in self.parents_of_operators() {
            add(object, vec![one]);
        }
        for (object, one) in self.unknown_objects() {
            add(object, vec![one]);
        }
        for (object, one) in self.without_parents() {
            add(object, vec![one]);
        }
        for (object, one) in self.shared_streams() {
            add(object, vec![one]);
        }
        let in_force = self.resolved.effective_policies();
        for policy in self.resolved.policies() {
            let mut found = self.policy(policy);
            found.extend(self.selectors(policy));
            found.extend(self.replaced(&in_force, policy));
            found.extend(self.crossings(policy));
            add(policy.object, found);
        }
        for policy in self.resolved.backend_tls_policies() {
            let mut found = self.backend_tls_targets(policy.object);
            let mut conditions = policy.ancestors.iter().map(|(_, conditions)| conditions);
            let refused =
                conditions.find_map(|it| it.get(kind::RESOLVED_REFS).filter(|it| it.is_bad()));
            if let Some(condition) = refused.filter(|_| !self.is_open(policy.object)) {
                let place = spec().key("validation");
                found.push(refused::report(policy.object, &place, condition));
            }
            add(policy.object, found);
        }
        for backend in self.resolved.backends() {
            if let Some(condition) = backend.conditions.get(kind::INVALID) {
                let one = refused::report(backend.object, &spec(), condition);
                add(backend.object, vec![one]);
            }
        }
        let mut found = envoy::check(self.context, self.resolved);
        found.extend(parameters::check(self.context, self.resolved));
        for policy in self.resolved.policies() {
            let one = rate_limit_service::report(self.context, policy);
            found.extend(one.map(|one| (policy.object, one)));
            let patches = unknown_resource::check(self.context, self.resolved, policy);
            found.extend(patches.into_iter().map(|one| (policy.object, one)));
        }
        found.extend(self.dns());
        found.extend(acme_solver::check(self.context, self.resolved, self.all));
        for (object, one) in found {
            let one = match self.charted.get(&(object as *const Object)) {
                Some(charted) => in_release(charted, one),
                None => one,
            };
            let is_open = match object.kind() {
                "GatewayClass" | "ClusterIssuer" => {
                    self.open.contains(&(object.kind(), Key::of(object)))
                }
                _ => self.is_open(object),
            };
            if !is_open {
                add(object, vec![one]);
            }
        }
        all
    }

    /// What is wrong with the DNS names of routes and gateways.
    fn dns(&self) -> Vec<(&'a Object, Diagnostic)> {
        let requests = self.context.address_requests().iter();
        let requested: Vec<_> = requests.filter_map(|request| request.address).collect();
        let is_charted = |object: &Object| self.is_charted(object);
        let mut found = published::check(self.resolved, self.all, is_charted);
        found.extend(hostname_outside_listener::check(self.resolved));
        found.extend(endpoint_elsewhere::check(
            self.resolved,
            self.all,
            &requested,
        ));
        found
    }

    pub(super) fn is_open(&self, object: &Object) -> bool {
        self.is_open_key(object.kind(), Key::of(object))
    }

    /// Whether it is unknown which object is meant, or how it looks in the cluster.
    pub(super) fn is_open_key(&self, kind: &str, key: Key<'_>) -> bool {
        // The set's lifetime is longer than that of the key.
        let open: &HashSet<(&str, Key<'_>)> = &self.open;
        key.namespace.is_empty() || open.contains(&(kind, key))
    }

    /// Whether a route comes from a chart.
    pub(super) fn is_charted(&self, object: &Object) -> bool {
        self.charted.contains_key(&(object as *const Object))
    }
}

/// Moves a finding on a chart's route to the values that it comes from.
pub(crate) fn in_release(route: &HelmRoute<'_>, mut one: Diagnostic) -> Diagnostic {
    let pointer = one.pointer.as_deref().and_then(Pointer::parse);
    let place = pointer.map_or_else(|| route.block.clone(), |pointer| route.place(&pointer));
    one.origin = route.release.origin(&place);
    one.span = route.release.span(&place);
    one.object = Some(route.release.reference());
    one.with_pointer(place.to_string())
}

/// `` `http`, `https` ``; only the first ones if there are many.
pub(super) fn list(names: &[&str]) -> String {
    match names.is_empty() {
        true => "none".to_owned(),
        false => listed(names.iter().map(|name| format!("`{name}`"))),
    }
}

#[cfg(test)]
mod tests;
