//! The schemas of the values of Helm charts that a user has imported. They are JSON Schemas with everything that they refer to;
//! this crate only keeps them.

use super::lock::Locked;
use super::version::Version;

/// The project that stands for charts in the list of files; the chart is the channel.
pub const PROJECT: &str = "helm-values";

/// The schema of the values of a chart.
#[derive(Clone, Debug)]
pub struct ValuesSchema {
    /// The name of the chart.
    pub chart: String,
    /// The version of the chart.
    pub version: Version,
    /// The document.
    pub text: String,
}

impl ValuesSchema {
    /// The chart and its version.
    pub fn title(&self) -> String {
        format!("{} {}", self.chart, self.version)
    }

    /// Whether this is the schema of a version of the chart.
    pub fn is_version(&self, version: &str) -> bool {
        self.version == Version::new(version)
    }
}

/// The entry for the schema of a chart's values in the list of files.
pub fn listed(chart: &str, version: &str, text: &str, source: &str, source_sha256: &str) -> Locked {
    let set = super::set::Set::new(PROJECT, version, Some(chart));
    let name = super::set::plain(chart);
    let path = format!(
        "{PROJECT}/{name}/{}.json",
        super::set::plain(&set.version.folder())
    );
    Locked::new(&set, path, text, source, source_sha256)
}
