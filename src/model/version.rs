//! Versions, and what changed in which.

use manifest::diagnostic::Spanned;

/// A released version: `1.9.0`, with or without `v` in front; what comes after a `-` or `+` is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// First number.
    pub major: u64,
    /// Second number.
    pub minor: u64,
    /// Third number.
    pub patch: u64,
}

impl Version {
    /// A version from its numbers.
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Version {
            major,
            minor,
            patch,
        }
    }

    /// Reads a version; `None` where it is none.
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

/// The versions that decide how things are written.
#[derive(Clone, Debug)]
pub struct Versions {
    /// The Envoy Gateway chart.
    pub envoy_gateway: Spanned<Version>,
    /// The Gateway API whose CRDs are in the cluster.
    pub gateway_api: Version,
    /// Cilium.
    pub cilium: Version,
}

/// The first Envoy Gateway in which Lua is off unless the chart's values enable it (release notes of 1.9.0).
pub const LUA_OFF_BY_DEFAULT: Version = Version::new(1, 9, 0);

/// The first Gateway API that serves TCPRoute and UDPRoute as `v1`.
pub const STREAM_ROUTES_V1: Version = Version::new(1, 6, 0);

/// The first Envoy Gateway whose BackendTrafficPolicy has `compressor`; `compression` before.
pub const COMPRESSOR: Version = Version::new(1, 6, 0);

/// The first Cilium that serves its address pools and BGP resources as `cilium.io/v2`.
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
