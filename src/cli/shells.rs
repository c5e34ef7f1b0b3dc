//! `gatewayctl config-schema`, `completions`, `man`: output for editors and shells.

use std::io::Write;
use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

/// Arguments of `completions`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the JSON Schema of cluster.toml.
///
/// # Errors
/// If it can't be written.
pub(super) fn config_schema(out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    writeln!(out, "{:#}", crate::config::schema::for_editors())?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the completions for a shell.
///
/// # Errors
/// If they can't be written.
pub(super) fn completions(args: &Args, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut super::Cli::command(),
        "gatewayctl",
        &mut script,
    );
    out.write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the manual page, with all commands.
///
/// # Errors
/// If it can't be written.
pub(super) fn man(out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let mut page = Vec::new();
    let command = super::Cli::command();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for sub in command.get_subcommands() {
        let name = format!("gatewayctl {}", sub.get_name());
        clap_mangen::Man::new(sub.clone().bin_name(&name).display_name(&name)).render(&mut page)?;
    }
    out.write_all(&page)?;
    Ok(ExitCode::SUCCESS)
}
