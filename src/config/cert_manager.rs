//! `[cert_manager]`

use super::types::{Count, Named, Pairs, Text, Texts};
use manifest::diagnostic::Spanned;

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
        /// How long before its end the certificate is renewed (`360h`).
        pub renew_before: Option<Text>,
        /// The common name. Browsers ignore it, and it may have 64 characters at most. Default: none.
        pub common_name: Option<Text>,
        /// What the certificate may be used for (`digital signature`, `key encipherment`, `server auth`).
        pub usages: Texts,
        /// The private key.
        pub key: PrivateKey,
        /// Labels for the Secret.
        pub secret_labels: Pairs,
        /// Annotations for the Secret.
        pub secret_annotations: Pairs,
        /// How many CertificateRequests are kept.
        pub revision_history_limit: Option<Spanned<Count>>,
    }
}

table! {
    /// The private key of a Certificate.
    pub struct PrivateKey {
        /// `RSA`, `ECDSA` or `Ed25519`.
        pub algorithm: Option<Text>,
        /// The size in bits: 2048 to 8192 for RSA; 256, 384 or 521 for ECDSA.
        pub size: Option<Spanned<Count>>,
        /// `Always` makes a new key with each renewal, `Never` keeps the key.
        pub rotation: Option<Text>,
        /// `PKCS1` or `PKCS8`.
        pub encoding: Option<Text>,
    }
}
