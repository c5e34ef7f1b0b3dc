//! Versions of projects, with or without a leading `v`.

use std::cmp::Ordering;
use std::fmt;

/// A project's version, shown without a leading `v`.
///
/// Ordered as semantic versions (semver 2.0.0); what is none comes before all that are, by its text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    text: String,
    parsed: Option<semver::Version>,
}

impl Version {
    /// Reads a version; any text is one.
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

    /// The folder that holds it: `v1.9.0`; what is no semantic version, as it is.
    pub fn folder(&self) -> String {
        match self.parsed {
            Some(_) => format!("v{}", self.text),
            None => self.text.clone(),
        }
    }

    /// Whether it is a release, not a candidate.
    pub fn is_stable(&self) -> bool {
        self.parsed.as_ref().is_some_and(|it| it.pre.is_empty())
    }

    /// Major and minor number.
    pub fn minor(&self) -> Option<(u64, u64)> {
        self.parsed.as_ref().map(|it| (it.major, it.minor))
    }

    /// How far two versions are apart: by major number, then minor, then patch.
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

/// How far along a version of an API is: `v2` comes after `v1`, that after `v1beta1`, that after `v1alpha1`.
pub fn maturity(version: &str) -> (u8, Vec<u32>) {
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
