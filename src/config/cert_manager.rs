//! `[cert_manager]`

use super::types::{Named, Text, Texts};

table! {
    /// Certificates made by cert-manager.
    pub struct CertManager {
        /// The issuer of certificates that name none.
        pub issuer: Option<Text>,
        /// `ClusterIssuer` or `Issuer`. Default: `ClusterIssuer`.
        pub issuer_kind: Option<Text>,
        /// The certificates, by name.
        pub certificates: Named<Certificate>,
    }
}

object_table! {
    /// A Certificate.
    pub struct Certificate {
        /// The Secret. Default: the name and `-tls`.
        pub secret: Option<Text>,
        /// The names on it. Default: the domain and `*.` under it.
        pub dns_names: Texts,
        /// The issuer.
        pub issuer: Option<Text>,
        /// `ClusterIssuer` or `Issuer`.
        pub issuer_kind: Option<Text>,
        /// How long it is valid.
        pub duration: Option<Text>,
    }
}
