//! What is compared.

mod configurations;
mod random;
mod reference;
mod refused;
