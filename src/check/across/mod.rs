//! Cross rules, which find what no schema can show: objects that don't fit each other, the network, or the versions in
//! force.
//!
//! Each pass looks at all given objects at once, as a [`Whole`]. Each has its own file, and [`PASSES`] lists them.
//!
//! - References: [`extension`], features that the chart's values don't enable; [`script`], Lua in policies and the
//!   ConfigMaps that contain it; [`listing`], the files that kustomizations list, and those that they don't.
//! - Versions: [`gate`], fields and kinds that have another meaning, or none, in the versions in force;
//!   [`deprecated`], deprecated fields; [`envoy_image`], an Envoy of another version than the chart's;
//!   [`chart_value`], Helm values that the chart doesn't read.
//! - Network: [`addresses`], [`pools`], [`announcements`], [`certificates`], [`trusted`].
//! - Flux: [`substitution`], [`unsubstituted`], [`dependencies`], [`crds`], [`monitors`].
//! - KEDA: [`autoscaling`].
//! - Attachment: [`attachment`], what the controller would refuse, or what attaches to nothing; [`envoy_refuses`], what
//!   Envoy would refuse.
//!
//! Several passes use [`front`], which computes what the controller creates for a Gateway, [`selector`], which matches
//! labels, and [`ranges`], which finds the ranges that contain an address.

mod addresses;
mod announcements;
pub mod attachment;
mod autoscaling;
mod certificates;
pub mod chart_value;
mod crds;
mod dependencies;
pub mod deprecated;
pub mod envoy_image;
mod envoy_refuses;
pub mod extension;
pub mod field;
mod front;
pub mod gate;
pub mod listing;
mod monitors;
mod pools;
mod ranges;
pub mod script;
mod selector;
mod substitution;
#[cfg(test)]
pub(in crate::check) mod support;
#[cfg(test)]
mod tests;
mod trusted;
mod unsubstituted;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Deref;

use rayon::prelude::*;

use self::addresses::Claim;
use self::front::Front;
use crate::model::Model;
use crd_validate::schema::bundle::ENVOY_GATEWAY;
use crd_validate::schema::{Reason, Selection};
use envoy_gateway::controller::{ControllerRelease, Files, HelmCharts, controller_releases};
use flux_repo::{self, Delivery, FLUX, Substitutes, Way};
use manifest::Object;
use manifest::diagnostic::{Diagnostic, SourceId, Sources};

/// Everything that is checked, as it is in files.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The objects as they are in their files: the rendered ones first, then those beside them.
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
    /// The versions in force.
    pub selection: &'a Selection,
}

/// Everything that is checked, with what kustomize and Flux do with it.
#[derive(Clone, Copy, Debug)]
pub struct Whole<'a> {
    given: Given<'a>,
    /// What kustomize and Flux do with the files.
    pub delivery: &'a Delivery,
    /// The objects as the API server gets them, in the order of [`Delivery::copies`].
    all: &'a [Applied<'a>],
    /// The indices in `all` of the objects of each kind.
    kinds: &'a HashMap<&'a str, Vec<usize>>,
    /// Values that several passes need, computed once.
    common: Common<'a>,
    /// The indices in [`Given::objects`] of the objects of each kind.
    given_kinds: &'a HashMap<&'a str, Vec<usize>>,
    /// The variables that each Flux Kustomization substitutes, by its index in [`Given::objects`].
    substitutes: &'a HashMap<usize, Substitutes>,
}

/// Values that several passes need.
#[derive(Clone, Copy, Debug, Default)]
struct Common<'a> {
    charts: Option<&'a HelmCharts<'a>>,
    controllers: &'a [ControllerRelease<'a>],
    fronts: &'a [Front<'a>],
    claims: &'a [Claim<'a>],
}

impl<'a> Deref for Whole<'a> {
    type Target = Given<'a>;

    fn deref(&self) -> &Given<'a> {
        &self.given
    }
}

/// An object as the API server gets it.
#[derive(Clone, Copy, Debug)]
pub struct Applied<'a> {
    /// Its index in [`Given::objects`].
    pub at: usize,
    /// How it is applied; `None` if no given kustomization lists it.
    pub way: Option<&'a Way>,
    /// The object.
    pub object: &'a Object,
}

impl<'a> Whole<'a> {
    /// The objects as the API server gets them.
    pub fn all(&self) -> impl Iterator<Item = Applied<'a>> + use<'a> {
        self.all.iter().copied()
    }

    /// The objects of a kind in any group, as they are in their files.
    pub fn given_of(&self, kind: &str) -> impl Iterator<Item = &'a Object> + use<'a> {
        let objects = self.given.objects;
        let places = self.given_kinds.get(kind).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|at| objects.get(*at))
    }

    /// The objects of a kind in a group, as the API server gets them.
    pub fn of_kind(
        &self,
        group: &'static str,
        kind: &'static str,
    ) -> impl Iterator<Item = Applied<'a>> + use<'a> {
        let all = self.all;
        let places = self.kinds.get(kind).map_or(&[][..], Vec::as_slice);
        let of_kind = places.iter().filter_map(|at| all.get(*at)).copied();
        of_kind.filter(move |one| one.object.group() == group)
    }

    /// The Flux Kustomization that applies an object, and the variables that it substitutes.
    pub fn substitutes(&self, way: Option<&Way>) -> Option<(&'a Object, &'a Substitutes)> {
        let flux = way?.flux?;
        Some((self.given.objects.get(flux)?, self.substitutes.get(&flux)?))
    }

    /// The releases of a chart, by its name in a Helm repository or at the end of its URL.
    fn releases(&self, chart: &str) -> impl Iterator<Item = Applied<'a>> + use<'a> {
        let all = self.all;
        let releases = self.common.charts.map_or(&[][..], |it| it.releases(chart));
        releases.iter().filter_map(|one| all.get(one.at).copied())
    }

    /// The gateways, with what the controller creates for each.
    fn fronts(&self) -> &'a [Front<'a>] {
        self.common.fronts
    }

    /// All requested addresses.
    fn claims(&self) -> &'a [Claim<'a>] {
        self.common.claims
    }

    /// The releases of the controller's chart, and their values.
    fn controllers(&self) -> &'a [ControllerRelease<'a>] {
        self.common.controllers
    }

    /// The minor version of Envoy Gateway that a release installs: the declared one, otherwise that of the release
    /// itself, because each cluster may have another version.
    fn minor_in_force(&self, release: &ControllerRelease<'_>) -> Option<(u64, u64)> {
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

impl<'a> Given<'a> {
    /// Computes what kustomize and Flux do with the objects, and calls `look` with the result.
    pub fn whole<T>(&self, look: impl FnOnce(&Whole<'_>) -> T) -> T {
        let delivery = Delivery::of(self.objects, self.files);
        let applied = flux_repo::applied(self.objects, &delivery);
        let copies = delivery.copies().zip(&applied);
        let all: Vec<Applied<'_>> = copies
            .map(|((at, way), object)| Applied { at, way, object })
            .collect();
        let kinds = by_kind(all.iter().map(|one| one.object));
        let given_kinds = by_kind(self.objects);
        let flux = given_kinds.get("Kustomization").into_iter().flatten();
        let substitutes: HashMap<usize, Substitutes> = flux
            .filter_map(|at| Some((*at, self.objects.get(*at)?)))
            .filter(|(_, object)| object.group() == FLUX)
            .map(|(at, object)| (at, Substitutes::of(object)))
            .collect();
        let mut whole = Whole {
            given: *self,
            delivery: &delivery,
            all: &all,
            kinds: &kinds,
            common: Common::default(),
            given_kinds: &given_kinds,
            substitutes: &substitutes,
        };
        // The order matters, because each of these values depends on those before it.
        let objects: Vec<&Object> = all.iter().map(|one| one.object).collect();
        let may_share = |one: &Object, other: &Object| whole.may_share_cluster(one, other);
        let charts = HelmCharts::new(&objects, may_share);
        let files = Files {
            objects: self.objects,
            delivery: &delivery,
            text_of: &|file: &str| self.text(file).map(str::to_owned),
        };
        let controllers = controller_releases(&objects, &charts, &files);
        whole.common.charts = Some(&charts);
        whole.common.controllers = &controllers;
        let fronts = front::fronts(&whole);
        whole.common.fronts = &fronts;
        let claims = addresses::claims(&whole);
        whole.common.claims = &claims;
        look(&whole)
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
        self.selection.of(project)?.set.version.minor()
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

/// The indices of the objects of each kind.
fn by_kind<'o>(objects: impl IntoIterator<Item = &'o Object>) -> HashMap<&'o str, Vec<usize>> {
    let mut kinds: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, object) in objects.into_iter().enumerate() {
        kinds.entry(object.kind()).or_default().push(at);
    }
    kinds
}

/// A check of everything at once.
pub type Pass = fn(&Whole<'_>) -> Vec<Diagnostic>;

/// The passes, in the order of their findings.
pub const PASSES: &[Pass] = &[
    extension::check,
    script::check,
    listing::check,
    gate::check,
    deprecated::check,
    envoy_image::check,
    chart_value::check,
    addresses::check,
    pools::check,
    announcements::check,
    certificates::check,
    trusted::check,
    substitution::check,
    unsubstituted::check,
    dependencies::check,
    crds::check,
    monitors::check,
    autoscaling::check,
    attachment::check,
];

/// Runs all passes, several of them in parallel.
pub fn check(given: &Given<'_>) -> Vec<Diagnostic> {
    given.whole(|whole| {
        let passes = PASSES.par_iter();
        passes.flat_map_iter(|pass| pass(whole)).collect()
    })
}
