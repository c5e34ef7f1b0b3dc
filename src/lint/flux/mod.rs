//! Variables that Flux substitutes, dependencies of Flux Kustomizations, CRDs and monitors.

pub(crate) mod circular_dependency;
pub(crate) mod crds_beside_users;
pub(crate) mod crds_stay_old;
pub(crate) mod dashboard_elsewhere;
pub(crate) mod dependencies;
pub(crate) mod duplicate_object;
pub(crate) mod idle_patch;
pub(crate) mod missing_crds;
pub(crate) mod missing_dependency;
pub(crate) mod missing_key;
pub(crate) mod missing_path;
pub(crate) mod misspelt_selector;
pub(crate) mod monitor_elsewhere;
pub(crate) mod monitor_without_port;
pub(crate) mod not_substituted;
pub(crate) mod refused_build;
pub(crate) mod replaced_in_script;
pub(crate) mod substitution;
pub(crate) mod unknown_object;
pub(crate) mod unknown_source;
pub(crate) mod unmatched_monitor;
pub(crate) mod unreadable_variable;
pub(crate) mod unscraped_endpoint;
pub(crate) mod unselected_monitor;
pub(crate) mod unset_variable;
pub(crate) mod variables_at_hand;
