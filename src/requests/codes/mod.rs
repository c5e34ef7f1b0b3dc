//! The codes of tests that fail.

manifest::codes! {
    TEST_FAILED = "test"/"failed", Error, "Something else happens to a request than its test expects.";
    TEST_LIVE = "test"/"live", Error, "The real gateway answers something else than the manifests say.";
    TEST_UNKNOWN = "test"/"unknown", Error, "The files at hand don't determine what a test expects.";
}
