//! What is compared.

mod configurations;
mod conformance;
mod features;
mod front_doors;
mod random;
mod reference;
mod refused;
