//! What is compared.

mod configurations;
mod features;
mod random;
mod reference;
mod refused;
