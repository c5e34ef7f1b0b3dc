//! The `gatewayctl` program; see the library for the map.

use std::process::ExitCode;

/// Several threads allocate many small nodes. With glibc's allocator, `validate` of 5,000 files takes a third more
/// processor time, and musl's, with which binaries are published, is slower still.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    gatewayctl::cli::main()
}
