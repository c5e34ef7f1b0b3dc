//! The `gatewayctl` program; see the library for the map.

use std::process::ExitCode;

fn main() -> ExitCode {
    gatewayctl::cli::main()
}
