//! Every code that the tool can report.
//!
//! The engines declare the codes of what they find; all others are declared here, and all of them can be named through
//! this room.

use std::sync::LazyLock;

pub use crd_validate::codes::*;
pub use manifest::codes::*;

use manifest::diagnostic::Code;

manifest::codes! {
    CONFIG_SYNTAX = "config"/"syntax", Error, "The file is not TOML.";
    CONFIG_UNKNOWN_KEY = "config"/"unknown-key", Error, "A key that cluster.toml doesn't have.";
    CONFIG_WRONG_TYPE = "config"/"wrong-type", Error, "A value of another type than the key takes.";
    CONFIG_MISSING_KEY = "config"/"missing-key", Error, "A key that must be given.";
    CONFIG_INVALID_VALUE = "config"/"invalid-value", Error, "A value outside what the key allows.";
    CONFIG_INVALID_NAME = "config"/"invalid-name", Error, "A name that Kubernetes would refuse.";
    CONFIG_PATH_ESCAPE = "config"/"path-escape", Error, "A path that would leave the output folder.";
    CONFIG_UNKNOWN_REFERENCE = "config"/"unknown-reference", Error, "A gateway, listener or file that is named but not there.";
    CONFIG_CONTRADICTION = "config"/"contradiction", Error, "Two settings that can't both hold.";
    CONFIG_DUPLICATE = "config"/"duplicate", Error, "The same port, name or file twice.";
    CONFIG_TEMPLATE = "config"/"template", Error, "A template that fails, or that yields broken YAML.";
    CONFIG_LUA = "config"/"lua", Error, "A Lua script that does not parse.";
    ATTACHMENT_NO_LISTENER = "attachment"/"no-listener", Error, "A route to a listener that its parent doesn't have.";
    ATTACHMENT_NO_GATEWAY = "attachment"/"no-gateway", Error, "A route to a gateway that isn't there.";
    ATTACHMENT_NOT_ALLOWED = "attachment"/"not-allowed", Error, "A route that no listener of its parent takes.";
    ATTACHMENT_NO_HOSTNAME = "attachment"/"no-hostname", Error, "A route without a hostname that its listener serves.";
    ATTACHMENT_LISTENER_CONFLICT = "attachment"/"listener-conflict", Error, "Listeners that can't share a port.";
    ATTACHMENT_POLICY_CONFLICT = "attachment"/"policy-conflict", Error, "Two policies of a kind for one target.";
    ATTACHMENT_NO_TARGET = "attachment"/"no-target", Error, "A policy for something that isn't there.";
    ATTACHMENT_SELECTOR_REACH = "attachment"/"selector-reach", Warning, "A selector that reaches a gateway that is not meant.";
    ATTACHMENT_REDIRECT_LOOP = "attachment"/"redirect-loop", Error, "A redirect that leads to itself.";
    ATTACHMENT_NO_REDIRECT = "attachment"/"no-redirect", Warning, "A listener for plain HTTP that no redirect is bound to.";
    ATTACHMENT_REFUSED = "attachment"/"refused", Error, "Settings that the controller can't use.";
    NETWORK_INVALID_ADDRESS = "network"/"invalid-address", Error, "An address that is none.";
    NETWORK_INVALID_CIDR = "network"/"invalid-cidr", Error, "A CIDR that is none, or with host bits set.";
    NETWORK_DUPLICATE_ADDRESS = "network"/"duplicate-address", Error, "One address on two gateways.";
    NETWORK_OUTSIDE_POOLS = "network"/"address-outside-pools", Error, "An address that no declared pool holds.";
    NETWORK_POOL_OVERLAP = "network"/"pool-overlap", Error, "Address pools that have addresses in common.";
    NETWORK_POOL_SELECTOR = "network"/"pool-selector", Error, "An address pool that is not for the Service that asks it.";
    NETWORK_POOL_HOLDS_ROUTER = "network"/"pool-holds-router", Warning, "An address pool that holds a router's or a node's address.";
    NETWORK_NOT_ANNOUNCED = "network"/"not-announced", Warning, "A gateway whose address no L2 policy announces.";
    NETWORK_LOCAL_POLICY = "network"/"local-policy", Warning, "Nodes that announce an address and have no proxy for it.";
    NETWORK_CERTIFICATE_NAMES = "network"/"certificate-names", Error, "A listener whose certificate is for other names.";
    NETWORK_TRUSTED_CIDR = "network"/"trusted-cidr", Warning, "A trusted network that is everybody's, or nobody's.";
    REFERENCE_EXTENSION_DISABLED = "reference"/"extension-disabled", Error, "Something that the chart's values leave switched off.";
    REFERENCE_MISSING_SCRIPT = "reference"/"missing-script", Error, "A ConfigMap of a Lua script, or its key, that isn't there.";
    REFERENCE_LUA_SCRIPT = "reference"/"lua-script", Error, "A Lua script that Envoy Gateway refuses.";
    REFERENCE_MISSING_FILE = "reference"/"missing-file", Error, "A file or folder that a kustomization lists and that isn't there.";
    REFERENCE_UNLISTED_FILE = "reference"/"unlisted-file", Warning, "A manifest that the kustomization of its folder does not list.";
    REFERENCE_NOT_PERMITTED = "reference"/"not-permitted", Error, "A reference to another namespace that no ReferenceGrant allows.";
    REFERENCE_PORT = "reference"/"port", Error, "A port that the Service doesn't have.";
    REFERENCE_UNUSABLE = "reference"/"unusable", Error, "A reference to what can't be used there.";
    VERSION_UNKNOWN = "version"/"unknown", Error, "A version that the catalogue doesn't have.";
    VERSION_GATE = "version"/"gate", Warning, "Something that the version in force takes and doesn't do.";
    VERSION_DEPRECATED_FIELD = "version"/"deprecated-field", Warning, "A field on its way out.";
    VERSION_ENVOY_IMAGE = "version"/"envoy-image", Warning, "An Envoy that is not the one of the chart.";
    VERSION_BEHAVIOUR = "version"/"behaviour", Note, "Something that does something else from a version on.";
    VERSION_CHART_VALUE = "version"/"chart-value", Warning, "A Helm value that the chart does not read.";
    VERSION_CRD_SKEW = "version"/"crd-skew", Warning, "Definitions in the cluster that are not those of the declared version.";
    SCHEMA_DISAGREES_WITH_SERVER = "schema"/"disagrees-with-server", Error, "An object on which the API server and gatewayctl don't agree.";
    FLUX_REPLACED_IN_SCRIPT = "flux"/"replaced-in-script", Warning, "A script's or dashboard's own variable that Flux replaces.";
    FLUX_UNREADABLE_VARIABLE = "flux"/"unreadable-variable", Error, "A text at which Flux's substitution stops.";
    FLUX_NOT_SUBSTITUTED = "flux"/"not-substituted", Error, "A variable where Flux substitutes nothing.";
    FLUX_MISSING_DEPENDENCY = "flux"/"missing-dependency", Error, "A Flux Kustomization that depends on one that isn't there.";
    FLUX_CIRCULAR_DEPENDENCY = "flux"/"circular-dependency", Error, "Flux Kustomizations that wait for each other.";
    FLUX_MISSING_CRDS = "flux"/"missing-crds", Warning, "Objects that may be applied before their CRDs are.";
    FLUX_MONITOR_ELSEWHERE = "flux"/"monitor-elsewhere", Warning, "A monitor that looks where no proxy or controller is.";
    KEDA_TWO_AUTOSCALERS = "keda"/"two-autoscalers", Error, "One Deployment that two autoscalers scale.";
    KEDA_FIXED_REPLICAS = "keda"/"fixed-replicas", Warning, "A number of replicas that is fixed, and scaled.";
    KEDA_MINIMUM_ABOVE_MAXIMUM = "keda"/"minimum-above-maximum", Error, "An autoscaler whose bounds are the wrong way round.";
    KEDA_UNKNOWN_DEPLOYMENT = "keda"/"unknown-deployment", Error, "An autoscaler of a Deployment that the controller doesn't make.";
    TREE_EDITED = "tree"/"edited", Error, "A rendered file that was edited by hand.";
    TREE_FOREIGN = "tree"/"foreign", Error, "A file in the way that gatewayctl didn't write.";
    TREE_OUT_OF_DATE = "tree"/"out-of-date", Error, "A file that is not what cluster.toml renders.";
    TREE_UNSAFE_PATH = "tree"/"unsafe-path", Error, "An output path that leads through a symbolic link, or out of the root.";
    TREE_INTERRUPTED = "tree"/"interrupted", Note, "An earlier render was interrupted.";
}

/// The groups of codes, in the order in which they are listed.
const GROUPS: &[&str] = &[
    "config",
    "attachment",
    "network",
    "reference",
    "version",
    "yaml",
    "schema",
    "rule",
    "flux",
    "keda",
    "tree",
];

static ALL: LazyLock<Vec<Code>> = LazyLock::new(|| {
    let mut all = [
        manifest::codes::DECLARED,
        crd_validate::codes::DECLARED,
        DECLARED,
    ]
    .concat();
    all.sort_by_key(|code| GROUPS.iter().position(|group| *group == code.group()));
    all
});

/// Every code, by group.
pub fn all() -> &'static [Code] {
    &ALL
}

/// The groups, in the order in which codes are listed.
pub fn groups() -> &'static [&'static str] {
    GROUPS
}

/// The code that `text` names.
pub fn parse(text: &str) -> Option<Code> {
    all().iter().copied().find(|code| code.as_str() == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_kebab_case_and_grouped() {
        let names: BTreeSet<&str> = all().iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), all().len());
        for name in names {
            let (group, rest) = name.split_once('/').expect("a slash");
            for part in [group, rest] {
                assert!(
                    !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '-'),
                    "{name}"
                );
            }
        }
        let listed: BTreeSet<_> = all().iter().map(|code| code.group()).collect();
        assert_eq!(listed, groups().iter().copied().collect());
    }

    #[test]
    fn every_page_tells_what_it_means_and_shows_wrong_and_right() {
        for code in all() {
            let page = code.page();
            let rest = page
                .strip_prefix(&format!("# {code}\n\n"))
                .unwrap_or_else(|| panic!("{code}: its own title"));
            let (meaning, rest) = rest
                .split_once("\n## Wrong\n\n```")
                .unwrap_or_else(|| panic!("{code}: a wrong example"));
            let (_, right) = rest
                .split_once("\n```\n\n## Right\n\n```")
                .unwrap_or_else(|| panic!("{code}: a right example"));
            assert!(meaning.len() > 80, "{code}: what it means");
            assert!(right.contains("\n```\n"), "{code}: an end of its example");
            assert!(page.lines().count() < 40, "{code}: at most a screen");
            assert!(page.lines().all(|line| line.len() <= 120), "{code}: width");
        }
    }

    #[test]
    fn right_examples_of_cluster_toml_are_toml() {
        let examples = all().iter().filter_map(|code| {
            let (_, right) = code.page().split_once("## Right\n\n```toml\n")?;
            Some((code, right.split("\n```").next()?))
        });
        for (code, toml) in examples {
            if let Err(error) = toml.parse::<toml::Table>() {
                panic!("{code}: {error}");
            }
        }
    }
}
