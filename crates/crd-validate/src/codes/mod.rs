//! The codes of findings about objects that the API server would refuse.

manifest::codes! {
    SCHEMA_UNKNOWN_KIND = "schema"/"unknown-kind", Error, "A kind that no selected schema describes.";
    SCHEMA_UNCHECKED_KIND = "schema"/"unchecked-kind", Note, "Objects that were not checked, because no schema describes their kind.";
    SCHEMA_UNKNOWN_FIELD = "schema"/"unknown-field", Error, "A field that the declared version doesn't have.";
    SCHEMA_REQUIRED = "schema"/"required", Error, "A required field is missing.";
    SCHEMA_TYPE = "schema"/"type", Error, "A value that has another type than the field.";
    SCHEMA_VALUE = "schema"/"value", Error, "A value that the field doesn't allow.";
    SCHEMA_LIST_KEY = "schema"/"list-key", Error, "Two list entries with the same key.";
    SCHEMA_COMBINATION = "schema"/"combination", Error, "Fields that can't be combined.";
    SCHEMA_IMMUTABLE = "schema"/"immutable", Error, "A field that can't be changed differs from the earlier revision.";
    SCHEMA_METADATA = "schema"/"metadata", Error, "A name, label, annotation or owner that Kubernetes refuses.";
    SCHEMA_UNREADABLE = "schema"/"unreadable", Error, "A CustomResourceDefinition that can't be read.";
    SCHEMA_DEPRECATED_VERSION = "schema"/"deprecated-version", Warning, "A deprecated API version.";
    RULE_FAILED = "rule"/"failed", Error, "Values that violate a validation rule of the schema.";
    RULE_UNREADABLE = "rule"/"unreadable", Error, "A validation rule that can't be parsed or evaluated.";
}
