//! What is compared.

mod reference;
mod refused;
