//! The codes of what can be wrong with a text before it is an object.

crate::codes! {
    CONFIG_TOO_LARGE = "config"/"too-large", Error, "An input beyond the bounds within which it is read.";
    YAML_SYNTAX = "yaml"/"syntax", Error, "A document that is not YAML.";
    YAML_READERS_DIFFER = "yaml"/"readers-differ", Error, "A place that kustomize reads as something else than other readers of YAML do, or refuses.";
    YAML_NOT_AN_OBJECT = "yaml"/"not-an-object", Error, "A document that is no Kubernetes object.";
}
