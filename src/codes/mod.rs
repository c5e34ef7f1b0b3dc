//! The list of all codes of findings. The library crates declare the codes of the findings that they report. All other
//! codes are declared here, and all of them can be used through this module.

use std::sync::LazyLock;

pub use crd_validate::codes::*;
pub use manifest::codes::*;

use manifest::diagnostic::Code;

manifest::codes! {
    CONFIG_SYNTAX = "config"/"syntax", Error, "The file is not valid TOML.";
    CONFIG_UNKNOWN_KEY = "config"/"unknown-key", Error, "A key that cluster.toml doesn't have.";
    CONFIG_WRONG_TYPE = "config"/"wrong-type", Error, "A value that has another type than the key.";
    CONFIG_MISSING_KEY = "config"/"missing-key", Error, "A required key is missing.";
    CONFIG_INVALID_VALUE = "config"/"invalid-value", Error, "A value that the key doesn't allow.";
    CONFIG_INVALID_NAME = "config"/"invalid-name", Error, "A name that Kubernetes would refuse.";
    CONFIG_PATH_ESCAPE = "config"/"path-escape", Error, "A path that would leave the output folder.";
    CONFIG_UNKNOWN_REFERENCE = "config"/"unknown-reference", Error, "A reference to a gateway, listener or file that doesn't exist.";
    CONFIG_CONTRADICTION = "config"/"contradiction", Error, "Two settings that contradict each other.";
    CONFIG_DUPLICATE = "config"/"duplicate", Error, "A port, name or file that is given twice.";
    CONFIG_TEMPLATE = "config"/"template", Error, "A template that fails, or whose output is not valid YAML.";
    CONFIG_LUA = "config"/"lua", Error, "A Lua script that can't be parsed.";
    ATTACHMENT_NO_LISTENER = "attachment"/"no-listener", Error, "A route that refers to a listener that its parent doesn't have.";
    ATTACHMENT_NO_GATEWAY = "attachment"/"no-gateway", Error, "A route that refers to a gateway that doesn't exist.";
    ATTACHMENT_NOT_ALLOWED = "attachment"/"not-allowed", Error, "A route that no listener of its parent accepts.";
    ATTACHMENT_NO_HOSTNAME = "attachment"/"no-hostname", Error, "A route whose hostnames don't match those of its listeners.";
    ATTACHMENT_LISTENER_CONFLICT = "attachment"/"listener-conflict", Error, "Listeners that can't share a port.";
    ATTACHMENT_POLICY_CONFLICT = "attachment"/"policy-conflict", Error, "Two policies of the same kind that target the same object.";
    ATTACHMENT_NO_TARGET = "attachment"/"no-target", Error, "A policy whose target doesn't exist.";
    ATTACHMENT_SELECTOR_REACH = "attachment"/"selector-reach", Warning, "A selector that matches a gateway that is probably not intended.";
    ATTACHMENT_REDIRECT_LOOP = "attachment"/"redirect-loop", Error, "A redirect that leads to itself.";
    ATTACHMENT_NO_REDIRECT = "attachment"/"no-redirect", Warning, "A listener for plain HTTP that has no redirect.";
    ATTACHMENT_REFUSED = "attachment"/"refused", Error, "Settings that the controller can't use.";
    NETWORK_INVALID_ADDRESS = "network"/"invalid-address", Error, "A value that is not an IP address.";
    NETWORK_INVALID_CIDR = "network"/"invalid-cidr", Error, "A value that is not a CIDR, or a CIDR with host bits set.";
    NETWORK_DUPLICATE_ADDRESS = "network"/"duplicate-address", Error, "An address that two gateways request.";
    NETWORK_OUTSIDE_POOLS = "network"/"address-outside-pools", Error, "An address that is in none of the declared pools.";
    NETWORK_POOL_OVERLAP = "network"/"pool-overlap", Error, "Address pools that overlap.";
    NETWORK_POOL_SELECTOR = "network"/"pool-selector", Error, "An address pool whose selector doesn't match the Service that needs an address.";
    NETWORK_POOL_HOLDS_ROUTER = "network"/"pool-holds-router", Warning, "An address pool that contains the address of a router or of the API server.";
    NETWORK_NOT_ANNOUNCED = "network"/"not-announced", Warning, "A gateway whose address no L2 policy announces.";
    NETWORK_LOCAL_POLICY = "network"/"local-policy", Warning, "Nodes that announce an address without running a proxy for it.";
    NETWORK_CERTIFICATE_NAMES = "network"/"certificate-names", Error, "A listener whose certificate doesn't cover its hostname.";
    NETWORK_TRUSTED_CIDR = "network"/"trusted-cidr", Warning, "A trusted network that includes everybody, or no client at all.";
    REFERENCE_EXTENSION_DISABLED = "reference"/"extension-disabled", Error, "A feature that the chart's values leave disabled.";
    REFERENCE_MISSING_SCRIPT = "reference"/"missing-script", Error, "A ConfigMap for a Lua script, or its key, that doesn't exist.";
    REFERENCE_LUA_SCRIPT = "reference"/"lua-script", Error, "A Lua script that Envoy Gateway refuses.";
    REFERENCE_MISSING_FILE = "reference"/"missing-file", Error, "A file or folder that a kustomization lists but that doesn't exist.";
    REFERENCE_UNLISTED_FILE = "reference"/"unlisted-file", Warning, "A manifest that the kustomization of its folder does not list.";
    REFERENCE_NOT_PERMITTED = "reference"/"not-permitted", Error, "A reference to another namespace that no ReferenceGrant allows.";
    REFERENCE_PORT = "reference"/"port", Error, "A reference to a port that the Service doesn't have.";
    REFERENCE_UNUSABLE = "reference"/"unusable", Error, "A reference to an object that can't be used there.";
    REFERENCE_PARAMETERS = "reference"/"parameters", Error, "A GatewayClass that doesn't get the settings that it refers to.";
    REFERENCE_RATE_LIMIT_SERVICE = "reference"/"rate-limit-service", Error, "A global rate limit without the Redis in which it counts.";
    ENVOY_SAME_NAMES = "envoy"/"same-names", Error, "Listeners or routes on one port that Envoy can't tell apart.";
    ENVOY_PASSTHROUGH_WITHOUT_ROUTE = "envoy"/"passthrough-without-route", Warning, "A TLS listener without a route, for which Envoy refuses the whole port.";
    ENVOY_SHARED_CERTIFICATE = "envoy"/"shared-certificate", Warning, "HTTPS listeners without HTTP/2, because their certificates overlap.";
    ENVOY_WITHOUT_QUIC = "envoy"/"without-quic", Warning, "HTTP/3 that is enabled but doesn't work.";
    ENVOY_IP_FAMILY = "envoy"/"ip-family", Warning, "An address of a family on which Envoy doesn't listen.";
    VERSION_UNKNOWN = "version"/"unknown", Error, "A version that the catalogue doesn't have.";
    VERSION_GATE = "version"/"gate", Warning, "A setting that the selected version accepts but doesn't implement.";
    VERSION_DEPRECATED_FIELD = "version"/"deprecated-field", Warning, "A deprecated field.";
    VERSION_ENVOY_IMAGE = "version"/"envoy-image", Warning, "An Envoy image of another version than the chart's.";
    VERSION_BEHAVIOUR = "version"/"behaviour", Note, "A setting whose behaviour changes in a newer version.";
    VERSION_CHART_VALUE = "version"/"chart-value", Warning, "A Helm value that the chart does not read.";
    VERSION_CRD_SKEW = "version"/"crd-skew", Warning, "CRDs in the cluster that differ from those of the declared version.";
    SCHEMA_DISAGREES_WITH_SERVER = "schema"/"disagrees-with-server", Error, "An object on which the API server and gatewayctl disagree.";
    FLUX_REPLACED_IN_SCRIPT = "flux"/"replaced-in-script", Warning, "A variable of a script or dashboard that Flux replaces.";
    FLUX_UNREADABLE_VARIABLE = "flux"/"unreadable-variable", Error, "A text on which Flux's variable substitution fails.";
    FLUX_NOT_SUBSTITUTED = "flux"/"not-substituted", Error, "A variable in an object for which Flux substitutes no variables.";
    FLUX_MISSING_DEPENDENCY = "flux"/"missing-dependency", Error, "A Flux Kustomization that depends on one that doesn't exist.";
    FLUX_CIRCULAR_DEPENDENCY = "flux"/"circular-dependency", Error, "Flux Kustomizations that depend on each other in a circle.";
    FLUX_MISSING_CRDS = "flux"/"missing-crds", Warning, "Objects that may be applied before their CRDs.";
    FLUX_MONITOR_ELSEWHERE = "flux"/"monitor-elsewhere", Warning, "A monitor for a namespace in which no proxy or controller runs.";
    KEDA_TWO_AUTOSCALERS = "keda"/"two-autoscalers", Error, "A Deployment that two autoscalers scale.";
    KEDA_FIXED_REPLICAS = "keda"/"fixed-replicas", Warning, "A fixed number of replicas on a Deployment that is scaled.";
    KEDA_MINIMUM_ABOVE_MAXIMUM = "keda"/"minimum-above-maximum", Error, "An autoscaler whose minimum is above its maximum.";
    KEDA_UNKNOWN_DEPLOYMENT = "keda"/"unknown-deployment", Error, "An autoscaler for a Deployment that Envoy Gateway doesn't create.";
    TREE_EDITED = "tree"/"edited", Error, "A rendered file that was edited by hand.";
    TREE_FOREIGN = "tree"/"foreign", Error, "An existing file at an output path that gatewayctl didn't write.";
    TREE_OUT_OF_DATE = "tree"/"out-of-date", Error, "A file that differs from what cluster.toml renders.";
    TREE_UNSAFE_PATH = "tree"/"unsafe-path", Error, "An output path that leads through a symbolic link, or out of the root.";
    TREE_INTERRUPTED = "tree"/"interrupted", Note, "An earlier render was interrupted.";
}

/// The groups of codes, in the order in which they are listed.
const GROUPS: &[&str] = &[
    "config",
    "attachment",
    "network",
    "reference",
    "envoy",
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

/// The groups, in the order in which they are listed.
pub fn groups() -> &'static [&'static str] {
    GROUPS
}

/// The code with the name `text`; `None` if it is not known.
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
    fn every_page_has_a_meaning_and_two_examples() {
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
