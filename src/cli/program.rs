//! The name by which people run the program, for its usage texts.

use std::ffi::OsStr;
use std::path::Path;

use clap::{CommandFactory, FromArgMatches};

use super::Cli;

/// How the file names of plugins of the Flux CLI begin: `flux NAME` runs the file `flux-NAME` in its folder of plugins.
const FLUX_PLUGIN: &str = "flux-";

/// The arguments of the process. In usage texts, the program has the name by which it was run: `flux gateway` if it is a
/// plugin of the Flux CLI, which is a link with another name.
///
/// # Errors
/// If the arguments are wrong, or ask for help.
pub(super) fn parse() -> Result<Cli, clap::Error> {
    let mut command = Cli::command();
    if let Some(name) = std::env::args_os().next().and_then(|it| as_plugin(&it)) {
        command = command.bin_name(name);
    }
    let mut matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

/// What is typed to run this file, if it is named as a plugin of the Flux CLI is.
fn as_plugin(file: &OsStr) -> Option<String> {
    let stem = Path::new(file).file_stem()?.to_str()?;
    let name = stem.strip_prefix(FLUX_PLUGIN)?;
    (!name.is_empty()).then(|| format!("flux {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_named_as_a_plugin_is_one() {
        let named = |file: &str| as_plugin(OsStr::new(file));
        assert_eq!(
            named("/home/a/.fluxcd/plugins/flux-gateway").as_deref(),
            Some("flux gateway")
        );
        assert_eq!(named("flux-gateway.exe").as_deref(), Some("flux gateway"));
        for other in ["gatewayctl", "/opt/flux-/gatewayctl", "flux-", ""] {
            assert_eq!(named(other), None, "{other}");
        }
    }
}
