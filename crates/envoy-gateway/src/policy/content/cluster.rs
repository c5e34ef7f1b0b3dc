//! Checks how Envoy is to treat the backends: timeouts, load balancing, retries. BackendTrafficPolicies contain these
//! settings, and so do the `backendSettings` of external services.

use super::units::{check_durations, check_http2_windows, check_quantity};
use crate::fault::{Fault, Faults};
use crate::read::{int, text};
use k8s_syntax::time;
use manifest::value::Node;

const DURATIONS: &[&[&str]] = &[
    &["timeout", "tcp", "connectTimeout"],
    &["timeout", "http", "connectionIdleTimeout"],
    &["timeout", "http", "maxConnectionDuration"],
    &["timeout", "http", "requestTimeout"],
    &["timeout", "http", "maxStreamDuration"],
    &["timeout", "http", "streamIdleTimeout"],
    &["tcpKeepalive", "idleTime"],
    &["tcpKeepalive", "interval"],
    &["http2", "connectionKeepalive", "interval"],
    &["http2", "connectionKeepalive", "timeout"],
    &["http2", "connectionKeepalive", "idleInterval"],
    &["loadBalancer", "slowStart", "window"],
    &["loadBalancer", "backendUtilization", "blackoutPeriod"],
    &[
        "loadBalancer",
        "backendUtilization",
        "weightExpirationPeriod",
    ],
    &["loadBalancer", "backendUtilization", "weightUpdatePeriod"],
    &["retry", "perRetry", "timeout"],
];

const BREAKERS: &[&str] = &[
    "maxConnections",
    "maxParallelRequests",
    "maxPendingRequests",
    "maxParallelRetries",
    "maxRequestsPerConnection",
];

/// The largest hash table that Envoy accepts (Maglev).
const LARGEST_TABLE: i64 = 5_000_011;

/// Reports settings of clusters that the controller refuses.
pub(crate) fn check(settings: &Node, faults: &mut Faults) {
    check_durations(settings, DURATIONS, faults);
    let most = i128::from(u32::MAX);
    check_quantity(settings, &["connection", "bufferLimit"], 0, most, faults);
    check_http2_windows(settings, faults);
    for key in BREAKERS {
        if let Some(value) = int(settings, &["circuitBreaker", key])
            && !(0..=i64::from(u32::MAX)).contains(&value)
        {
            faults.push(Fault::invalid(format!(
                "`circuitBreaker.{key}` can't be {value}"
            )));
        }
    }
    if let Some(size) = int(settings, &["loadBalancer", "consistentHash", "tableSize"])
        && (size > LARGEST_TABLE || !is_prime(size))
    {
        faults.push(Fault::invalid(format!(
            "`loadBalancer.consistentHash.tableSize` is {size}; it must be a prime number up to {LARGEST_TABLE}"
        )));
    }
    check_back_off(settings, faults);
}

/// Reports intervals between retries that are zero, or in the wrong order.
fn check_back_off(settings: &Node, faults: &mut Faults) {
    let interval = |key: &str| {
        let path = ["retry", "perRetry", "backOff", key];
        text(settings, &path).and_then(time::duration)
    };
    let (base, most) = (interval("baseInterval"), interval("maxInterval"));
    for (key, value) in [("baseInterval", base), ("maxInterval", most)] {
        if value == Some(0) {
            faults.push(Fault::invalid(format!(
                "`retry.perRetry.backOff.{key}` can't be zero"
            )));
        }
    }
    if let (Some(base), Some(most)) = (base, most)
        && base > most
    {
        faults.push(Fault::invalid(
            "`retry.perRetry.backOff`: `maxInterval` is shorter than `baseInterval`",
        ));
    }
}

fn is_prime(number: i64) -> bool {
    number > 1
        && (2..)
            .take_while(|it| it * it <= number)
            .all(|it| number % it != 0)
}
