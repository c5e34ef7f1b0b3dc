//! What no schema shows: findings on objects that don't fit each other, the network or the versions in force.
//!
//! Each pass looks at everything at hand at once, a [`Whole`]; one file a pass, listed in [`PASSES`].

pub mod attachment;

use std::collections::BTreeSet;

use crate::diagnostic::Diagnostic;
use crate::manifest::Object;
use crate::model::Model;
use crate::schema::Selection;

/// Everything at hand.
#[derive(Clone, Copy, Debug)]
pub struct Whole<'a> {
    /// The objects as their files have them: what was rendered, then what lies beside it.
    pub objects: &'a [Object],
    /// The files that are there or would be written, manifests or not, named as [`Object::file`] names them.
    pub files: &'a BTreeSet<String>,
    /// What `cluster.toml` means; `None` where manifests are checked without one.
    pub model: Option<&'a Model>,
    /// The versions in force.
    pub selection: &'a Selection,
}

/// One look at everything at hand.
pub type Pass = fn(&Whole<'_>) -> Vec<Diagnostic>;

/// The passes, in the order in which their findings are told.
pub const PASSES: &[Pass] = &[attachment::check];

/// Runs all passes.
pub fn check(whole: &Whole<'_>) -> Vec<Diagnostic> {
    PASSES.iter().flat_map(|pass| pass(whole)).collect()
}
