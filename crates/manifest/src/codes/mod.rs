//! The codes of findings about texts that can't be read as objects.

crate::codes! {
    CONFIG_TOO_LARGE = "config"/"too-large", Error, "An input that exceeds a limit of the reader.";
    YAML_SYNTAX = "yaml"/"syntax", Error, "A document that is not valid YAML.";
    YAML_READERS_DIFFER = "yaml"/"readers-differ", Error, "YAML that kustomize reads differently than other programs, or refuses.";
    YAML_KUBECTL_DIFFERS = "yaml"/"kubectl-differs", Note, "A value that kubectl reads otherwise than kustomize and Flux.";
    YAML_NOT_AN_OBJECT = "yaml"/"not-an-object", Error, "A document that is not a Kubernetes object.";
}
