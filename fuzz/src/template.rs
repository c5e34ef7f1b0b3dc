//! A user's template in the place of a built-in one.

use gatewayctl::compile::rendered;
use gatewayctl::render::templates::BUILT_IN;

use super::files::{CATALOGUE, CONFIG, OneFile};
use super::report;

/// The template that an input replaces whose first line names none.
const USUAL: &str = "gateway.yaml.j2";

/// Renders with a template of the user's own; the first line may be the name of the one that it replaces.
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
