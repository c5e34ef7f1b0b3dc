//! `gatewayctl lsp`: the language server, for editors.
//!
//! One thread reads messages ([`wire`]), one checks repositories ([`worker`], [`analysis`]), and the main thread keeps the open
//! documents ([`documents`]) and answers ([`server`]). Requests are answered from the last check and the texts as they are now,
//! so none waits for a check, except for those that come before the first one has ended.

mod analysis;
mod answers;
mod documents;
mod findings;
mod lenses;
mod protocol;
mod roots;
mod server;
mod uri;
mod wire;
mod worker;

use std::io::BufReader;
use std::process::ExitCode;
use std::sync::mpsc;

use super::Global;
use super::output::Stream;
use server::{Event, Server};
use wire::Frame;

/// Arguments of `lsp`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  gatewayctl lsp                   what an editor runs, for all repositories that are open in it
  gatewayctl -C clusters/home lsp  only for one repository")]
pub(super) struct Args {
    /// Talk over standard input and output, which is the only way; editors pass it
    #[arg(long, hide = true)]
    stdio: bool,
}

/// Runs the command, until the editor ends it.
///
/// # Errors
/// If the editor can't be written to.
pub(super) fn run(_: &Args, global: &Global, out: &mut Stream) -> anyhow::Result<ExitCode> {
    let (events, received) = mpsc::channel();
    let of_reader = events.clone();
    std::thread::spawn(move || {
        let mut input = BufReader::new(std::io::stdin());
        loop {
            let frame = wire::read(&mut input).unwrap_or(Frame::End);
            let is_end = matches!(frame, Frame::End);
            if of_reader.send(Event::Frame(frame)).is_err() || is_end {
                return;
            }
        }
    });
    let mut server = Server::new(global, worker::start(events));
    for event in received {
        server.handle(event);
        for message in server.take_outgoing() {
            wire::write(&message, &mut out.data())?;
        }
        if let Some(code) = server.exit_code() {
            return Ok(code);
        }
    }
    Ok(ExitCode::SUCCESS)
}
