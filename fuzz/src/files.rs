//! A project's files in memory.

use std::sync::LazyLock;

use crd_validate::schema::Catalogue;
use gatewayctl::compile::World;
use gatewayctl::render::files::Inputs;

/// The embedded catalogue of CRDs.
pub static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::embedded);

/// A configuration that enables nearly everything, so that most templates are used.
pub const CONFIG: &str = r#"domain = "example.com"
certificates = "example-com-tls"
chart.version = "1.9.0"
layout.templates = "templates"

[gateways.envoy-external]
address = "10.10.30.26"

[gateways.envoy-internal]
address = "10.10.30.25"
"#;

/// A project with a single file: its path from the root, and its content.
pub struct OneFile<'a> {
    pub path: &'a str,
    pub text: &'a str,
}

impl Inputs for OneFile<'_> {
    fn read(&self, path: &str) -> Option<String> {
        (path == self.path).then(|| self.text.to_owned())
    }
}

impl World for OneFile<'_> {
    fn list(&self, folder: &str) -> Vec<String> {
        let name = self
            .path
            .strip_prefix(folder)
            .and_then(|rest| rest.strip_prefix('/'));
        name.map(str::to_owned).into_iter().collect()
    }
}
