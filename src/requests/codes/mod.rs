//! The codes of tests that fail.

manifest::codes! {
    TEST_FAILED = "test"/"failed", Error, "Something else happens to a request than its test expects.";
    TEST_UNKNOWN = "test"/"unknown", Error, "The files at hand don't determine what a test expects.";
}
