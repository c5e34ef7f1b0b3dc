//! The `gatewayctl` program; see the library for the map.

mod allocator;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator;

fn main() -> ExitCode {
    gatewayctl::cli::main()
}
