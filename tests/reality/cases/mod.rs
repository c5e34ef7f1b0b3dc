//! What is compared.

mod reference;
