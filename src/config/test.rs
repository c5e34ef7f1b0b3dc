//! `[[test]]`, `[networks]`, and the files in `tests`

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};

use super::types::{Named, Text, Texts};
use manifest::diagnostic::Spanned;
use manifest::value::{Kind, Node};

table! {
    /// A test of requests, which `gatewayctl test` runs without a cluster.
    pub struct Test {
        /// What the test is about, in a few words. Default: the URL.
        pub name: Option<Text>,
        /// The request. Where a key has several values, there is a request for each combination of them.
        pub request: TestRequest,
        /// What must happen to each of the requests.
        pub expect: Expectation,
        /// `true` lets the test pass if the files at hand don't determine what happens. Default: `false`, and the test
        /// fails and says what is missing.
        pub allow_unknown: Option<Spanned<bool>>,
        /// The clusters that the test is for, if the repository has several. Default: all.
        pub cluster: Texts,
    }
}

table! {
    /// The request of a test.
    pub struct TestRequest {
        /// The URL: `https://blog.example.com/`, `ssh://git.example.com`, `tcp://HOST:PORT`. It can be left out if `host`
        /// is given.
        pub url: Option<Text>,
        /// The host, or several, in place of that of `url`.
        pub host: Texts,
        /// The path, or several, in place of that of `url`. A query may follow it.
        pub path: Texts,
        /// The HTTP method, or several. Default: `GET`.
        pub method: Texts,
        /// Headers by name, each with a value or several.
        pub headers: Named<Texts>,
        /// Where the request comes from: `internet`, `lan`, the name of a network in `[networks]`, a network or an
        /// address. Default: not known.
        pub from: Texts,
        /// Only this gateway: its name, or `NAMESPACE/NAME`. Default: all that the name leads to, and the test must pass
        /// at each of them.
        pub gateway: Option<Text>,
        /// The certificate that the client shows. Default: not known.
        pub client_certificate: Option<Spanned<Certificate>>,
        /// Whether the client passes authentication: it has the password, the token or the session. Default: `false`.
        pub signed_in: Option<Spanned<bool>>,
        /// Whether the client accepts any certificate of the gateway. Default: `false`.
        pub insecure: Option<Spanned<bool>>,
    }
}

/// The certificate that a client shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Certificate {
    /// None at all.
    None,
    /// One that the gateway's authorities signed.
    Trusted,
    /// One that they didn't sign.
    Untrusted,
}

table! {
    /// What must happen to a request. Only what is given is checked.
    pub struct Expectation {
        /// The route: `NAMESPACE/NAME`, or its name alone. The kind may stand in front: `TLSRoute git/git`.
        pub route: Option<Text>,
        /// The backend, or all of several: `NAME:PORT`, `NAMESPACE/NAME:PORT` or without the port. The kind stands in
        /// front if it is no Service. Where the route is guarded, this is the backend for clients who pass the guards.
        pub backend: Texts,
        /// All guards in front of the backend, by the names that `exposure` uses (`basic auth`, `oidc`, `authorization`,
        /// …); `[]` if there are none.
        pub guards: Texts,
        /// The client's address as policies and backends see it: an address, or `as sent` for the one in `from`.
        pub client_ip: Option<Text>,
        /// The status of the response that the gateway gives itself: of a redirect, a refusal, a direct response.
        pub status: Option<Spanned<i64>>,
        /// The URL that the gateway redirects to; `true` for any, `false` for none.
        pub redirect: Option<Spanned<FlagOrText>>,
        /// Whether the gateway refuses the client; or the guard that refuses it, such as `authorization`.
        pub refused: Option<Spanned<FlagOrText>>,
        /// The lowest TLS version that the gateway accepts (`1.2`), or `passthrough`; `true` for any TLS, `false` for none.
        pub tls: Option<Spanned<FlagOrText>>,
        /// Whether the request gets to a route. It doesn't if no gateway can be reached from where it comes from, if the
        /// connection is closed, or if no route takes it.
        pub reachable: Option<Spanned<bool>>,
        /// The gateway: its name, or `NAMESPACE/NAME`.
        pub gateway: Option<Text>,
        /// The name of the listener.
        pub listener: Option<Text>,
        /// The path as the backend gets it.
        pub path: Option<Text>,
    }
}

table! {
    /// A file with tests: `tests/*.toml` beside `cluster.toml`.
    pub struct TestFile {
        /// Tests of requests.
        pub test: Vec<Test>,
        /// Networks that `from` may name, each with one CIDR or several.
        pub networks: Named<Texts>,
    }
}

/// `true`, `false` or a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlagOrText {
    /// `true` or `false`.
    Flag(bool),
    /// A string.
    Text(String),
}

impl<'de> Deserialize<'de> for FlagOrText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Node::deserialize(deserializer)?.kind {
            Kind::Bool(flag) => Ok(FlagOrText::Flag(flag)),
            Kind::String(text) => Ok(FlagOrText::Text(text)),
            _ => Err(de::Error::custom("expected true, false or a string")),
        }
    }
}

impl Serialize for FlagOrText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            FlagOrText::Flag(flag) => serializer.serialize_bool(*flag),
            FlagOrText::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl JsonSchema for FlagOrText {
    fn schema_name() -> Cow<'static, str> {
        "FlagOrText".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [{"type": "boolean"}, {"type": "string"}]})
    }
}
