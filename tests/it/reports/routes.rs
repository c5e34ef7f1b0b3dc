//! Reports about routes, the policies that are aimed at them, names that nothing has, and scripts.

use super::{Case, run};

const CASES: &[Case] = &[
    case(
        "reports/10-tcp-routes-without-section",
        "attachment/shared-stream",
        "",
    ),
    case(
        "reports/15-certificate-of-another-namespace",
        "reference/not-permitted",
        "",
    ),
    case(
        "reports/17-shim-without-hostname",
        "reference/no-certificate-made",
        "",
    ),
    case(
        "reports/19-route-policy-replaces-the-allow-list",
        "attachment/replaced-protection",
        "",
    ),
    case(
        "reports/51-policy-and-route-in-different-namespaces",
        "attachment/no-target",
        "",
    ),
    case(
        "reports/60-policy-aimed-at-a-misspelt-route",
        "attachment/no-target",
        "",
    ),
];

const fn case(folder: &'static str, broken: &'static str, toml: &'static str) -> Case {
    Case {
        folder,
        broken,
        toml,
    }
}

#[test]
fn reports_about_routes_and_policies_are_found() {
    run(CASES);
}
