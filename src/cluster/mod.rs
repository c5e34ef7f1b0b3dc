//! Works with a live API server: reads objects, asks for dry runs, and applies CustomResourceDefinitions.
//!
//! Only [`bootstrap`] writes; everything else reads, or uses `dryRun=All`. The rest of the program is synchronous, so
//! [`run`] is the only entry point.
//!
//! - [`connect`], [`server`], [`answer`], [`error`]: kubeconfigs, contexts and credentials; requests, retries and time
//!   limits; checks of answers; errors as text for the user.
//! - [`kinds`]: what the server serves. [`installed`]: its CustomResourceDefinitions.
//! - [`applied`], [`variables`]: what Flux would apply of a tree. [`drift`]: how that differs from the live objects,
//!   with [`live`] and [`hide`].
//! - [`verdict`]: the server's judgement compared with ours. [`skew`]: whether its definitions are the declared ones.
//! - [`probe`]: sends requests to gateways, for tests of requests.
//! - [`conditions`]: fetches what controllers wrote to `status`.
//! - [`crds`]: which CustomResourceDefinitions may be applied. [`bootstrap`]: applies them.
//!
//! [`applied`], [`variables`], [`live`], [`hide`], [`crds`], and the comparisons in [`verdict`] and [`skew`] are pure
//! functions.

pub mod answer;
pub mod applied;
pub mod bootstrap;
pub mod codes;
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
pub mod probe;
pub mod server;
pub mod skew;
mod transport;
pub mod variables;
pub mod verdict;

pub use connect::{Options, connect};
pub use error::Error;
pub use server::Server;

/// How many requests run in parallel.
pub const AT_ONCE: usize = 10;

/// The field manager of Flux's kustomize-controller.
pub const FLUX_MANAGER: &str = "kustomize-controller";

/// Reports progress: how many are done, and how many there are.
pub type Progress<'a> = &'a dyn Fn(usize, usize);

/// Waits for a future that uses the network, on this thread.
///
/// # Errors
/// If the runtime can't be started.
pub fn run<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let done = runtime.block_on(work);
    // A connection or an exec plugin that hangs must not keep the program from ending.
    runtime.shutdown_background();
    Ok(done)
}
