//! What no schema shows: findings on objects that don't fit each other, the network or the versions in force.
//!
//! Each pass looks at everything at hand at once, a [`Whole`]; one file a pass, listed in [`PASSES`].
//!
//! - References: [`extension`], what the chart's values leave switched off; [`script`], Lua in policies and the
//!   ConfigMaps that hold it; [`listing`], what kustomizations list, and what lies beside them.
//! - Versions: [`gate`], fields and kinds that mean something else, or nothing, in the versions in force;
//!   [`deprecated`], fields on their way out; [`envoy_image`], an Envoy that is not the chart's; [`chart_value`], Helm
//!   values that the chart does not read.
//! - Network: [`addresses`], [`pools`], [`announcements`], [`certificates`], [`trusted`].
//! - Flux: [`substitution`], [`unsubstituted`], [`dependencies`], [`crds`], [`monitors`].
//! - KEDA: [`autoscaling`].
//! - Attachment: [`attachment`], what the controller would refuse, or attach to nothing.
//!
//! What several passes ask: [`chart`], which release of the chart is at hand and what its values say;
//! [`kustomize`], what it needs of kustomizations; [`front`], what the controller makes of a Gateway; [`selector`], what
//! a selector matches; [`ranges`], which ranges of addresses hold one.

mod addresses;
mod announcements;
pub mod attachment;
mod autoscaling;
mod certificates;
pub mod chart;
pub mod chart_value;
mod crds;
mod dependencies;
pub mod deprecated;
pub mod envoy_image;
pub mod extension;
pub mod field;
mod front;
pub mod gate;
pub mod kustomize;
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
use self::chart::Chart;
use self::front::Front;
use crate::diagnostic::{Diagnostic, SourceId, Sources};
use crate::manifest::Object;
use crate::model::Model;
use crate::resolve::delivery::{self, Delivery, FLUX, Substitutes, Way};
use crate::schema::bundle::ENVOY_GATEWAY;
use crate::schema::{Reason, Selection};

/// Everything at hand, as files have it.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The objects as their files have them: what was rendered, then what lies beside it.
    pub objects: &'a [Object],
    /// The files that are there or would be written, manifests or not, named as [`Object::file`] names them.
    pub files: &'a BTreeSet<String>,
    /// The folders that were walked, named likewise: what is not in `files` below them is not there. The empty
    /// name is the folder that all names count from.
    pub walked: &'a [String],
    /// The files whose text is at hand, by name.
    pub texts: &'a BTreeMap<String, SourceId>,
    /// All texts.
    pub sources: &'a Sources,
    /// What `cluster.toml` means; `None` where manifests are checked without one.
    pub model: Option<&'a Model>,
    /// The versions in force.
    pub selection: &'a Selection,
}

/// Everything at hand, with what kustomize and Flux make of it.
#[derive(Clone, Copy, Debug)]
pub struct Whole<'a> {
    given: Given<'a>,
    /// What kustomize and Flux make of the files.
    pub delivery: &'a Delivery,
    /// The objects as the API server gets them, in the order of [`Delivery::copies`].
    all: &'a [Applied<'a>],
    /// The places in `all` of the objects of each kind.
    kinds: &'a HashMap<&'a str, Vec<usize>>,
    /// What several passes ask, looked up once.
    common: Common<'a>,
    /// The places in [`Given::objects`] of the objects of each kind.
    given_kinds: &'a HashMap<&'a str, Vec<usize>>,
    /// What each Flux Kustomization substitutes, by its place in [`Given::objects`].
    substitutes: &'a HashMap<usize, Substitutes>,
}

/// What several passes ask.
#[derive(Clone, Copy, Debug, Default)]
struct Common<'a> {
    releases: Option<&'a HashMap<&'a str, Vec<Applied<'a>>>>,
    fronts: &'a [Front<'a>],
    claims: &'a [Claim<'a>],
    charts: &'a [Chart<'a>],
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
    /// Its place in [`Given::objects`].
    pub at: usize,
    /// The way by which it is applied; `None` where no kustomization at hand lists it.
    pub way: Option<&'a Way>,
    /// The object.
    pub object: &'a Object,
}

impl<'a> Whole<'a> {
    /// The objects as the API server gets them.
    pub fn all(&self) -> impl Iterator<Item = Applied<'a>> + use<'a> {
        self.all.iter().copied()
    }

    /// The objects of a kind of any group, as their files have them.
    pub fn given_of(&self, kind: &str) -> impl Iterator<Item = &'a Object> + use<'a> {
        let objects = self.given.objects;
        let places = self.given_kinds.get(kind).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|at| objects.get(*at))
    }

    /// The objects of a kind of a group, as the API server gets them.
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

    /// What the Flux Kustomization of a way substitutes, and which it is.
    pub fn substitutes(&self, way: Option<&Way>) -> Option<(&'a Object, &'a Substitutes)> {
        let flux = way?.flux?;
        Some((self.given.objects.get(flux)?, self.substitutes.get(&flux)?))
    }

    /// The releases of a chart, by the chart's name: of a Helm repository, or at the end of an address.
    fn releases(&self, chart: &str) -> &'a [Applied<'a>] {
        let releases = self.common.releases;
        releases
            .and_then(|by_chart| by_chart.get(chart))
            .map_or(&[], Vec::as_slice)
    }

    /// The gateways, with what the controller makes of each.
    fn fronts(&self) -> &'a [Front<'a>] {
        self.common.fronts
    }

    /// All addresses that are asked for.
    fn claims(&self) -> &'a [Claim<'a>] {
        self.common.claims
    }

    /// The releases of the controller's chart, and what their values say.
    fn charts(&self) -> &'a [Chart<'a>] {
        self.common.charts
    }

    /// Whether two objects may be of one cluster.
    pub fn may_share_cluster(&self, one: &Object, other: &Object) -> bool {
        self.delivery.may_share_cluster(&one.file, &other.file)
    }
}

impl<'a> Given<'a> {
    /// Calls `look` with what kustomize and Flux make of it.
    pub fn whole<T>(&self, look: impl FnOnce(&Whole<'_>) -> T) -> T {
        let delivery = Delivery::of(self.objects, self.files);
        let applied = delivery::applied(self.objects, &delivery);
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
        // Each is made of those before it.
        let releases = front::releases(&whole);
        whole.common.releases = Some(&releases);
        let fronts = front::fronts(&whole);
        whole.common.fronts = &fronts;
        let claims = addresses::claims(&whole);
        whole.common.claims = &claims;
        let charts = chart::charts(&whole);
        whole.common.charts = &charts;
        look(&whole)
    }

    /// Major and minor number of the Envoy Gateway in force; `None` where it has none.
    pub fn envoy_gateway(&self) -> Option<(u64, u64)> {
        self.minor_of(ENVOY_GATEWAY)
    }

    /// Whether somebody says which Envoy Gateway is in force: what holds from one on is then known to hold.
    pub fn declares_envoy_gateway(&self) -> bool {
        let chosen = self.selection.of(ENVOY_GATEWAY);
        chosen.is_some_and(|chosen| chosen.reason != Reason::Assumed)
    }

    /// Major and minor number of a project's version in force.
    pub fn minor_of(&self, project: &str) -> Option<(u64, u64)> {
        self.selection.of(project)?.set.version.minor()
    }

    /// The text of a file; `None` where it is not at hand.
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

    /// Whether all that is in `folder` is known.
    pub fn is_walked(&self, folder: &str) -> bool {
        self.walked.iter().any(|walked| {
            let below = folder.strip_prefix(walked.as_str());
            walked.is_empty() && !folder.starts_with("..") && !folder.starts_with('/')
                || below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// The places of the objects of each kind.
fn by_kind<'o>(objects: impl IntoIterator<Item = &'o Object>) -> HashMap<&'o str, Vec<usize>> {
    let mut kinds: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, object) in objects.into_iter().enumerate() {
        kinds.entry(object.kind()).or_default().push(at);
    }
    kinds
}

/// One look at everything at hand.
pub type Pass = fn(&Whole<'_>) -> Vec<Diagnostic>;

/// The passes, in the order in which their findings are told.
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

/// Runs all passes, several at a time.
pub fn check(given: &Given<'_>) -> Vec<Diagnostic> {
    given.whole(|whole| {
        let passes = PASSES.par_iter();
        passes.flat_map_iter(|pass| pass(whole)).collect()
    })
}
