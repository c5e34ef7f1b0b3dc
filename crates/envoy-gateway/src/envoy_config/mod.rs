//! The facts of the configuration that Envoy Gateway generates which decide whether Envoy takes it, and what it silently
//! does otherwise. The controller reports none of them in a condition.
//!
//! - [`filter_chains`]: connections on one port that Envoy can't tell apart, for which it refuses the whole port;
//! - [`http2`], [`http3`]: listeners that silently don't have HTTP/2 or HTTP/3;
//! - [`ip_family`]: gateways that ask for an address of a family on which Envoy doesn't listen;
//! - [`parameters`]: classes that don't get the settings that they refer to.
//!
//! Each was seen with Envoy Gateway 1.9.0 and Envoy 1.39, which `tests/reality` runs, except for merged gateways in the mode
//! `GatewayNamespace`: that is what the controller's code says.

pub mod filter_chains;
pub mod http2;
pub mod http3;
pub mod ip_family;
pub mod parameters;
#[cfg(test)]
mod tests;

use super::view::{ClassId, ListenerId, Resolved};

/// The listeners of each Envoy: those of a gateway, or those of all gateways of a class that merges them.
fn listeners_by_envoy(resolved: &Resolved<'_>) -> Vec<Vec<ListenerId>> {
    let merges = |class: ClassId| resolved.class(class).is_some_and(|it| it.merges);
    let gateways = || resolved.gateways().iter();
    let own = gateways()
        .filter(|it| it.class.is_some_and(|class| !merges(class)))
        .map(|it| it.listeners.clone());
    let classes = (0..resolved.classes().len()).map(ClassId);
    let merged = classes.filter(|class| merges(*class)).map(|class| {
        let of = gateways().filter(|it| it.class == Some(class));
        of.flat_map(|it| it.listeners.iter().copied()).collect()
    });
    own.chain(merged).collect()
}
