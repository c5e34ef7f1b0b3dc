//! Renders with a template of the user in place of a built-in one.

use gatewayctl::compile::rendered;
use gatewayctl::render::templates::BUILT_IN;

use super::files::{CATALOGUE, CONFIG, OneFile};
use super::report;

/// The template that is replaced if the first line of the input is not the name of one.
const USUAL: &str = "gateway.yaml.j2";

/// Renders with a template of the user. The first line may be the name of the built-in template that it replaces.
pub fn render(text: &str) {
    let first = text.split_once('\n');
    let is_name = |line: &str| BUILT_IN.iter().any(|(name, _)| *name == line);
    let (name, text) = first
        .filter(|(line, _)| is_name(line))
        .unwrap_or((USUAL, text));
    let world = OneFile {
        path: &format!("templates/{name}"),
        text,
    };
    let compiled = rendered("cluster.toml", CONFIG, &world, &CATALOGUE);
    report::tell(compiled.diagnostics, &compiled.sources);
}
