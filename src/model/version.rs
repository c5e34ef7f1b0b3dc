//! Versions, and the versions in which upstream projects changed.

use envoy_gateway::controller::features::LUA_OFF_FROM;
use manifest::diagnostic::Spanned;

/// A released version: `1.9.0`, with or without a leading `v`. A part after `-` or `+` is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The first number.
    pub major: u64,
    /// The second number.
    pub minor: u64,
    /// The third number.
    pub patch: u64,
}

impl Version {
    /// Creates a version from its numbers.
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Version {
            major,
            minor,
            patch,
        }
    }

    /// Parses a version; `None` if the text is not a version.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = text.split(['-', '+']).next()?;
        let mut numbers = text.split('.').map(str::parse);
        let version = Version {
            major: numbers.next()?.ok()?,
            minor: numbers.next()?.ok()?,
            patch: numbers.next()?.ok()?,
        };
        numbers.next().is_none().then_some(version)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The versions that decide how objects are written.
#[derive(Clone, Debug)]
pub struct Versions {
    /// The version of the Envoy Gateway chart.
    pub envoy_gateway: Spanned<Version>,
    /// The version of the Gateway API CRDs in the cluster.
    pub gateway_api: Version,
    /// The version of Cilium.
    pub cilium: Version,
}

/// The first version of Envoy Gateway that disables Lua unless the chart's values enable it.
pub const LUA_OFF_BY_DEFAULT: Version = Version::new(LUA_OFF_FROM.0, LUA_OFF_FROM.1, 0);

/// The first version of the Gateway API that serves TCPRoute and UDPRoute as `v1`.
pub const STREAM_ROUTES_V1: Version = Version::new(1, 6, 0);

/// The first version of Envoy Gateway whose BackendTrafficPolicy takes both local and global rate limits, and deprecates
/// their type; earlier versions need it.
pub const RATE_LIMIT_WITHOUT_TYPE: Version = Version::new(1, 6, 0);

/// The first version of the Gateway API that serves ListenerSet as `v1`; earlier versions have an experimental XListenerSet.
pub const LISTENER_SET_V1: Version = Version::new(1, 5, 0);

/// The first version of the Gateway API that serves BackendTLSPolicy as `v1`.
pub const BACKEND_TLS_V1: Version = Version::new(1, 4, 0);

/// The first version of Envoy Gateway whose BackendTrafficPolicy has `compressor`; earlier versions have
/// `compression`.
pub const COMPRESSOR: Version = Version::new(1, 6, 0);

/// The first version of Cilium that serves its address pools and BGP resources as `cilium.io/v2`.
pub const CILIUM_V2: Version = Version::new(1, 18, 0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_with_and_without_v() {
        assert_eq!(Version::parse("v1.9.0"), Some(Version::new(1, 9, 0)));
        assert_eq!(Version::parse("1.10.0-rc.1"), Some(Version::new(1, 10, 0)));
        assert!(Version::parse("1.10.0") > Version::parse("1.9.9"));
        for text in ["", "1", "1.2", "1.2.3.4", "latest", "1.x.0"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
