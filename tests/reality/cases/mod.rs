//! What is compared.

mod company;
mod configurations;
mod conformance;
mod features;
mod front_doors;
mod http3;
mod random;
mod reference;
mod refused;
