//! The live API server: what it has, what it would make of our objects, and the one thing that is written there.
//!
//! Nothing here writes but [`bootstrap`]; everything else reads, or asks with `dryRun=All`. All else in this program
//! is synchronous: [`run`] is the one way in.
//!
//! - [`connect`], [`server`], [`answer`], [`error`]: kubeconfig, contexts and credentials; requests, retries and the time
//!   that there is; what is an answer, and what can go wrong, in words.
//! - [`kinds`]: what the server serves. [`installed`]: the CustomResourceDefinitions that it has.
//! - [`applied`], [`variables`]: what Flux would apply of a tree. [`drift`]: how that differs from what lives there,
//!   with [`live`] and [`hide`].
//! - [`verdict`]: the server's judgement beside ours. [`skew`]: whether its definitions are the declared ones.
//! - [`conditions`]: fetches what controllers wrote into `status`.
//! - [`crds`]: which CustomResourceDefinitions may be applied. [`bootstrap`]: applies them.
//!
//! [`applied`], [`variables`], [`live`], [`hide`], [`crds`], and the comparisons in [`verdict`] and [`skew`] are functions
//! over values.

pub mod answer;
pub mod applied;
pub mod bootstrap;
pub mod conditions;
pub mod connect;
pub mod crds;
pub mod drift;
pub mod error;
pub mod hide;
pub mod installed;
pub mod kinds;
mod kubeconfig;
pub mod live;
mod plugin;
pub mod server;
pub mod skew;
mod transport;
pub mod variables;
pub mod verdict;

pub use connect::{Options, connect};
pub use error::Error;
pub use server::Server;

/// How many requests are on their way at once.
pub const AT_ONCE: usize = 10;

/// The field manager of Flux's kustomize-controller.
pub const FLUX_MANAGER: &str = "kustomize-controller";

/// Says how far a longer piece of work is: what is done, and of how many.
pub type Progress<'a> = &'a dyn Fn(usize, usize);

/// Waits for what has to do with the network, on this thread.
///
/// # Errors
/// If the system gives no means to wait.
pub fn run<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let done = runtime.block_on(work);
    // A connection, or an exec plugin, that hangs doesn't keep the program.
    runtime.shutdown_background();
    Ok(done)
}
