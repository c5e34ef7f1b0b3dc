//! The codes of findings about a live cluster.

manifest::codes! {
    VERSION_CRD_SKEW = "version"/"crd-skew", Warning, "CRDs in the cluster that differ from those of the declared version.";
    SCHEMA_DISAGREES_WITH_SERVER = "schema"/"disagrees-with-server", Error, "An object on which the API server and gatewayctl disagree.";
}
