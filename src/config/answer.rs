//! `[redirects.NAME]`, `[responses.NAME]`

use super::types::{Count, Text, Texts};
use manifest::diagnostic::Spanned;

object_table! {
    /// An HTTPRoute that redirects some requests to another URL.
    pub struct RedirectTo {
        /// The hostnames of the requests.
        pub hostnames: Texts,
        /// The gateways. It has a default only if there is a single gateway.
        pub gateways: Texts,
        /// The listener of these gateways, or `*` for all listeners. Default: their listeners for HTTPS.
        pub listener: Option<Text>,
        /// The beginning of the paths that are redirected. Default: all paths.
        pub path: Option<Text>,
        /// The URL to redirect to (`https://www.example.com/new`), or only a path on the same host (`/new`).
        pub to: Option<Text>,
        /// Whether the rest of the path is appended to the one in `to`. Default: `true` if `to` has no path.
        pub keep_path: Option<Spanned<bool>>,
        /// The HTTP status: 301, 302, 303, 307 or 308. Default: 301.
        pub status: Option<Spanned<Count>>,
    }
}

object_table! {
    /// An HTTPRoute whose requests the gateway answers itself, and the HTTPRouteFilter with the response.
    pub struct Response {
        /// The hostnames of the requests.
        pub hostnames: Texts,
        /// The gateways. It has a default only if there is a single gateway.
        pub gateways: Texts,
        /// The listener of these gateways, or `*` for all listeners. Default: their listeners for HTTPS.
        pub listener: Option<Text>,
        /// The beginning of the paths that are answered. Default: all paths.
        pub path: Option<Text>,
        /// The HTTP status. Default: 200.
        pub status: Option<Spanned<Count>>,
        /// The body of the response.
        pub body: Option<Text>,
        /// The ConfigMap with the body, under the key `response.body`.
        pub config_map: Option<Text>,
        /// The type of the body: `application/json`.
        pub content_type: Option<Text>,
    }
}
