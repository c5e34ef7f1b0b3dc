//! Address pools that overlap.

use std::collections::BTreeMap;

use super::pools::{Block, Pool};
use crate::lint::LintContext;
use crate::lint::ranges::Earliest;
use crate::model::address::Range;
use flux_repo::ClusterPlace;
use manifest::diagnostic::Diagnostic;
use manifest::finding;

manifest::code! {
    "network"/"pool-overlap", Error, "Address pools that overlap.",
    r#"
Two blocks of address pools overlap. Cilium marks the newer pool as conflicting and assigns none of its
addresses, whatever its `serviceSelector` says. Which pool is the newer one changes when a pool is recreated.
Pools in the folders of different clusters are not compared.

## Wrong

```yaml
metadata: { name: services }
spec:
  blocks:
    - cidr: 10.10.30.0/24
---
metadata: { name: gateways }
spec:
  blocks:
    - cidr: 10.10.30.32/28
```

## Right

```yaml
metadata: { name: services }
spec:
  blocks:
    - cidr: 10.10.30.64/26
---
metadata: { name: gateways }
spec:
  blocks:
    - cidr: 10.10.30.32/28
```
"#
}

/// Reports blocks in the same cluster that overlap.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let pools = context.pools().iter();
    let blocks: Vec<(&Pool, &Block, Range)> = pools
        .filter(|pool| !pool.is_disabled)
        .flat_map(|pool| {
            let blocks = pool.blocks.iter();
            blocks.filter_map(move |block| Some((pool, block, block.range?)))
        })
        .collect();
    let mut found = Vec::new();
    let mut before: BTreeMap<ClusterPlace, Earliest> = BTreeMap::new();
    for (at, (pool, block, range)) in blocks.iter().enumerate() {
        let place = context.delivery.place(&pool.applied.object.file);
        let first = before
            .iter()
            .filter(|(there, _)| there.may_share_cluster(&place))
            .filter_map(|(_, earliest)| earliest.overlapping(*range))
            .min();
        before
            .entry(place)
            .or_insert_with(|| Earliest::new(blocks.iter().map(|(_, _, range)| range.first)))
            .add(*range, at);
        let Some((first, other, _)) = first.and_then(|first| blocks.get(first)) else {
            continue;
        };
        let is_one = first.applied.at == pool.applied.at;
        let message = if is_one {
            format!(
                "{} and {} of the pool {} overlap",
                other.text,
                block.text,
                pool.name()
            )
        } else {
            format!(
                "{} of the pool {} overlaps with {} of {}",
                block.text,
                pool.name(),
                other.text,
                first.name()
            )
        };
        found.push(
            finding(CODE, pool.applied.object, &block.pointer, message)
                .related(first.applied.object.place_to_change(&other.pointer), "the other block")
                .why("Cilium marks the pool that came last as conflicting, and gives out none of its addresses")
                .help("give each address to one pool; `serviceSelector` does not keep pools apart"),
        );
    }
    found
}
