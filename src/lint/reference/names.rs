//! Helps to say that nothing has a name.

use crate::lint::attachment::cluster::{is_patched, is_walked};
use crate::lint::{Applied, LintContext};
use manifest::diagnostic::suggest::{MOST_COMPARED, listed, nearest};

/// Whether an object is known as the cluster gets it: the files beside it are given, and no patch may change it.
pub(crate) fn is_sure(context: &LintContext<'_>, one: &Applied<'_>) -> bool {
    let is_whole = one.way.is_none_or(|way| !way.is_partly_unknown);
    is_whole && is_walked(context, one.object) && !is_patched(context, one)
}

/// A suggestion for a name that nothing has.
pub(super) fn meant(name: &str, there: &[&str]) -> String {
    match nearest(name, there.iter().copied().take(MOST_COMPARED)) {
        Some(near) => format!("write `{near}`"),
        None => format!(
            "use one that exists: {}",
            listed(there.iter().map(|name| format!("`{name}`")))
        ),
    }
}
