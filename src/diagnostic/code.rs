//! The list of all codes that findings can have.

use std::fmt;

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Information only.
    Note,
    /// Traffic or delivery may fail.
    Warning,
    /// Traffic or delivery fails, or an input can't be read.
    Error,
}

impl Severity {
    /// The word that reports use for the severity.
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
        /// The permanent name of a kind of finding: `group/kebab-case`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $summary] $variant,)*
        }

        impl Code {
            /// All codes, ordered by group.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The code as it appears in reports: `group/name`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => concat!($group, "/", $name),)* }
            }

            /// The group, which is the part before the slash.
            pub fn group(self) -> &'static str {
                match self { $(Code::$variant => $group,)* }
            }

            /// A summary of the code in one sentence.
            pub fn summary(self) -> &'static str {
                match self { $(Code::$variant => $summary,)* }
            }

            /// The severity, unless a finding sets another one.
            pub fn severity(self) -> Severity {
                match self { $(Code::$variant => Severity::$severity,)* }
            }

            /// The page that `explain` shows: the meaning, a wrong example and a right one.
            pub fn page(self) -> &'static str {
                match self { $(Code::$variant => include_str!(concat!("pages/", $group, "-", $name, ".md")),)* }
            }
        }
    };
}

codes! {
    ConfigSyntax = "config"/"syntax", Error, "The file is not valid TOML.";
    ConfigUnknownKey = "config"/"unknown-key", Error, "A key that cluster.toml doesn't have.";
    ConfigWrongType = "config"/"wrong-type", Error, "A value that has another type than the key.";
    ConfigMissingKey = "config"/"missing-key", Error, "A required key is missing.";
    ConfigInvalidValue = "config"/"invalid-value", Error, "A value that the key doesn't allow.";
    ConfigInvalidName = "config"/"invalid-name", Error, "A name that Kubernetes would refuse.";
    ConfigPathEscape = "config"/"path-escape", Error, "A path that would leave the output folder.";
    ConfigUnknownReference = "config"/"unknown-reference", Error, "A reference to a gateway, listener or file that doesn't exist.";
    ConfigContradiction = "config"/"contradiction", Error, "Two settings that contradict each other.";
    ConfigDuplicate = "config"/"duplicate", Error, "A port, name or file that is given twice.";
    ConfigTooLarge = "config"/"too-large", Error, "An input that exceeds a limit of the reader.";
    ConfigTemplate = "config"/"template", Error, "A template that fails, or whose output is not valid YAML.";
    ConfigLua = "config"/"lua", Error, "A Lua script that can't be parsed.";
    AttachmentNoListener = "attachment"/"no-listener", Error, "A route that refers to a listener that its parent doesn't have.";
    AttachmentNoGateway = "attachment"/"no-gateway", Error, "A route that refers to a gateway that doesn't exist.";
    AttachmentNotAllowed = "attachment"/"not-allowed", Error, "A route that no listener of its parent accepts.";
    AttachmentNoHostname = "attachment"/"no-hostname", Error, "A route whose hostnames don't match those of its listeners.";
    AttachmentListenerConflict = "attachment"/"listener-conflict", Error, "Listeners that can't share a port.";
    AttachmentPolicyConflict = "attachment"/"policy-conflict", Error, "Two policies of the same kind that target the same object.";
    AttachmentNoTarget = "attachment"/"no-target", Error, "A policy whose target doesn't exist.";
    AttachmentSelectorReach = "attachment"/"selector-reach", Warning, "A selector that matches a gateway that is probably not intended.";
    AttachmentRedirectLoop = "attachment"/"redirect-loop", Error, "A redirect that leads to itself.";
    AttachmentNoRedirect = "attachment"/"no-redirect", Warning, "A listener for plain HTTP that has no redirect.";
    AttachmentRefused = "attachment"/"refused", Error, "Settings that the controller can't use.";
    NetworkInvalidAddress = "network"/"invalid-address", Error, "A value that is not an IP address.";
    NetworkInvalidCidr = "network"/"invalid-cidr", Error, "A value that is not a CIDR, or a CIDR with host bits set.";
    NetworkDuplicateAddress = "network"/"duplicate-address", Error, "An address that two gateways request.";
    NetworkOutsidePools = "network"/"address-outside-pools", Error, "An address that is in none of the declared pools.";
    NetworkPoolOverlap = "network"/"pool-overlap", Error, "Address pools that overlap.";
    NetworkPoolSelector = "network"/"pool-selector", Error, "An address pool whose selector doesn't match the Service that needs an address.";
    NetworkPoolHoldsRouter = "network"/"pool-holds-router", Warning, "An address pool that contains the address of a router or of the API server.";
    NetworkNotAnnounced = "network"/"not-announced", Warning, "A gateway whose address no L2 policy announces.";
    NetworkLocalPolicy = "network"/"local-policy", Warning, "Nodes that announce an address without running a proxy for it.";
    NetworkCertificateNames = "network"/"certificate-names", Error, "A listener whose certificate doesn't cover its hostname.";
    NetworkTrustedCidr = "network"/"trusted-cidr", Warning, "A trusted network that includes everybody, or no client at all.";
    ReferenceExtensionDisabled = "reference"/"extension-disabled", Error, "A feature that the chart's values leave disabled.";
    ReferenceMissingScript = "reference"/"missing-script", Error, "A ConfigMap for a Lua script, or its key, that doesn't exist.";
    ReferenceLuaScript = "reference"/"lua-script", Error, "A Lua script that Envoy Gateway refuses.";
    ReferenceMissingFile = "reference"/"missing-file", Error, "A file or folder that a kustomization lists but that doesn't exist.";
    ReferenceUnlistedFile = "reference"/"unlisted-file", Warning, "A manifest that the kustomization of its folder does not list.";
    ReferenceNotPermitted = "reference"/"not-permitted", Error, "A reference to another namespace that no ReferenceGrant allows.";
    ReferencePort = "reference"/"port", Error, "A reference to a port that the Service doesn't have.";
    ReferenceUnusable = "reference"/"unusable", Error, "A reference to an object that can't be used there.";
    VersionUnknown = "version"/"unknown", Error, "A version that the catalogue doesn't have.";
    VersionGate = "version"/"gate", Warning, "A setting that the selected version accepts but doesn't implement.";
    VersionDeprecatedField = "version"/"deprecated-field", Warning, "A deprecated field.";
    VersionEnvoyImage = "version"/"envoy-image", Warning, "An Envoy image of another version than the chart's.";
    VersionBehaviour = "version"/"behaviour", Note, "A setting whose behaviour changes in a newer version.";
    VersionChartValue = "version"/"chart-value", Warning, "A Helm value that the chart does not read.";
    VersionCrdSkew = "version"/"crd-skew", Warning, "CRDs in the cluster that differ from those of the declared version.";
    YamlSyntax = "yaml"/"syntax", Error, "A document that is not valid YAML.";
    YamlReadersDiffer = "yaml"/"readers-differ", Error, "YAML that kustomize reads differently than other programs, or refuses.";
    YamlNotAnObject = "yaml"/"not-an-object", Error, "A document that is not a Kubernetes object.";
    SchemaUnknownKind = "schema"/"unknown-kind", Error, "A kind that no selected schema describes.";
    SchemaUnknownField = "schema"/"unknown-field", Error, "A field that the declared version doesn't have.";
    SchemaRequired = "schema"/"required", Error, "A required field is missing.";
    SchemaType = "schema"/"type", Error, "A value that has another type than the field.";
    SchemaValue = "schema"/"value", Error, "A value that the field doesn't allow.";
    SchemaListKey = "schema"/"list-key", Error, "Two list entries with the same key.";
    SchemaCombination = "schema"/"combination", Error, "Fields that can't be combined.";
    SchemaMetadata = "schema"/"metadata", Error, "A name, label, annotation or owner that Kubernetes refuses.";
    SchemaUnreadable = "schema"/"unreadable", Error, "A CustomResourceDefinition that can't be read.";
    SchemaDeprecatedVersion = "schema"/"deprecated-version", Warning, "A deprecated API version.";
    SchemaDisagreesWithServer = "schema"/"disagrees-with-server", Error, "An object on which the API server and gatewayctl disagree.";
    RuleFailed = "rule"/"failed", Error, "Values that violate a validation rule of the schema.";
    RuleUnreadable = "rule"/"unreadable", Error, "A validation rule that can't be parsed or evaluated.";
    FluxReplacedInScript = "flux"/"replaced-in-script", Warning, "A variable of a script or dashboard that Flux replaces.";
    FluxUnreadableVariable = "flux"/"unreadable-variable", Error, "A text on which Flux's variable substitution fails.";
    FluxNotSubstituted = "flux"/"not-substituted", Error, "A variable in an object for which Flux substitutes no variables.";
    FluxMissingDependency = "flux"/"missing-dependency", Error, "A Flux Kustomization that depends on one that doesn't exist.";
    FluxCircularDependency = "flux"/"circular-dependency", Error, "Flux Kustomizations that depend on each other in a circle.";
    FluxMissingCrds = "flux"/"missing-crds", Warning, "Objects that may be applied before their CRDs.";
    FluxMonitorElsewhere = "flux"/"monitor-elsewhere", Warning, "A monitor for a namespace in which no proxy or controller runs.";
    KedaTwoAutoscalers = "keda"/"two-autoscalers", Error, "A Deployment that two autoscalers scale.";
    KedaFixedReplicas = "keda"/"fixed-replicas", Warning, "A fixed number of replicas on a Deployment that is scaled.";
    KedaMinimumAboveMaximum = "keda"/"minimum-above-maximum", Error, "An autoscaler whose minimum is above its maximum.";
    KedaUnknownDeployment = "keda"/"unknown-deployment", Error, "An autoscaler for a Deployment that Envoy Gateway doesn't create.";
    TreeEdited = "tree"/"edited", Error, "A rendered file that was edited by hand.";
    TreeForeign = "tree"/"foreign", Error, "An existing file at an output path that gatewayctl didn't write.";
    TreeOutOfDate = "tree"/"out-of-date", Error, "A file that differs from what cluster.toml renders.";
    TreeUnsafePath = "tree"/"unsafe-path", Error, "An output path that leads through a symbolic link, or out of the root.";
    TreeInterrupted = "tree"/"interrupted", Note, "An earlier render was interrupted.";
}

impl Code {
    /// Finds a code by its name.
    pub fn parse(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str() == text)
    }

    /// All groups, in the order of the list.
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
    fn every_page_has_a_meaning_and_two_examples() {
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
