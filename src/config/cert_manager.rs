//! `[cert_manager]`

use super::types::{Named, Text, Texts};

table! {
    /// Certificates made by cert-manager.
    pub struct CertManager {
        /// The issuer for certificates that don't name one.
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
        /// The name of the Secret. Default: the certificate's name with `-tls` appended.
        pub secret: Option<Text>,
        /// The DNS names on the certificate. Default: the domain and the wildcard below it (`*.example.com`).
        pub dns_names: Texts,
        /// The name of the issuer. Default: `cert_manager.issuer`.
        pub issuer: Option<Text>,
        /// `ClusterIssuer` or `Issuer`. Default: `cert_manager.issuer_kind`.
        pub issuer_kind: Option<Text>,
        /// How long the certificate is valid (`2160h`).
        pub duration: Option<Text>,
    }
}
