//! The one list of what the tool can say.

use std::fmt;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// May break traffic or delivery.
    Warning,
    /// Breaks traffic or delivery, or can't be read.
    Error,
}

impl Severity {
    /// The word that reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

macro_rules! codes {
    ($($variant:ident = $group:literal / $name:literal, $severity:ident, $summary:literal;)*) => {
        /// Names a finding for good: `group/kebab-case`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $summary] $variant,)*
        }

        impl Code {
            /// Every code, by group.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The code as people write it.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => concat!($group, "/", $name),)* }
            }

            /// The part before the slash.
            pub fn group(self) -> &'static str {
                match self { $(Code::$variant => $group,)* }
            }

            /// One line on what it is.
            pub fn summary(self) -> &'static str {
                match self { $(Code::$variant => $summary,)* }
            }

            /// How much it matters unless the case at hand says otherwise.
            pub fn severity(self) -> Severity {
                match self { $(Code::$variant => Severity::$severity,)* }
            }

            /// The page that `explain` shows: what it means, an example of wrong and of right.
            pub fn page(self) -> &'static str {
                match self { $(Code::$variant => include_str!(concat!("pages/", $group, "-", $name, ".md")),)* }
            }
        }
    };
}

codes! {
    ConfigSyntax = "config"/"syntax", Error, "The file is not TOML.";
    ConfigUnknownKey = "config"/"unknown-key", Error, "A key that cluster.toml doesn't have.";
    ConfigWrongType = "config"/"wrong-type", Error, "A value of another type than the key takes.";
    ConfigMissingKey = "config"/"missing-key", Error, "A key that must be given.";
    ConfigInvalidValue = "config"/"invalid-value", Error, "A value outside what the key allows.";
    ConfigInvalidName = "config"/"invalid-name", Error, "A name that Kubernetes would refuse.";
    ConfigPathEscape = "config"/"path-escape", Error, "A path that would leave the output folder.";
    ConfigUnknownReference = "config"/"unknown-reference", Error, "A gateway, listener or file that is named but not there.";
    ConfigContradiction = "config"/"contradiction", Error, "Two settings that can't both hold.";
    ConfigDuplicate = "config"/"duplicate", Error, "The same port, name or file twice.";
    ConfigTooLarge = "config"/"too-large", Error, "An input beyond the bounds within which it is read.";
    ConfigTemplate = "config"/"template", Error, "A template that fails, or that yields broken YAML.";
    ConfigLua = "config"/"lua", Error, "A Lua script that does not parse.";
    AttachmentNoListener = "attachment"/"no-listener", Error, "A route to a listener that its parent doesn't have.";
    AttachmentNoGateway = "attachment"/"no-gateway", Error, "A route to a gateway that isn't there.";
    AttachmentNotAllowed = "attachment"/"not-allowed", Error, "A route that no listener of its parent takes.";
    AttachmentNoHostname = "attachment"/"no-hostname", Error, "A route without a hostname that its listener serves.";
    AttachmentListenerConflict = "attachment"/"listener-conflict", Error, "Listeners that can't share a port.";
    AttachmentPolicyConflict = "attachment"/"policy-conflict", Error, "Two policies of a kind for one target.";
    AttachmentNoTarget = "attachment"/"no-target", Error, "A policy for something that isn't there.";
    AttachmentSelectorReach = "attachment"/"selector-reach", Warning, "A selector that reaches a gateway that is not meant.";
    AttachmentRedirectLoop = "attachment"/"redirect-loop", Error, "A redirect that leads to itself.";
    AttachmentNoRedirect = "attachment"/"no-redirect", Warning, "A listener for plain HTTP that no redirect is bound to.";
    AttachmentRefused = "attachment"/"refused", Error, "Settings that the controller can't use.";
    NetworkInvalidAddress = "network"/"invalid-address", Error, "An address that is none.";
    NetworkInvalidCidr = "network"/"invalid-cidr", Error, "A CIDR that is none, or with host bits set.";
    NetworkDuplicateAddress = "network"/"duplicate-address", Error, "One address on two gateways.";
    NetworkOutsidePools = "network"/"address-outside-pools", Error, "An address that no declared pool holds.";
    NetworkPoolOverlap = "network"/"pool-overlap", Error, "Address pools that have addresses in common.";
    NetworkPoolSelector = "network"/"pool-selector", Error, "An address pool that is not for the Service that asks it.";
    NetworkPoolHoldsRouter = "network"/"pool-holds-router", Warning, "An address pool that holds a router's or a node's address.";
    NetworkNotAnnounced = "network"/"not-announced", Warning, "A gateway whose address no L2 policy announces.";
    NetworkLocalPolicy = "network"/"local-policy", Warning, "Nodes that announce an address and have no proxy for it.";
    NetworkCertificateNames = "network"/"certificate-names", Error, "A listener whose certificate is for other names.";
    NetworkTrustedCidr = "network"/"trusted-cidr", Warning, "A trusted network that is everybody's, or nobody's.";
    ReferenceExtensionDisabled = "reference"/"extension-disabled", Error, "Something that the chart's values leave switched off.";
    ReferenceMissingScript = "reference"/"missing-script", Error, "A ConfigMap of a Lua script, or its key, that isn't there.";
    ReferenceLuaScript = "reference"/"lua-script", Error, "A Lua script that Envoy Gateway refuses.";
    ReferenceMissingFile = "reference"/"missing-file", Error, "A file or folder that a kustomization lists and that isn't there.";
    ReferenceUnlistedFile = "reference"/"unlisted-file", Warning, "A manifest that the kustomization of its folder does not list.";
    ReferenceNotPermitted = "reference"/"not-permitted", Error, "A reference to another namespace that no ReferenceGrant allows.";
    ReferencePort = "reference"/"port", Error, "A port that the Service doesn't have.";
    ReferenceUnusable = "reference"/"unusable", Error, "A reference to what can't be used there.";
    VersionUnknown = "version"/"unknown", Error, "A version that the catalogue doesn't have.";
    VersionGate = "version"/"gate", Warning, "Something that the version in force takes and doesn't do.";
    VersionDeprecatedField = "version"/"deprecated-field", Warning, "A field on its way out.";
    VersionEnvoyImage = "version"/"envoy-image", Warning, "An Envoy that is not the one of the chart.";
    VersionBehaviour = "version"/"behaviour", Note, "Something that does something else from a version on.";
    VersionChartValue = "version"/"chart-value", Warning, "A Helm value that the chart does not read.";
    VersionCrdSkew = "version"/"crd-skew", Warning, "Definitions in the cluster that are not those of the declared version.";
    YamlSyntax = "yaml"/"syntax", Error, "A document that is not YAML.";
    YamlReadersDiffer = "yaml"/"readers-differ", Error, "A place that kustomize reads as something else than other readers of YAML do, or refuses.";
    YamlNotAnObject = "yaml"/"not-an-object", Error, "A document that is no Kubernetes object.";
    SchemaUnknownKind = "schema"/"unknown-kind", Error, "A kind that no chosen schema describes.";
    SchemaUnknownField = "schema"/"unknown-field", Error, "A field that the declared version doesn't have.";
    SchemaRequired = "schema"/"required", Error, "A field that must be there.";
    SchemaType = "schema"/"type", Error, "A value of another type than the field takes.";
    SchemaValue = "schema"/"value", Error, "A value that the field doesn't allow.";
    SchemaListKey = "schema"/"list-key", Error, "Two list entries with one key.";
    SchemaCombination = "schema"/"combination", Error, "Fields that don't go together.";
    SchemaMetadata = "schema"/"metadata", Error, "A name, label, annotation or owner that Kubernetes refuses.";
    SchemaUnreadable = "schema"/"unreadable", Error, "A CustomResourceDefinition that can't be read.";
    SchemaDeprecatedVersion = "schema"/"deprecated-version", Warning, "An API version on its way out.";
    SchemaDisagreesWithServer = "schema"/"disagrees-with-server", Error, "An object on which the API server and gatewayctl don't agree.";
    RuleFailed = "rule"/"failed", Error, "Values that a rule of the schema refuses.";
    RuleUnreadable = "rule"/"unreadable", Error, "A rule of a schema that can't be read or evaluated.";
    FluxReplacedInScript = "flux"/"replaced-in-script", Warning, "A script's or dashboard's own variable that Flux replaces.";
    FluxUnreadableVariable = "flux"/"unreadable-variable", Error, "A text at which Flux's substitution stops.";
    FluxNotSubstituted = "flux"/"not-substituted", Error, "A variable where Flux substitutes nothing.";
    FluxMissingDependency = "flux"/"missing-dependency", Error, "A Flux Kustomization that depends on one that isn't there.";
    FluxCircularDependency = "flux"/"circular-dependency", Error, "Flux Kustomizations that wait for each other.";
    FluxMissingCrds = "flux"/"missing-crds", Warning, "Objects that may be applied before their CRDs are.";
    FluxMonitorElsewhere = "flux"/"monitor-elsewhere", Warning, "A monitor that looks where no proxy or controller is.";
    KedaTwoAutoscalers = "keda"/"two-autoscalers", Error, "One Deployment that two autoscalers scale.";
    KedaFixedReplicas = "keda"/"fixed-replicas", Warning, "A number of replicas that is fixed, and scaled.";
    KedaMinimumAboveMaximum = "keda"/"minimum-above-maximum", Error, "An autoscaler whose bounds are the wrong way round.";
    KedaUnknownDeployment = "keda"/"unknown-deployment", Error, "An autoscaler of a Deployment that the controller doesn't make.";
    TreeEdited = "tree"/"edited", Error, "A rendered file that was edited by hand.";
    TreeForeign = "tree"/"foreign", Error, "A file in the way that gatewayctl didn't write.";
    TreeOutOfDate = "tree"/"out-of-date", Error, "A file that is not what cluster.toml renders.";
    TreeUnsafePath = "tree"/"unsafe-path", Error, "An output path that leads through a symbolic link, or out of the root.";
    TreeInterrupted = "tree"/"interrupted", Note, "An earlier render was interrupted.";
}

impl Code {
    /// The code that `text` names.
    pub fn parse(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str() == text)
    }

    /// The groups, each once, in the order of the list.
    pub fn groups() -> Vec<&'static str> {
        let mut groups: Vec<&'static str> = Code::ALL.iter().map(|code| code.group()).collect();
        groups.dedup();
        groups
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_kebab_case_and_grouped() {
        let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for name in names {
            let (group, rest) = name.split_once('/').expect("a slash");
            for part in [group, rest] {
                assert!(
                    !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '-'),
                    "{name}"
                );
            }
        }
        let groups = Code::groups();
        let distinct: BTreeSet<_> = groups.iter().collect();
        assert_eq!(
            groups.len(),
            distinct.len(),
            "a group's codes stand together"
        );
    }

    #[test]
    fn every_page_tells_what_it_means_and_shows_wrong_and_right() {
        for code in Code::ALL {
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
        let examples = Code::ALL.iter().filter_map(|code| {
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
