//! The codes of findings about addresses and networks. Where they are found in objects instead, [`lint`](crate::lint) uses
//! the same codes.

manifest::codes! {
    NETWORK_INVALID_ADDRESS = "network"/"invalid-address", Error, "A value that is not an IP address.";
    NETWORK_INVALID_CIDR = "network"/"invalid-cidr", Error, "A value that is not a CIDR, or a CIDR with host bits set.";
    NETWORK_OUTSIDE_POOLS = "network"/"address-outside-pools", Error, "An address that is in none of the declared pools.";
}
