use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Schemas(gatewayctl::cli::schemas::Args),
}

fn main() -> anyhow::Result<std::process::ExitCode> {
    let Command::Schemas(args) = Cli::parse().command;
    gatewayctl::cli::schemas::run(args, &mut std::io::stdout())
}
