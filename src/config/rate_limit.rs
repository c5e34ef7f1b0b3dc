//! `[backend_traffic.rate_limit]`, `[[backend_traffic.error_pages]]`, `[chart.rate_limit]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::{Count, Pairs, Text, Texts};
use manifest::diagnostic::Spanned;

/// The time for which requests are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all(deserialize = "lowercase"))]
#[schemars(rename_all = "lowercase")]
pub enum Unit {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A week.
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
}

table! {
    /// How many requests are accepted; those above a limit are answered with status 429.
    pub struct RateLimit {
        /// Limits that each proxy counts by itself: with three proxies, three times as many requests pass.
        pub local: Vec<RateLimitRule>,
        /// Limits that all proxies count together, in the Redis of `chart.rate_limit`.
        pub global: Vec<RateLimitRule>,
        /// `Local` or `Global`, for `spec.rateLimit.type`. Default: what the rules are, before Envoy Gateway 1.6; later
        /// versions deprecate it.
        pub r#type: Option<Text>,
    }
}

table! {
    /// A limit. It counts the requests that fit all of its keys; without such keys, all requests.
    pub struct RateLimitRule {
        /// How many requests are accepted.
        pub requests: Option<Spanned<Count>>,
        /// The time for which they are counted: `second`, `minute`, `hour`, `day`, `week`, `month` or `year`.
        pub per: Option<Spanned<Unit>>,
        /// Requests from this network, as a CIDR; all its clients together.
        pub network: Option<Text>,
        /// Requests from this network, as a CIDR; each client by itself (`0.0.0.0/0` for each IPv4 address).
        pub each_client_of: Option<Text>,
        /// Requests with these headers.
        pub headers: Pairs,
        /// Requests with this header; each value of it by itself.
        pub each_value_of: Option<Text>,
        /// Requests whose path begins with this one (Envoy Gateway 1.6.0 and later).
        pub path: Option<Text>,
        /// Requests with one of these methods (Envoy Gateway 1.6.0 and later).
        pub methods: Texts,
    }
}

table! {
    /// A response in place of that of the backend or of the gateway, for some statuses.
    pub struct ErrorPage {
        /// The statuses that are replaced.
        pub statuses: Vec<Spanned<Count>>,
        /// The first and the last status of a range that is replaced: `[500, 599]`.
        pub range: Vec<Spanned<Count>>,
        /// The status of the new response. Default: the same status.
        pub status: Option<Spanned<Count>>,
        /// The body of the new response.
        pub body: Option<Text>,
        /// The ConfigMap with the body, under the key `response.body`.
        pub config_map: Option<Text>,
        /// The type of the body: `text/html`. Default: `text/plain`.
        pub content_type: Option<Text>,
    }
}

table! {
    /// The service that counts global rate limits.
    pub struct RateLimitService {
        /// The address of the Redis that it counts in, with its port:
        /// `redis.databases.svc.cluster.local:6379`.
        pub redis: Option<Text>,
        /// `true` refuses requests while the service can't be reached. Default: `false`, they pass.
        pub fail_closed: Option<Spanned<bool>>,
    }
}
