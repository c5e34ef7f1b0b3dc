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
    NetworkInvalidAddress = "network"/"invalid-address", Error, "An address that is none.";
    NetworkInvalidCidr = "network"/"invalid-cidr", Error, "A CIDR that is none, or with host bits set.";
    NetworkDuplicateAddress = "network"/"duplicate-address", Error, "One address on two gateways.";
    NetworkOutsidePools = "network"/"address-outside-pools", Error, "An address that no declared pool holds.";
    VersionUnknown = "version"/"unknown", Error, "A version that the catalogue doesn't have.";
    VersionCrdSkew = "version"/"crd-skew", Warning, "Definitions in the cluster that are not those of the declared version.";
    YamlSyntax = "yaml"/"syntax", Error, "A document that is not YAML.";
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
