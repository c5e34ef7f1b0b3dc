//! The codes of what the API server would refuse.

manifest::codes! {
    SCHEMA_UNKNOWN_KIND = "schema"/"unknown-kind", Error, "A kind that no chosen schema describes.";
    SCHEMA_UNKNOWN_FIELD = "schema"/"unknown-field", Error, "A field that the declared version doesn't have.";
    SCHEMA_REQUIRED = "schema"/"required", Error, "A field that must be there.";
    SCHEMA_TYPE = "schema"/"type", Error, "A value of another type than the field takes.";
    SCHEMA_VALUE = "schema"/"value", Error, "A value that the field doesn't allow.";
    SCHEMA_LIST_KEY = "schema"/"list-key", Error, "Two list entries with one key.";
    SCHEMA_COMBINATION = "schema"/"combination", Error, "Fields that don't go together.";
    SCHEMA_METADATA = "schema"/"metadata", Error, "A name, label, annotation or owner that Kubernetes refuses.";
    SCHEMA_UNREADABLE = "schema"/"unreadable", Error, "A CustomResourceDefinition that can't be read.";
    SCHEMA_DEPRECATED_VERSION = "schema"/"deprecated-version", Warning, "An API version on its way out.";
    RULE_FAILED = "rule"/"failed", Error, "Values that a rule of the schema refuses.";
    RULE_UNREADABLE = "rule"/"unreadable", Error, "A rule of a schema that can't be read or evaluated.";
}
