//! Which release of the Gateway API each version of Envoy Gateway installs.

use super::set::Set;
use super::version::Version;

/// The project whose chart installs the Gateway API.
pub const ENVOY_GATEWAY: &str = "envoy-gateway";

/// The project that the chart installs.
pub const GATEWAY_API: &str = "gateway-api";

/// The channel of the Gateway API in the chart.
pub(crate) const CHANNEL: &str = "experimental";

/// The minor version of the `gateway-helm` chart, and the Gateway API release in its `crds` folder. The last line is
/// also used for later minor versions, until the catalogue has them.
const BUNDLED: &[((u64, u64), &str)] = &[
    ((1, 5), "1.3.0"),
    ((1, 6), "1.4.1"),
    ((1, 7), "1.4.1"),
    ((1, 8), "1.5.1"),
    ((1, 9), "1.6.1"),
];

/// The Gateway API release whose CRDs this version of the `gateway-helm` chart installs; `None` if the version is
/// older than the table.
pub fn gateway_api_of(envoy_gateway: &Version) -> Option<Set> {
    let minor = envoy_gateway.minor()?;
    let (_, version) = BUNDLED.iter().rev().find(|(from, _)| *from <= minor)?;
    Some(Set::new(GATEWAY_API, version, Some(CHANNEL)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_brings_the_gateway_api_of_its_minor_version() {
        let of = |text: &str| gateway_api_of(&Version::new(text)).map(|set| set.to_string());
        for (chart, bundled) in [
            ("v1.5.9", "1.3.0"),
            ("1.6.0", "1.4.1"),
            ("1.7.5", "1.4.1"),
            ("1.8.3", "1.5.1"),
            ("1.9.0", "1.6.1"),
        ] {
            let want = format!("gateway-api@{bundled}:experimental");
            assert_eq!(of(chart), Some(want), "{chart}");
        }
        assert_eq!(of("1.2.0"), None);
    }
}
