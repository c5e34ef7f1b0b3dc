//! Versions of projects, with or without a leading `v`.

use std::cmp::Ordering;
use std::fmt;

/// A project's version, shown without a leading `v`.
///
/// Semantic versions (semver 2.0.0) are ordered as such. Other versions come before them, ordered as text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    text: String,
    parsed: Option<semver::Version>,
}

impl Version {
    /// Parses a version. Every text is valid.
    pub fn new(text: &str) -> Self {
        let text = match text.strip_prefix('v') {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => rest,
            _ => text,
        };
        let parsed = semver::Version::parse(text).ok();
        Version {
            text: text.to_owned(),
            parsed,
        }
    }

    /// The version without a leading `v`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name of its folder: `v1.9.0`, or the text itself if it is not a semantic version.
    pub(crate) fn folder(&self) -> String {
        match self.parsed {
            Some(_) => format!("v{}", self.text),
            None => self.text.clone(),
        }
    }

    /// Whether it is a release, not a pre-release.
    pub fn is_stable(&self) -> bool {
        self.parsed.as_ref().is_some_and(|it| it.pre.is_empty())
    }

    /// The major and minor version.
    pub fn minor(&self) -> Option<(u64, u64)> {
        self.parsed.as_ref().map(|it| (it.major, it.minor))
    }

    /// The distance of two versions: by major version, then minor, then patch.
    pub fn distance(&self, other: &Version) -> (u64, u64, u64) {
        match (&self.parsed, &other.parsed) {
            (Some(a), Some(b)) => (
                a.major.abs_diff(b.major),
                a.minor.abs_diff(b.minor),
                a.patch.abs_diff(b.patch),
            ),
            _ => (u64::MAX, 0, 0),
        }
    }
}

/// The maturity of an API version: `v2` comes after `v1`, which comes after `v1beta1`, which comes after `v1alpha1`.
pub(crate) fn maturity(version: &str) -> (u8, Vec<u32>) {
    let stage = match () {
        () if version.contains("alpha") => 0,
        () if version.contains("beta") => 1,
        () => 2,
    };
    let numbers = version.split(|c: char| !c.is_ascii_digit());
    (stage, numbers.filter_map(|it| it.parse().ok()).collect())
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.parsed, &self.text).cmp(&(&other.parsed, &other.text))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_sort_as_numbers_and_the_v_does_not_count() {
        let mut all = ["v1.10.0", "1.9.0", "v1.9.0-rc.1", "main"].map(Version::new);
        all.sort();
        let texts = all.each_ref().map(Version::as_str);
        assert_eq!(texts, ["main", "1.9.0-rc.1", "1.9.0", "1.10.0"]);
        assert_eq!(Version::new("v1.9.0"), Version::new("1.9.0"));
        assert_eq!(Version::new("1.9.0").folder(), "v1.9.0");
        assert_eq!(Version::new("vnext").folder(), "vnext");
        assert!(!Version::new("1.9.0-rc.1").is_stable());
    }
}
