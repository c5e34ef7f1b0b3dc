//! Reports about routes, the policies that are aimed at them, names that nothing has, the client's address, and scripts.

use super::{Case, run};

#[rustfmt::skip]
const CASES: &[Case] = &[
    case("reports/09-client-policy-on-merged-http", "attachment/refused", ""),
    case("reports/10-tcp-routes-without-section", "attachment/shared-stream", ""),
    case("reports/11-class-parameters-without-namespace", "reference/parameters", ""),
    case("reports/15-certificate-of-another-namespace", "reference/not-permitted", ""),
    case("reports/17-shim-without-hostname", "reference/no-certificate", ""),
    case("reports/18-grant-in-the-wrong-namespace", "reference/not-permitted", ""),
    case("reports/19-route-policy-replaces-the-allow-list", "attachment/replaced-protection", ""),
    case("reports/20-proxy-protocol-and-forwarded-for", "network/forged-client", "network/forged-client"),
    case("reports/23-lua-that-fails", "reference/lua-script", "reference/lua-script"),
    case("reports/47-backend-tls-policy-in-the-route-namespace", "attachment/no-target", ""),
    case("reports/51-policy-and-route-in-different-namespaces", "attachment/no-target", ""),
    case("reports/52-merged-gateways-in-gateway-namespace-mode", "reference/parameters", "reference/parameters"),
    case("reports/60-policy-aimed-at-a-misspelt-route", "attachment/no-target", ""),
    case("missed/certificate-typo", "reference/unknown-certificate", ""),
    case("missed/chartref-other-namespace", "flux/unknown-source", ""),
    case("missed/class-typo", "reference/unknown-class", ""),
    case("missed/extauth-without-grant", "reference/not-permitted", ""),
    case("missed/parametersref-other-namespace", "reference/parameters", ""),
    case("missed/patch-policy-target-httproute", "attachment/no-target", ""),
    case("missed/patch-policy-unknown-listener", "reference/unknown-resource", ""),
    case("front-door/case-partner", "", "config/not-inherited"),
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
