//! The rules: what no schema can show, because objects don't fit each other, the network, or the versions in force.
//!
//! Each code has a file that is named after it, in the folder of its group: `network/pool_overlap.rs` has the code
//! `network/pool-overlap`, its page, the function that makes its findings, and its tests. The function is called `check` if
//! it finds the mistake itself, and `report` if the analysis is shared with other rules. A shared analysis is in a file of
//! the same folder that is named after what it looks at, such as `network/pools.rs`. [`RULES`] lists them all.
//!
//! - `context`: what rules look at. `front`: the gateways, with what the controller creates for each. `ranges`: finds
//!   the ranges that contain an address. `field`: finds fields by paths with wildcards.
//! - `once`: which of two findings about one mistake is reported.
//! - `upgrade`: what another version would report that this one doesn't.
//!
//! [`config::lua`] looks at a single text, and `version::changes` at two versions, so neither is in the table. The codes
//! of `network::invalid_cidr` and `network::address_outside_pools` are declared in [`model`](crate::model), which finds
//! the same mistakes in `cluster.toml`.

pub(crate) mod attachment;
pub mod config;
mod context;
pub(crate) mod dns;
pub(crate) mod envoy;
mod field;
pub(crate) mod flux;
mod front;
pub(crate) mod guard;
pub(crate) mod keda;
pub(crate) mod network;
mod once;
mod ranges;
pub(crate) mod reference;
#[cfg(test)]
mod support;
pub(crate) mod upgrade;
pub(crate) mod version;
mod words;

use rayon::prelude::*;

pub use self::context::{Applied, LintContext, LintInput};
pub(crate) use self::once::said_once;
use manifest::diagnostic::{Code, Diagnostic};

/// A check of everything at once, and the codes of its findings: one, or several that share an analysis.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The codes of its findings.
    pub codes: &'static [Code],
    /// Returns the findings.
    pub check: fn(&LintContext<'_>) -> Vec<Diagnostic>,
}

impl Rule {
    const fn new(codes: &'static [Code], check: fn(&LintContext<'_>) -> Vec<Diagnostic>) -> Self {
        Rule { codes, check }
    }
}

/// All rules, in the order of their findings.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    Rule::new(&[reference::extension_disabled::CODE], reference::extension_disabled::check),
    Rule::new(&[reference::missing_script::CODE, reference::lua_script::CODE], reference::scripts::check),
    Rule::new(&[reference::missing_file::CODE], reference::missing_file::check),
    Rule::new(&[reference::unlisted_file::CODE], reference::unlisted_file::check),
    Rule::new(&[reference::unknown_class::CODE], reference::unknown_class::check),
    Rule::new(&[reference::unknown_controller::CODE], reference::unknown_controller::check),
    Rule::new(&[reference::unknown_provider::CODE], reference::unknown_provider::check),
    Rule::new(&[reference::unknown_certificate::CODE], reference::unknown_certificate::check),
    Rule::new(&[reference::unknown_issuer::CODE], reference::unknown_issuer::check),
    Rule::new(&[reference::no_certificate::CODE], reference::no_certificate::check),
    Rule::new(&[reference::other_schema::CODE], reference::other_schema::check),
    Rule::new(&[reference::unknown_identifier::CODE], reference::unknown_identifier::check),
    Rule::new(&[reference::misspelt_annotation::CODE], reference::misspelt_annotation::check),
    Rule::new(&[reference::misspelt_value::CODE], reference::misspelt_value::check),
    Rule::new(&[reference::chart_switch::CODE], reference::chart_switch::check),
    Rule::new(&[reference::chart_address::CODE], reference::chart_address::check),
    Rule::new(&[reference::oversized_crds::CODE], reference::oversized_crds::check),
    Rule::new(&[reference::duplicate_entry::CODE], reference::duplicate_entry::check),
    Rule::new(&[reference::misplaced_annotation::CODE], reference::misplaced_annotation::check),
    Rule::new(&[reference::no_pods::CODE], reference::no_pods::check),
    Rule::new(&[reference::unreadable_values::CODE], reference::unreadable_values::check),
    Rule::new(&[version::gate::CODE], version::gate::check),
    Rule::new(&[version::deprecated_field::CODE], version::deprecated_field::check),
    Rule::new(&[version::envoy_image::CODE], version::envoy_image::check),
    Rule::new(&[version::chart_value::CODE], version::chart_value::check),
    Rule::new(&[version::nearest_release::CODE], version::nearest_release::check),
    Rule::new(&[version::unknown_release::CODE], version::unknown_release::check),
    Rule::new(&[network::duplicate_address::CODE], network::duplicate_address::check),
    Rule::new(&[network::invalid_cidr::CODE], network::invalid_cidr::check),
    Rule::new(&[network::address_annotation::CODE], network::address_annotation::check),
    Rule::new(&[network::pool_holds_router::CODE], network::pool_holds_router::check),
    Rule::new(&[network::pool_overlap::CODE], network::pool_overlap::check),
    Rule::new(&[network::address_beside_pool::CODE, network::address_outside_pools::CODE, network::pool_selector::CODE], network::pools::check),
    Rule::new(&[network::bgp_family::CODE], network::bgp_family::check),
    Rule::new(&[network::pool_in_cluster::CODE], network::pool_in_cluster::check),
    Rule::new(&[network::shared_address::CODE], network::shared_address::check),
    Rule::new(&[network::not_announced::CODE, network::local_policy::CODE], network::l2_policies::check),
    Rule::new(&[network::certificate_names::CODE], network::certificate_names::check),
    Rule::new(&[network::trusted_cidr::CODE], network::trusted_cidr::check),
    Rule::new(&[network::forged_client::CODE], network::forged_client::check),
    Rule::new(&[network::not_advertised::CODE], network::not_advertised::check),
    Rule::new(&[network::no_solver::CODE], network::no_solver::check),
    Rule::new(&[flux::replaced_in_script::CODE, flux::unreadable_variable::CODE], flux::substitution::check),
    Rule::new(&[flux::not_substituted::CODE], flux::not_substituted::check),
    Rule::new(&[flux::unset_variable::CODE], flux::unset_variable::check),
    Rule::new(&[flux::missing_dependency::CODE], flux::missing_dependency::check),
    Rule::new(&[flux::missing_path::CODE], flux::missing_path::check),
    Rule::new(&[flux::circular_dependency::CODE], flux::circular_dependency::check),
    Rule::new(&[flux::missing_crds::CODE, flux::crds_beside_users::CODE], flux::missing_crds::check),
    Rule::new(&[flux::crds_stay_old::CODE], flux::crds_stay_old::check),
    Rule::new(&[flux::refused_build::CODE], flux::refused_build::check),
    Rule::new(&[flux::unknown_source::CODE], flux::unknown_source::check),
    Rule::new(&[flux::unknown_object::CODE], flux::unknown_object::check),
    Rule::new(&[flux::idle_patch::CODE], flux::idle_patch::check),
    Rule::new(&[flux::duplicate_object::CODE], flux::duplicate_object::check),
    Rule::new(&[flux::dashboard_elsewhere::CODE], flux::dashboard_elsewhere::check),
    Rule::new(&[flux::monitor_without_port::CODE], flux::monitor_without_port::check),
    Rule::new(&[flux::monitor_elsewhere::CODE], flux::monitor_elsewhere::check),
    Rule::new(&[flux::misspelt_selector::CODE], flux::misspelt_selector::check),
    Rule::new(&[flux::unscraped_endpoint::CODE], flux::unscraped_endpoint::check),
    Rule::new(&[flux::unmatched_monitor::CODE], flux::unmatched_monitor::check),
    Rule::new(&[flux::unselected_monitor::CODE], flux::unselected_monitor::check),
    Rule::new(&[flux::missing_key::CODE], flux::missing_key::check),
    Rule::new(&[flux::unreadable_dashboard::CODE], flux::unreadable_dashboard::check),
    Rule::new(&[dns::shared_owner::CODE], dns::shared_owner::check),
    Rule::new(&[dns::target_on_route::CODE], dns::target_on_route::check),
    Rule::new(&[dns::tunnel_elsewhere::CODE], dns::tunnel_elsewhere::check),
    Rule::new(&[dns::annotation_prefix::CODE], dns::annotation_prefix::check),
    Rule::new(&[dns::annotation_on_gateway::CODE], dns::annotation_on_gateway::check),
    Rule::new(&[dns::tunnel_rules::CODE], dns::tunnel_rules::check),
    Rule::new(&[envoy::mirrored_redirect::CODE], envoy::mirrored_redirect::check),
    Rule::new(&[envoy::try_timeout::CODE], envoy::try_timeout::check),
    Rule::new(&[envoy::no_weight::CODE], envoy::no_weight::check),
    Rule::new(&[envoy::literal_wildcard::CODE], envoy::literal_wildcard::check),
    Rule::new(&[envoy::unknown_alpn::CODE], envoy::unknown_alpn::check),
    Rule::new(&[envoy::unknown_operator::CODE], envoy::unknown_operator::check),
    Rule::new(&[envoy::out_of_bounds::CODE], envoy::out_of_bounds::check),
    Rule::new(&[envoy::filter_order::CODE], envoy::filter_order::check),
    Rule::new(&[envoy::patch_operation::CODE], envoy::patch_operation::check),
    Rule::new(&[envoy::unused_status_codes::CODE], envoy::unused_status_codes::check),
    Rule::new(&[envoy::idle_compressor::CODE], envoy::idle_compressor::check),
    Rule::new(&[envoy::unusable_bootstrap::CODE], envoy::unusable_bootstrap::check),
    Rule::new(&[envoy::limit_below_request::CODE], envoy::limit_below_request::check),
    Rule::new(&[envoy::unknown_container::CODE], envoy::unknown_container::check),
    Rule::new(&[envoy::joined_path::CODE], envoy::joined_path::check),
    Rule::new(&[envoy::idle_script::CODE], envoy::idle_script::check),
    Rule::new(&[envoy::undeclared_protocol::CODE], envoy::undeclared_protocol::check),
    Rule::new(&[envoy::unmerged_gateway::CODE], envoy::unmerged_gateway::check),
    Rule::new(&[keda::minimum_above_maximum::CODE], keda::minimum_above_maximum::check),
    Rule::new(&[keda::two_autoscalers::CODE], keda::two_autoscalers::check),
    Rule::new(&[keda::fixed_replicas::CODE], keda::fixed_replicas::check),
    Rule::new(&[keda::cooldown_without_zero::CODE], keda::cooldown_without_zero::check),
    Rule::new(&[keda::zero_by_own_metric::CODE], keda::zero_by_own_metric::check),
    Rule::new(&[keda::shared_metric::CODE], keda::shared_metric::check),
    Rule::new(&[keda::unknown_deployment::CODE], keda::unknown_deployment::check),
    Rule::new(&[keda::unknown_trigger::CODE], keda::unknown_trigger::check),
    Rule::new(&[keda::unreadable_setting::CODE], keda::unreadable_setting::check),
    Rule::new(&[keda::unusable_fallback::CODE], keda::unusable_fallback::check),
    Rule::new(&[keda::duplicate_trigger::CODE], keda::duplicate_trigger::check),
    Rule::new(&[keda::unknown_authentication::CODE], keda::unknown_authentication::check),
    Rule::new(&[attachment::oidc_callback::CODE], attachment::oidc_callback::check),
    Rule::new(
        &[
            attachment::listener_conflict::CODE,
            attachment::no_gateway::CODE,
            attachment::no_hostname::CODE,
            attachment::no_listener::CODE,
            attachment::no_parent::CODE,
            attachment::no_redirect::CODE,
            attachment::no_target::CODE,
            attachment::not_allowed::CODE,
            attachment::policy_conflict::CODE,
            attachment::redirect_loop::CODE,
            attachment::refused::CODE,
            attachment::replaced_protection::CODE,
            attachment::same_match::CODE,
            attachment::selector_reach::CODE,
            attachment::shared_stream::CODE,
            dns::endpoint_elsewhere::CODE,
            dns::hostname_outside_listener::CODE,
            dns::idle_publisher::CODE,
            dns::private_proxied::CODE,
            dns::two_targets::CODE,
            dns::unfiltered_publisher::CODE,
            dns::unpublished::CODE,
            envoy::ip_family::CODE,
            envoy::overlapping_hostnames::CODE,
            envoy::passthrough_without_route::CODE,
            envoy::same_names::CODE,
            envoy::shared_certificate::CODE,
            envoy::without_quic::CODE,
            network::acme_solver::CODE,
            network::wildcard_challenge::CODE,
            reference::not_permitted::CODE,
            reference::parameters::CODE,
            reference::port::CODE,
            reference::rate_limit_service::CODE,
            reference::unknown_object::CODE,
            reference::unknown_resource::CODE,
            reference::unusable::CODE,
        ],
        attachment::cluster::check,
    ),
    Rule::new(
        &[
            guard::custom_rule::CODE,
            guard::disallowed_use::CODE,
            guard::expired_exception::CODE,
            guard::failed_expression::CODE,
            guard::missing_guard::CODE,
            guard::never_external::CODE,
            guard::no_backend_policy::CODE,
            guard::tls_floor::CODE,
            guard::unknown_side::CODE,
            guard::wildcard::CODE,
        ],
        guard::exposed::check,
    ),
];

/// The codes of all rules, and those that are reported outside of the table.
pub fn codes() -> impl Iterator<Item = Code> {
    let of_rules = RULES.iter().flat_map(|rule| rule.codes).copied();
    of_rules.chain([
        config::lua::CODE,
        version::behaviour::CODE,
        version::removed::CODE,
    ])
}

/// Runs all rules, several of them in parallel.
pub fn check(input: &LintInput<'_>) -> Vec<Diagnostic> {
    input.with_context(check_context)
}

/// Runs all rules on a context that is there already.
pub(crate) fn check_context(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let rules = RULES.par_iter();
    rules.flat_map_iter(|rule| (rule.check)(context)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn each_code_is_in_one_row_of_the_table() {
        let all: Vec<Code> = codes().collect();
        let different: BTreeSet<Code> = all.iter().copied().collect();
        assert_eq!(all.len(), different.len(), "{all:?}");
    }

    #[test]
    fn each_code_has_a_file_that_is_named_after_it() {
        let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lint");
        for code in codes() {
            let file = format!("{}.rs", code.as_str().replace('-', "_"));
            assert!(room.join(&file).is_file(), "{code}: {file}");
        }
    }
}
