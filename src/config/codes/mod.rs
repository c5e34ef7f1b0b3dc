//! The codes of findings about `cluster.toml` itself.

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
    CONFIG_OTHER_DELIVERY = "config"/"other-delivery", Error, "A setting or variable that needs another delivery than that of `[delivery]`.";
    CONFIG_NOT_INHERITED = "config"/"not-inherited", Warning, "A gateway's own table that drops a protection of the shared one.";
    CONFIG_DUPLICATE = "config"/"duplicate", Error, "A port, name or file that is given twice.";
    CONFIG_TEMPLATE = "config"/"template", Error, "A template that fails, or whose output is not valid YAML.";
    CONFIG_EXTENDS = "config"/"extends", Error, "A file that a description extends can't be used.";
    CONFIG_UNUSED_IGNORE = "config"/"unused-ignore", Note, "An entry of `[validate]` that fits no finding.";
    VERSION_UNKNOWN = "version"/"unknown", Error, "A version that the catalogue doesn't have.";
}
