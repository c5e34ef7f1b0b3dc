//! `gatewayctl graph`

use std::io::Write;
use std::process::ExitCode;

use clap::ValueEnum;

use super::gathered::{Place, gather};
use super::{Global, found};
use crate::graph::{dot, html, mermaid, picture, svg};
use crate::resolve::resolve;

/// Arguments of `graph`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// How to draw it
    #[arg(long, value_name = "FORMAT", default_value = "mermaid")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A flowchart for Markdown
    Mermaid,
    /// For Graphviz
    Dot,
    /// A drawing
    Svg,
    /// The drawing as a page to walk through
    Html,
}

/// Runs the command: prints the front door as a picture. The exit code is 1 where a manifest is broken.
///
/// # Errors
/// Where something can't be read.
pub fn run(args: &Args, global: &Global, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let gathered = gather(&args.place, global)?;
    let picture = picture(&resolve(&gathered.objects, &gathered.settings));
    let text = match args.format {
        Format::Mermaid => mermaid::mermaid(&picture),
        Format::Dot => dot::dot(&picture),
        Format::Svg => svg::svg(&picture),
        Format::Html => html::html(&picture),
    };
    out.write_all(text.as_bytes())?;
    Ok(found(gathered.is_broken))
}
