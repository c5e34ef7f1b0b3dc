//! Variables that Flux substitutes, dependencies of Flux Kustomizations, CRDs and monitors.

pub(crate) mod circular_dependency;
pub(crate) mod dependencies;
pub(crate) mod missing_crds;
pub(crate) mod missing_dependency;
pub(crate) mod monitor_elsewhere;
pub(crate) mod not_substituted;
pub(crate) mod refused_build;
pub(crate) mod replaced_in_script;
pub(crate) mod substitution;
pub(crate) mod unknown_source;
pub(crate) mod unreadable_variable;
