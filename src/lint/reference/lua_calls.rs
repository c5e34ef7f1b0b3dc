//! Calls in Lua scripts that Envoy, or Envoy Gateway's check of scripts, doesn't know.
//!
//! Envoy Gateway runs each entry function once with stand-ins for Envoy's objects before it sends the script to Envoy
//! (`internal/gatewayapi/luavalidator`, 1.9.0). A call of something that the stand-ins lack ends with an error, and the
//! policy is refused.

use std::ops::Range;

use luajit_syntax::calls::{Calls, GlobalUse, MethodCall, calls};
use manifest::diagnostic::suggest::{MOST_COMPARED, nearest};

use super::lua_script::ENTRIES;

/// The kinds of objects that scripts get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Handle,
    Headers,
    Buffer,
    StreamInfo,
    Connection,
    ConnectionStreamInfo,
    Ssl,
    Metadata,
    DynamicMetadata,
}

/// What all objects but metadata have.
const LOGS: &[&str] = &[
    "logTrace",
    "logDebug",
    "logInfo",
    "logWarn",
    "logErr",
    "logCritical",
];

/// The methods that return an object, and its type.
const RETURNING: &[(Type, &str, Type)] = &[
    (Type::Handle, "headers", Type::Headers),
    (Type::Handle, "trailers", Type::Headers),
    (Type::Handle, "body", Type::Buffer),
    (Type::Handle, "metadata", Type::Metadata),
    (Type::Handle, "filterContext", Type::Metadata),
    (Type::Handle, "streamInfo", Type::StreamInfo),
    (Type::Handle, "connection", Type::Connection),
    (
        Type::Handle,
        "connectionStreamInfo",
        Type::ConnectionStreamInfo,
    ),
    (Type::StreamInfo, "dynamicMetadata", Type::DynamicMetadata),
    (Type::StreamInfo, "downstreamSslConnection", Type::Ssl),
    (
        Type::ConnectionStreamInfo,
        "dynamicMetadata",
        Type::DynamicMetadata,
    ),
    (Type::Connection, "ssl", Type::Ssl),
];

/// The other methods that the stand-ins have.
const METHODS: &[(Type, &[&str])] = &[
    (
        Type::Handle,
        &[
            "bodyChunks",
            "httpCall",
            "respond",
            "setUpstreamOverrideHost",
            "importPublicKey",
            "verifySignature",
            "base64Escape",
            "timestamp",
            "timestampString",
        ],
    ),
    (
        Type::Headers,
        &[
            "add",
            "get",
            "getAtIndex",
            "getNumValues",
            "remove",
            "replace",
            "setHttp1ReasonPhrase",
            "getHttp1ReasonPhrase",
        ],
    ),
    (Type::Buffer, &["length", "getBytes", "setBytes"]),
    (
        Type::StreamInfo,
        &[
            "protocol",
            "routeName",
            "virtualClusterName",
            "downstreamDirectLocalAddress",
            "downstreamLocalAddress",
            "downstreamDirectRemoteAddress",
            "downstreamRemoteAddress",
            "requestedServerName",
        ],
    ),
    (Type::Connection, &[]),
    (Type::ConnectionStreamInfo, &[]),
    (Type::Metadata, &["get"]),
    (Type::DynamicMetadata, &["get", "set"]),
];

/// Methods that Envoy has, but not the stand-ins. Whether the policy is refused depends on whether they are reached.
const UNCHECKED: &[&str] = &[
    "clearRouteCache",
    "virtualHost",
    "route",
    "filterState",
    "dynamicTypedMetadata",
    "responseCode",
    "upstreamHost",
    "startTime",
];

/// Global functions and libraries that the check removes or doesn't have.
const REMOVED: &[&str] = &[
    "require",
    "loadfile",
    "dofile",
    "load",
    "loadstring",
    "rawget",
    "rawset",
    "getmetatable",
    "setmetatable",
    "os.execute",
    "os.exit",
    "io.popen",
];

/// Libraries of LuaJIT that the check doesn't have.
const LIBRARIES: &[&str] = &["package", "debug", "bit", "ffi", "jit"];

/// A call that can't work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WrongCall {
    /// Its bytes in the script.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// The first call in a script that can't work. `is_run` says whether Envoy Gateway runs the script to check it.
pub(crate) fn wrong_call(script: &str, is_run: bool) -> Option<WrongCall> {
    let Calls { methods, globals } = calls(script, &ENTRIES);
    let methods = methods.iter().filter_map(unknown_method);
    let globals = globals.iter().filter(|_| is_run).filter_map(removed);
    methods.chain(globals).min_by_key(|it| it.range.start)
}

fn unknown_method(call: &MethodCall<'_>) -> Option<WrongCall> {
    let mut of = Type::Handle;
    for method in &call.through {
        let mut returning = RETURNING.iter();
        of = returning
            .find(|(it, name, _)| *it == of && name == method)?
            .2;
    }
    let own = METHODS.iter().find(|(it, _)| *it == of)?.1;
    let returning = RETURNING.iter().filter(|(it, ..)| *it == of);
    let known = || {
        let returning = returning.clone().map(|(_, name, _)| *name);
        own.iter().chain(LOGS).copied().chain(returning)
    };
    let shown: String = call
        .through
        .iter()
        .map(|name| format!("{name}():"))
        .collect();
    let shown = format!("handle:{shown}{}", call.method);
    if known().any(|it| it == call.method) {
        let is_late = call.entry == "envoy_on_response" && shown == "handle:respond";
        return is_late.then(|| WrongCall {
            range: call.range.clone(),
            message: "`respond()` can't be called in `envoy_on_response`".to_owned(),
            help: "change the response with `handle:headers()` and `handle:body()`, or respond in `envoy_on_request`".to_owned(),
        });
    }
    if UNCHECKED.contains(&call.method) {
        return None;
    }
    let help = match nearest(call.method, known().take(MOST_COMPARED)) {
        Some(near) => format!("write `{near}`"),
        None => {
            let mut all: Vec<&str> = known().filter(|it| !LOGS.contains(it)).collect();
            all.sort_unstable();
            format!("use one of {}, or a `log…` method", all.join(", "))
        }
    };
    Some(WrongCall {
        range: call.range.clone(),
        message: format!("there is no method `{shown}()`"),
        help,
    })
}

fn removed(used: &GlobalUse<'_>) -> Option<WrongCall> {
    let library = used.name.split('.').next().unwrap_or_default();
    let is_removed = REMOVED.contains(&used.name) || LIBRARIES.contains(&library);
    (is_removed && used.is_unconditional).then(|| WrongCall {
        range: used.range.clone(),
        message: format!("`{}` doesn't exist where Envoy Gateway checks the script", used.name),
        help: "do without it; or set `luaValidation: InsecureSyntax` in the EnvoyProxy if you trust all authors of policies".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(body: &str) -> Option<(String, String)> {
        let script = format!("function envoy_on_request(handle)\n  {body}\nend\n");
        wrong_call(&script, true).map(|it| (it.message, it.help))
    }

    #[test]
    fn calls_that_cannot_work_are_told() {
        let told = |message: &str, help: &str| Some((message.to_owned(), help.to_owned()));
        assert_eq!(
            wrong("handle:header():add('a', 'b')"),
            told("there is no method `handle:header()`", "write `headers`")
        );
        assert_eq!(
            wrong("local h = handle:headers() h:set('a', 'b')"),
            told("there is no method `handle:headers():set()`", "write `get`")
        );
        for right in [
            "handle:headers():add('a', 'b')",
            "handle:logInfo(handle:headers():get('a'):lower())",
            "handle:streamInfo():dynamicMetadata():set('a', 'b', 'c')",
            "if x then handle:clearRouteCache() end",
            "if x then require('a') end",
            "string.format('%s', tostring(1))",
        ] {
            assert_eq!(wrong(right), None, "{right}");
        }
        let found = wrong("bit.band(1, 2)");
        assert!(found.is_some_and(|(message, _)| message.starts_with("`bit.band` doesn't exist")));
    }

    #[test]
    fn a_response_can_only_be_replaced_before_it_comes() {
        let script = "function envoy_on_response(h) h:respond({[':status'] = '403'}, '') end";
        let found = wrong_call(script, true);
        assert!(found.is_some_and(|it| it.message.contains("`envoy_on_response`")));
    }
}
