//! Builds of small repositories.
