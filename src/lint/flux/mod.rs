//! Variables that Flux substitutes, dependencies of Flux Kustomizations, CRDs and monitors.

pub mod circular_dependency;
pub mod dependencies;
pub mod missing_crds;
pub mod missing_dependency;
pub mod monitor_elsewhere;
pub mod not_substituted;
pub mod replaced_in_script;
pub mod substitution;
pub mod unreadable_variable;
