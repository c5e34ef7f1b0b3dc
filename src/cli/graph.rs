//! `gatewayctl graph`: draws the gateways and their routes.

use std::io::Write;
use std::process::ExitCode;

use clap::ValueEnum;

use super::gathered::{Gathered, ObjectSources, repository};
use super::used::Used;
use super::{Global, found};
use crate::graph::{dot, html, joined, mermaid, picture, svg};
use envoy_gateway::resolve;

/// Arguments of `graph`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: ObjectSources,
    /// The format of the picture
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
    /// A page with the drawing, to explore in a browser
    Html,
}

/// Runs the command. The exit code is 1 if a manifest has an error.
///
/// # Errors
/// If something can't be read.
pub(super) fn run(args: &Args, global: &Global, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let repository = repository(&args.place, &Used::default(), global)?;
    let clusters = repository.charted(global)?;
    let picture_of = |it: &Gathered| picture(&resolve(&it.objects, &it.settings));
    let picture = match clusters.as_slice() {
        [only] if only.cluster.is_none() => picture_of(only),
        several => {
            let pictures = several.iter();
            let pictures =
                pictures.map(|it| (it.cluster.clone().unwrap_or_default(), picture_of(it)));
            joined(pictures.collect())
        }
    };
    let text = match args.format {
        Format::Mermaid => mermaid::mermaid(&picture),
        Format::Dot => dot::dot(&picture),
        Format::Svg => svg::svg(&picture),
        Format::Html => html::html(&picture),
    };
    out.write_all(text.as_bytes())?;
    Ok(found(repository.is_broken))
}
