//! The `gatewayctl` program; see the library for the map.

#[cfg(not(target_env = "msvc"))]
mod allocator;

use std::process::ExitCode;

#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator;

fn main() -> ExitCode {
    gatewayctl::cli::main()
}
