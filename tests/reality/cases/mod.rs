//! What is compared.

mod configurations;
mod reference;
mod refused;
