//! Networks with host bits, which Cilium drops. [`model`](crate::model) finds other mistakes in networks.

use super::pools::Pool;
use crate::lint::LintContext;
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::finding;

pub(crate) use crate::model::codes::NETWORK_INVALID_CIDR as CODE;

/// Reports networks with host bits in pools. Cilium uses the whole network.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    context.pools().iter().flat_map(host_bits).collect()
}

fn host_bits(pool: &Pool<'_>) -> Vec<Diagnostic> {
    let found = pool.blocks.iter().filter_map(|block| {
        let meant = block.meant?;
        let message = format!("Cilium treats {} as {meant}", block.text);
        let finding = finding(CODE, pool.applied.object, &block.pointer, message);
        Some(
            finding
                .severity(Severity::Note)
                .why("host bits are dropped, so the pool may contain more addresses than intended")
                .help(format!("write {meant}, or a longer prefix")),
        )
    });
    found.collect()
}
