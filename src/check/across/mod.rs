//! What no schema shows: findings on objects that don't fit each other, the network or the versions in force.
//!
//! Each pass looks at everything at hand at once, a [`Whole`]; one file a pass, listed in [`PASSES`].
//!
//! - [`extension`]: what the chart's values leave switched off.
//! - [`script`]: Lua in policies, and the ConfigMaps that hold it.
//! - [`listing`]: what kustomizations list, and what lies beside them.
//! - [`deprecated`]: fields on their way out, with what takes their place.
//! - [`gate`]: fields and kinds that mean something else, or nothing, in the versions in force.
//! - [`envoy_image`]: an Envoy that is not the chart's.
//! - [`chart_value`]: Helm values that the chart does not read.
//!
//! What several passes ask: [`chart`], which release of the chart is at hand and what its values say, and
//! [`kustomize`], what a kustomization lists.

pub mod chart;
pub mod chart_value;
pub mod deprecated;
pub mod envoy_image;
pub mod extension;
pub mod field;
pub mod gate;
pub mod kustomize;
pub mod listing;
pub mod script;
#[cfg(test)]
pub(in crate::check) mod support;

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, SourceId, Sources};
use crate::manifest::Object;
use crate::model::Model;
use crate::schema::bundle::ENVOY_GATEWAY;
use crate::schema::{Reason, Selection};

/// Everything at hand.
#[derive(Clone, Copy, Debug)]
pub struct Whole<'a> {
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

impl<'a> Whole<'a> {
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
];

/// Runs all passes.
pub fn check(whole: &Whole<'_>) -> Vec<Diagnostic> {
    PASSES.iter().flat_map(|pass| pass(whole)).collect()
}
