//! What no schema shows: findings on objects that don't fit each other, the network or the versions in force.
//!
//! Each pass looks at everything at hand at once, a [`Whole`]; one file a pass, listed in [`PASSES`].

mod addresses;
mod announcements;
mod autoscaling;
mod certificates;
mod crds;
mod dependencies;
mod front;
mod monitors;
mod pools;
mod selector;
mod substitution;
#[cfg(test)]
mod tests;
mod trusted;
mod unsubstituted;

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, SourceId, Sources};
use crate::manifest::Object;
use crate::model::Model;
use crate::resolve::delivery::{Delivery, Way};
use crate::schema::Selection;

/// Everything at hand.
#[derive(Clone, Copy, Debug)]
pub struct Whole<'a> {
    /// The objects as their files have them: what was rendered, then what lies beside it.
    pub objects: &'a [Object],
    /// What kustomize and Flux make of them.
    pub delivery: &'a Delivery,
    /// The objects as the API server gets them, in the order of [`Delivery::copies`].
    pub applied: &'a [Object],
    /// The files that are there or would be written, manifests or not, named as [`Object::file`] names them.
    pub files: &'a BTreeSet<String>,
    /// The files whose text is at hand, by name.
    pub texts: &'a BTreeMap<String, SourceId>,
    /// All texts.
    pub sources: &'a Sources,
    /// What `cluster.toml` means; `None` where manifests are checked without one.
    pub model: Option<&'a Model>,
    /// The versions in force.
    pub selection: &'a Selection,
}

/// An object as the API server gets it.
#[derive(Clone, Copy, Debug)]
pub struct Applied<'a> {
    /// Its place in [`Whole::objects`].
    pub at: usize,
    /// The way by which it is applied; `None` where no kustomization at hand lists it.
    pub way: Option<&'a Way>,
    /// The object.
    pub object: &'a Object,
}

impl<'a> Whole<'a> {
    /// The objects as the API server gets them.
    pub fn all(&self) -> impl Iterator<Item = Applied<'a>> + use<'a> {
        let copies = self.delivery.copies();
        copies
            .zip(self.applied)
            .map(|((at, way), object)| Applied { at, way, object })
    }

    /// The objects of a kind of a group, as the API server gets them.
    pub fn of_kind(
        &self,
        group: &'static str,
        kind: &'static str,
    ) -> impl Iterator<Item = Applied<'a>> + use<'a> {
        self.all()
            .filter(move |one| one.object.kind() == kind && one.object.group() == group)
    }

    /// Whether two objects may be of one cluster.
    pub fn may_share_cluster(&self, one: &Object, other: &Object) -> bool {
        self.delivery.may_share_cluster(&one.file, &other.file)
    }
}

/// One look at everything at hand.
pub type Pass = fn(&Whole<'_>) -> Vec<Diagnostic>;

/// The passes, in the order in which their findings are told.
pub const PASSES: &[Pass] = &[
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
];

/// Runs all passes.
pub fn check(whole: &Whole<'_>) -> Vec<Diagnostic> {
    PASSES.iter().flat_map(|pass| pass(whole)).collect()
}
