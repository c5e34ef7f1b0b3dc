//! `[auth.NAME]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::{Count, Pairs, Text, Texts};
use manifest::diagnostic::Spanned;

object_table! {
    /// Who may pass a gateway: a SecurityPolicy. Everything that isn't allowed is refused, also while a service
    /// that decides can't be reached.
    pub struct Auth {
        /// The gateways that are guarded. Default: all, unless `routes` are given.
        pub gateways: Texts,
        /// The listener of these gateways that is guarded. Default: all listeners.
        pub listener: Option<Text>,
        /// HTTPRoutes that are guarded instead of gateways. They must be in the namespace of the gateways, because a
        /// policy can't guard routes of other namespaces.
        pub routes: Texts,
        /// Login at an identity provider (OpenID Connect).
        pub oidc: Option<Oidc>,
        /// A service that decides on each request, such as Authelia, Authentik or oauth2-proxy.
        pub ext_auth: Option<ExtAuth>,
        /// Names and passwords.
        pub basic: Option<Basic>,
        /// Tokens of an issuer (JSON Web Tokens).
        pub jwt: Option<Jwt>,
        /// Keys that clients send.
        pub api_key: Option<ApiKey>,
        /// The networks, as CIDRs, whose clients are allowed. All others are refused.
        pub allow: Texts,
        /// The networks, as CIDRs, whose clients are refused, even if `allow` has them.
        pub deny: Texts,
    }
}

table! {
    /// Login at an identity provider.
    pub struct Oidc {
        /// The URL of the provider, below which `/.well-known/openid-configuration` is found.
        pub issuer: Option<Text>,
        /// The client's identifier at the provider.
        pub client_id: Option<Text>,
        /// The Secret with the client's secret, under the key `client-secret`.
        pub client_secret: Option<Text>,
        /// The scopes to ask for, besides `openid`.
        pub scopes: Texts,
        /// The URL to which the provider sends browsers back, which must be registered there. Default:
        /// `/oauth2/callback` of the host that was asked for.
        pub redirect_url: Option<Text>,
        /// The path that ends the session. Default: `/logout`.
        pub logout_path: Option<Text>,
        /// The domain of the cookies, so that one login is valid for all hosts below it.
        pub cookie_domain: Option<Text>,
        /// The name of the cookie with the access token.
        pub access_token_cookie: Option<Text>,
        /// The name of the cookie with the identity token.
        pub id_token_cookie: Option<Text>,
        /// Whether the access token is sent to the backend.
        pub forward_access_token: Option<Spanned<bool>>,
        /// Whether sessions are extended with refresh tokens.
        pub refresh_token: Option<Spanned<bool>>,
        /// The provider's authorization endpoint, if it is not discovered.
        pub authorization_endpoint: Option<Text>,
        /// The provider's token endpoint, if it is not discovered.
        pub token_endpoint: Option<Text>,
    }
}

/// How the gateway speaks to a service that decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExtAuthProtocol {
    /// HTTP: the status of its response decides.
    #[default]
    Http,
    /// Envoy's own protocol, over gRPC.
    Grpc,
}

table! {
    /// A service that decides on each request.
    pub struct ExtAuth {
        /// The name of the Service.
        pub service: Option<Text>,
        /// The namespace of the Service. If it is another one than that of the gateways, a ReferenceGrant there
        /// allows the policy to use it.
        pub namespace: Option<Text>,
        /// `false` writes no ReferenceGrant, because it is defined elsewhere.
        pub grant: Option<Spanned<bool>>,
        /// The port of the Service.
        pub port: Option<Spanned<Count>>,
        /// `http` or `grpc`. Default: `http`.
        pub protocol: Option<Spanned<ExtAuthProtocol>>,
        /// The path in front of the one that is asked for. Only with `http`.
        pub path: Option<Text>,
        /// The request headers that the service gets, besides those it always gets.
        pub headers: Texts,
        /// The headers of its response that the backend gets. Only with `http`.
        pub headers_to_backend: Texts,
        /// `true` lets every request pass while the service can't be reached. Default: `false`.
        pub fail_open: Option<Spanned<bool>>,
        /// How long the gateway waits for a decision.
        pub timeout: Option<Text>,
        /// The number of bytes of the request's body that the service gets. Default: none.
        pub body_bytes: Option<Spanned<Count>>,
    }
}

table! {
    /// Names and passwords.
    pub struct Basic {
        /// The Secret with them, under the key `.htpasswd` (with SHA hashes).
        pub users: Option<Text>,
        /// The header in which the backend gets the name.
        pub username_header: Option<Text>,
    }
}

table! {
    /// Tokens of an issuer.
    pub struct Jwt {
        /// The name of the provider in the policy. Default: the name of the policy.
        pub name: Option<Text>,
        /// The issuer that the token must name.
        pub issuer: Option<Text>,
        /// The audiences of which the token must name one.
        pub audiences: Texts,
        /// The URL of the issuer's keys (JWKS).
        pub jwks: Option<Text>,
        /// Claims that the backend gets as headers: the name of the header, and that of the claim.
        pub claims_to_headers: Pairs,
        /// `true` lets requests without a token pass. Default: `false`.
        pub optional: Option<Spanned<bool>>,
    }
}

table! {
    /// Keys that clients send.
    pub struct ApiKey {
        /// The Secrets with the keys, one for each client.
        pub secrets: Texts,
        /// The headers in which a key is looked for.
        pub headers: Texts,
        /// The parameters of the URL in which a key is looked for.
        pub params: Texts,
        /// The cookies in which a key is looked for.
        pub cookies: Texts,
    }
}
