//! Addresses that are in none of the pools. [`model`](crate::model) finds the same for the pools of `cluster.toml`.

use std::net::IpAddr;

use super::address_requests::ServiceAddressRequest;
use super::pools::{Block, HoldingPool, NearPools};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Pointer, variable};

pub(crate) use crate::model::codes::NETWORK_OUTSIDE_POOLS as CODE;

/// How many blocks a finding lists.
const MOST_LISTED: usize = 8;

/// Reports a requested address that is in none of the pools, or that the pools reserve.
/// `holding` are the pools that contain it.
pub(crate) fn report(
    request: &ServiceAddressRequest<'_>,
    address: IpAddr,
    near: &NearPools<'_, '_>,
    holding: &[HoldingPool<'_, '_>],
) -> Option<Diagnostic> {
    let name = request.owner.object.identity().to_string();
    let about = |message| finding(CODE, request.object, &request.pointer, message);
    let Some((first, block)) = holding.first() else {
        let blocks = near.pools.iter().flat_map(|pool| &pool.blocks);
        let mut listed: Vec<&str> = blocks
            .map(|block| block.text.as_str())
            .filter(|text| !variable::in_text(text))
            .take(MOST_LISTED + 1)
            .collect();
        if listed.len() > MOST_LISTED {
            listed.truncate(MOST_LISTED);
            listed.push("another block");
        }
        let pool = near.pools.first()?;
        let block = pool.blocks.first();
        return Some(
            about(format!("{address} of {name} is in none of the pools"))
                .related(block.and_then(|block| pool.applied.object.place_to_change(&block.pointer)), "the pools are declared here")
                .why("Cilium only assigns addresses from its pools, so the Service stays pending and its hostnames can't be reached")
                .help(format!("choose an address in {}, or extend a pool", listed.join(" or "))),
        );
    };
    let is_end = |block: &Block| {
        block.keeps_ends
            && block
                .range
                .is_some_and(|range| range.first == address || range.last == address)
    };
    if holding.iter().all(|(pool, _)| pool.is_disabled) {
        let disabled = Pointer::root().key("spec").key("disabled");
        return Some(
            about(format!(
                "{address} of {name} is in the pool {}, which is disabled",
                first.name()
            ))
            .related(
                first.applied.object.place_to_change(&disabled),
                "the pool is disabled here",
            )
            .why("Cilium assigns no address from it, so the Service stays pending and its hostnames can't be reached")
            .help("remove `disabled: true`, or choose an address of another pool"),
        );
    }
    if holding.iter().all(|(_, block)| is_end(block)) {
        return Some(
            about(
                format!(
                    "{address} of {name} is the first or last address of {}, which the pool {} reserves",
                    block.text,
                    first.name()
                ),
            )
            .related(
                first
                    .applied
                    .object
                    .place_to_change(&Pointer::root().key("spec").key("allowFirstLastIPs")),
                "the first and last address are reserved here",
            )
            .why("the Service stays pending, and its hostnames can't be reached")
            .help("choose another address, or write `allowFirstLastIPs: \"Yes\"`"),
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::lint::network::pools::tests::pool;
    use crate::lint::support::{FRONT, found_in, found_with_front};

    /// The line of the gateway's address.
    const ADDRESS: &str = "front.yaml:32";

    #[test]
    fn addresses_are_looked_for_in_the_pools() {
        let fits = pool("a", "{cidr: 10.10.30.0/24}", "");
        assert_eq!(found_with_front(&[&fits]), [""; 0]);
        let misses = pool("a", "{cidr: 10.10.31.0/24}", "");
        assert_eq!(
            found_with_front(&[&misses]),
            [format!(
                "error network/address-outside-pools {ADDRESS} 10.10.30.26 of Gateway network/external is in none of the pools"
            )]
        );
        let disabled = pool("a", "{cidr: 10.10.30.0/24}", "disabled: true");
        assert_eq!(
            found_with_front(&[&disabled]),
            [format!(
                "error network/address-outside-pools {ADDRESS} 10.10.30.26 of Gateway network/external is in the pool a, which is disabled"
            )]
        );
        let hidden = pool("b", "{cidr: '${POOL}'}", "");
        assert_eq!(found_with_front(&[&misses, &hidden]), [""; 0]);
        let end = pool(
            "a",
            "{cidr: 10.10.30.26/31}, {cidr: 10.10.30.24/30}",
            "allowFirstLastIPs: 'No'",
        );
        assert_eq!(
            found_with_front(&[&end]).len(),
            1,
            "the blocks overlap, and /31 reserves nothing"
        );
        let end = pool("a", "{cidr: 10.10.30.26/30}", "allowFirstLastIPs: 'No'");
        assert_eq!(
            found_with_front(&[&end]),
            ["note network/invalid-cidr a.yaml:5 Cilium treats 10.10.30.26/30 as 10.10.30.24/30"]
        );
        let end = pool(
            "a",
            "{cidr: 10.10.30.16/28}, {start: 10.10.30.1, stop: 10.10.30.5}",
            "allowFirstLastIPs: 'No'",
        );
        let moved = FRONT.replace("10.10.30.26", "10.10.30.31");
        assert_eq!(
            found_in(&format!("{moved}{end}\n")),
            [format!(
                "error network/address-outside-pools {ADDRESS} 10.10.30.31 of Gateway network/external is the first or last address of 10.10.30.16/28, which the pool a reserves"
            )]
        );
    }
}
