//! Tasks for those who work on this repository.
//!
//! `cargo xtask catalogue` brings the schemas in `schemas` up to date: see [`catalogue`]. `cargo xtask agreement` compares with
//! the real programs and prints a table: see [`agreement`].

mod agreement;
mod catalogue;
mod changes;
mod go;
mod sources;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["catalogue", rest @ ..] => catalogue::Options::parse(rest).and_then(catalogue::run),
        ["agreement"] => agreement::run(None),
        ["agreement", "--random", count] => agreement::run(Some(count)),
        _ => Err(anyhow::anyhow!(
            "usage: cargo xtask catalogue [--again] [--only PROJECT] [--into FOLDER] [--summary FILE]\n       \
             cargo xtask agreement [--random COUNT]"
        )),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
