//! What rules look at: the given objects, and what kustomize, Flux and Envoy Gateway make of them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::ops::Deref;

use rayon::prelude::*;

use super::flux::dependencies::{Dependent, dependents};
use super::front::{Front, fronts};
use super::keda::autoscalers::{Autoscaler, autoscalers};
use super::network::address_requests::{ServiceAddressRequest, address_requests};
use super::network::pools::{Pool, pools};
use crate::model::Model;
use crate::model::rules::Rules;
use crd_validate::schema::bundle::ENVOY_GATEWAY;
use crd_validate::schema::{Reason, Selection};
use envoy_gateway::controller::{ControllerRelease, Files, HelmCharts, controller_releases};
use flux_repo::build::{BuildError, BuildPlace, FileContent};
use flux_repo::{
    self, Delivery, DeliveryPath, FLUX, KnownVariables, PatchedObjects, Substitutes, applied_copy,
};
use manifest::Object;
use manifest::diagnostic::{SourceId, Sources};

/// Everything that rules are given: objects as they are in files, and the files themselves.
#[derive(Clone, Copy, Debug)]
pub struct LintInput<'a> {
    /// The objects as they are in their files: the rendered ones first, then those beside them. In a [`LintContext`],
    /// patches have changed them.
    pub objects: &'a [Object],
    /// The names of all existing or rendered files, manifests or not, in the form of [`Object::file`].
    pub files: &'a BTreeSet<String>,
    /// The folders that were walked, named in the same way: files below them that are not in `files` don't exist. The
    /// empty name is the folder that all names are relative to.
    pub walked: &'a [String],
    /// The files whose text is given, by name.
    pub texts: &'a BTreeMap<String, SourceId>,
    /// All texts.
    pub sources: &'a Sources,
    /// The model of `cluster.toml`; `None` if manifests are checked without one.
    pub model: Option<&'a Model>,
    /// The rules of the project itself; `None` if it has none.
    pub rules: Option<&'a Rules>,
    /// The versions in force.
    pub selection: &'a Selection,
}

/// Everything that is given, with what kustomize, Flux and Envoy Gateway make of it.
#[derive(Clone, Copy, Debug)]
pub struct LintContext<'a> {
    input: LintInput<'a>,
    /// What kustomize and Flux do with the files.
    pub delivery: &'a Delivery,
    /// What kustomize refuses of the folders that have patches.
    pub build_errors: &'a [BuildError],
    /// The patches whose targets select nothing.
    pub idle_patches: &'a [BuildPlace],
    /// The objects as the API server gets them, in the order of [`Delivery::copies`].
    all: &'a [Applied<'a>],
    /// The indices in `all` of the objects of each kind.
    kinds: &'a HashMap<&'a str, Vec<usize>>,
    /// The indices in `all` of the objects with each name.
    names: &'a HashMap<&'a str, Vec<usize>>,
    /// Values that several rules need, computed once.
    common: Common<'a>,
    /// The indices in [`LintInput::objects`] of the objects of each kind.
    given_kinds: &'a HashMap<&'a str, Vec<usize>>,
    /// The variables that each Flux Kustomization substitutes, by its index in [`LintInput::objects`].
    substitutes: &'a HashMap<usize, Substitutes>,
}

/// Values that several rules need.
#[derive(Clone, Copy, Debug, Default)]
struct Common<'a> {
    charts: Option<&'a HelmCharts<'a>>,
    controllers: &'a [ControllerRelease<'a>],
    fronts: &'a [Front<'a>],
    address_requests: &'a [ServiceAddressRequest<'a>],
    pools: &'a [Pool<'a>],
    autoscalers: &'a [Autoscaler<'a>],
    dependents: &'a [Dependent<'a>],
}

impl<'a> Deref for LintContext<'a> {
    type Target = LintInput<'a>;

    fn deref(&self) -> &LintInput<'a> {
        &self.input
    }
}

/// An object as the API server gets it.
#[derive(Clone, Copy, Debug)]
pub struct Applied<'a> {
    /// Its index in [`LintInput::objects`].
    pub at: usize,
    /// How it is applied; `None` if no given kustomization lists it.
    pub way: Option<&'a DeliveryPath>,
    /// The object, with the values of variables where they are known.
    pub object: &'a Object,
    /// The object with all variables as they are written.
    pub written: &'a Object,
}

/// Whether an object changes what happens to requests. Other objects, such as classes and grants, are often applied by
/// hand when a cluster begins.
fn handles_requests(object: &Object) -> bool {
    const NOT: [&str; 5] = [
        "Backend",
        "EnvoyProxy",
        "GatewayClass",
        "HTTPRouteFilter",
        "ReferenceGrant",
    ];
    let groups = ["gateway.networking.k8s.io", "gateway.envoyproxy.io"];
    groups.contains(&object.group()) && !NOT.contains(&object.kind())
}

impl<'a> LintContext<'a> {
    /// The objects as the API server gets them.
    pub fn all(&self) -> impl Iterator<Item = Applied<'a>> + use<'a> {
        self.all.iter().copied()
    }

    /// The objects of a kind in any group, as they are in their files.
    pub fn given_of(&self, kind: &str) -> impl Iterator<Item = &'a Object> + use<'a> {
        let objects = self.input.objects;
        let places = self.given_kinds.get(kind).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|at| objects.get(*at))
    }

    /// The objects of a kind in a group, as the API server gets them.
    pub fn of_kind(
        &self,
        group: &'static str,
        kind: &str,
    ) -> impl Iterator<Item = Applied<'a>> + use<'a> {
        let all = self.all;
        let places = self.kinds.get(kind).map_or(&[][..], Vec::as_slice);
        let of_kind = places.iter().filter_map(|at| all.get(*at)).copied();
        of_kind.filter(move |one| one.object.group() == group)
    }

    /// The workloads that have Pods, as the API server gets them.
    pub(super) fn workloads(&self) -> impl Iterator<Item = Applied<'a>> {
        let kinds = ["Deployment", "StatefulSet", "DaemonSet"].into_iter();
        kinds.flat_map(|kind| self.of_kind("apps", kind))
    }

    /// The objects with a name, of any kind and in any namespace, as the API server gets them.
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = Applied<'a>> + use<'a> {
        let all = self.all;
        let places = self.names.get(name).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|at| all.get(*at)).copied()
    }

    /// What the API server gets of the object with this index in [`LintInput::objects`]: several objects if it is applied
    /// several times.
    pub(super) fn copies_of(&self, at: usize) -> impl Iterator<Item = Applied<'a>> + use<'a> {
        let start = self.all.partition_point(|one| one.at < at);
        let copies = self.all.get(start..).unwrap_or_default().iter();
        copies.copied().take_while(move |one| one.at == at)
    }

    /// The Flux Kustomization that applies an object, and the variables that it substitutes.
    pub fn substitutes(&self, way: Option<&DeliveryPath>) -> Option<(&'a Object, &'a Substitutes)> {
        let flux = way?.flux?;
        Some((self.input.objects.get(flux)?, self.substitutes.get(&flux)?))
    }

    /// The releases of a chart, by its name in a Helm repository or at the end of its URL.
    pub(super) fn releases(&self, chart: &str) -> impl Iterator<Item = Applied<'a>> + use<'a> {
        let all = self.all;
        let releases = self.common.charts.map_or(&[][..], |it| it.releases(chart));
        releases.iter().filter_map(|one| all.get(one.at).copied())
    }

    /// The gateways, with what the controller creates for each.
    pub(super) fn fronts(&self) -> &'a [Front<'a>] {
        self.common.fronts
    }

    /// All requested addresses.
    pub(super) fn address_requests(&self) -> &'a [ServiceAddressRequest<'a>] {
        self.common.address_requests
    }

    /// Cilium's address pools.
    pub(super) fn pools(&self) -> &'a [Pool<'a>] {
        self.common.pools
    }

    /// Everything that scales a workload of Envoy Gateway.
    pub(super) fn autoscalers(&self) -> &'a [Autoscaler<'a>] {
        self.common.autoscalers
    }

    /// All Flux Kustomizations with their dependencies.
    pub(super) fn dependents(&self) -> &'a [Dependent<'a>] {
        self.common.dependents
    }

    /// The releases of the controller's chart, and their values.
    pub(super) fn controllers(&self) -> &'a [ControllerRelease<'a>] {
        self.common.controllers
    }

    /// The minor version of Envoy Gateway that a release installs: the declared one, otherwise that of the release
    /// itself, because each cluster may have another version.
    pub(super) fn minor_in_force(&self, release: &ControllerRelease<'_>) -> Option<(u64, u64)> {
        match self.declares_envoy_gateway() {
            true => self.envoy_gateway(),
            false => release.minor().or(self.envoy_gateway()),
        }
    }

    /// Whether two objects may be in the same cluster.
    pub fn may_share_cluster(&self, one: &Object, other: &Object) -> bool {
        self.delivery.may_share_cluster(&one.file, &other.file)
    }
}

impl<'a> LintInput<'a> {
    /// Computes what kustomize, Flux and Envoy Gateway make of the objects, and calls `look` with the result.
    pub fn with_context<T>(&self, look: impl FnOnce(&LintContext<'_>) -> T) -> T {
        self.with_patched(&self.patched(), look)
    }

    /// The objects as patches change them, and what kustomize and Flux do with them.
    pub fn patched(&self) -> PatchedObjects {
        let content_of = |file: &str| {
            let source = self.texts.get(file)?;
            Some(FileContent::of(self.sources, *source))
        };
        let mut patched = PatchedObjects::of(self.objects, self.files, &content_of);
        // What nothing applies is no part of the cluster. What is given by itself is judged with the rest.
        let objects = &patched.objects;
        if self.model.is_none() && patched.delivery.has_flux_above(objects) {
            let mut left_out = patched.delivery.not_applied_by_flux(objects);
            left_out.retain(|at| {
                let object = objects.get(*at);
                object.is_some_and(|it| handles_requests(it) && self.is_walked(&it.file))
            });
            patched.delivery.leave_out(left_out);
        }
        patched
    }

    /// Like [`with_context`](Self::with_context), for objects that were [`patched`](Self::patched) before.
    pub fn with_patched<T>(
        &self,
        patched: &PatchedObjects,
        look: impl FnOnce(&LintContext<'_>) -> T,
    ) -> T {
        let input = LintInput {
            objects: &patched.objects,
            ..*self
        };
        input.with_delivery(patched, look)
    }

    fn with_delivery<T>(
        &self,
        patched: &PatchedObjects,
        look: impl FnOnce(&LintContext<'_>) -> T,
    ) -> T {
        let delivery = &patched.delivery;
        let copies: Vec<(usize, Option<&DeliveryPath>)> = delivery.copies().collect();
        let written: Vec<Cow<'_, Object>> = copies
            .par_iter()
            .filter_map(|(at, way)| Some(applied_copy(self.objects.get(*at)?, *way)))
            .collect();
        let text_of = |file: &str| self.text(file).map(str::to_owned);
        let known = KnownVariables::of(self.objects, delivery, &text_of);
        let applied: Vec<Cow<'_, Object>> = copies
            .par_iter()
            .zip(&written)
            .map(|((_, way), object)| known.put_into_copy(object, *way))
            .collect();
        let copies = copies.iter().zip(written.iter().zip(&applied));
        let all: Vec<Applied<'_>> = copies
            .map(|((at, way), (written, object))| Applied {
                at: *at,
                way: *way,
                object,
                written,
            })
            .collect();
        let kinds = places_by(all.iter().map(|one| one.object.kind()));
        let names = places_by(all.iter().map(|one| one.object.name()));
        let given_kinds = places_by(self.objects.iter().map(Object::kind));
        let flux = given_kinds.get("Kustomization").into_iter().flatten();
        let substitutes: HashMap<usize, Substitutes> = flux
            .filter_map(|at| Some((*at, self.objects.get(*at)?)))
            .filter(|(_, object)| object.group() == FLUX)
            .map(|(at, object)| (at, Substitutes::of(object)))
            .collect();
        let mut context = LintContext {
            input: *self,
            delivery,
            build_errors: &patched.build_errors,
            idle_patches: &patched.idle_patches,
            all: &all,
            kinds: &kinds,
            names: &names,
            common: Common::default(),
            given_kinds: &given_kinds,
            substitutes: &substitutes,
        };
        // The order matters, because each of these values depends on those before it.
        let objects: Vec<&Object> = all.iter().map(|one| one.object).collect();
        let may_share = |one: &Object, other: &Object| context.may_share_cluster(one, other);
        let charts = HelmCharts::new(&objects, may_share);
        let files = Files {
            objects: self.objects,
            delivery,
            text_of: &text_of,
        };
        let controllers = controller_releases(&objects, &charts, &files);
        context.common.charts = Some(&charts);
        context.common.controllers = &controllers;
        let fronts = fronts(&context);
        context.common.fronts = &fronts;
        let address_requests = address_requests(&context);
        context.common.address_requests = &address_requests;
        let pools = pools(&context);
        context.common.pools = &pools;
        let autoscalers = autoscalers(&context);
        context.common.autoscalers = &autoscalers;
        let dependents = dependents(&context);
        context.common.dependents = &dependents;
        look(&context)
    }

    /// The minor version of Envoy Gateway in force; `None` if there is none.
    pub fn envoy_gateway(&self) -> Option<(u64, u64)> {
        self.minor_of(ENVOY_GATEWAY)
    }

    /// Whether the version of Envoy Gateway is declared, so that features of later versions are known to be missing
    /// or present.
    pub fn declares_envoy_gateway(&self) -> bool {
        let chosen = self.selection.of(ENVOY_GATEWAY);
        chosen.is_some_and(|chosen| chosen.reason != Reason::Assumed)
    }

    /// The minor version of a project in force.
    pub fn minor_of(&self, project: &str) -> Option<(u64, u64)> {
        self.selection.of(project)?.declared().minor()
    }

    /// The text of a file, if it is given.
    pub fn text(&self, file: &str) -> Option<&'a str> {
        let source = self.texts.get(file)?;
        Some(self.sources.get(*source).text())
    }

    /// Whether there are files below `folder`.
    pub fn has_folder(&self, folder: &str) -> bool {
        if folder.is_empty() {
            return !self.files.is_empty();
        }
        let below = format!("{folder}/");
        let next = self.files.range(below.clone()..).next();
        next.is_some_and(|file| file.starts_with(&below))
    }

    /// Whether all files in `folder` are known.
    pub fn is_walked(&self, folder: &str) -> bool {
        self.walked.iter().any(|walked| {
            let below = folder.strip_prefix(walked.as_str());
            walked.is_empty() && !folder.starts_with("..") && !folder.starts_with('/')
                || below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// The places of each key, in order.
fn places_by<K: Eq + Hash>(keys: impl IntoIterator<Item = K>) -> HashMap<K, Vec<usize>> {
    let keys = keys.into_iter();
    let mut places: HashMap<K, Vec<usize>> = HashMap::with_capacity(keys.size_hint().0);
    for (at, key) in keys.enumerate() {
        places.entry(key).or_default().push(at);
    }
    places
}

#[cfg(test)]
mod tests;
