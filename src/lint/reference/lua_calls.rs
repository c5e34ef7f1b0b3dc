//! Calls in Lua scripts that Envoy, or Envoy Gateway's check of scripts, doesn't know.
//!
//! Envoy Gateway runs each entry function once with stand-ins for Envoy's objects before it sends the script to Envoy
//! (`internal/gatewayapi/luavalidator`, 1.9.0). A call of something that the stand-ins lack ends with an error, and the
//! policy is refused.

use std::ops::Range;

use luajit_syntax::calls::{GlobalUse, MethodCall, calls};
use manifest::diagnostic::Severity;
use manifest::diagnostic::suggest::{MOST_COMPARED, nearest};

use super::lua_script::ENTRIES;
use super::scripts::REFUSED;

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

/// The names that Lua defines, here or in Envoy. What the check of scripts removes is in [`REMOVED`].
const BUILT_IN: &[&str] = &[
    "_G",
    "_VERSION",
    "arg",
    "assert",
    "bit",
    "collectgarbage",
    "coroutine",
    "debug",
    "dofile",
    "error",
    "ffi",
    "gcinfo",
    "getfenv",
    "getmetatable",
    "io",
    "ipairs",
    "jit",
    "load",
    "loadfile",
    "loadstring",
    "math",
    "module",
    "newproxy",
    "next",
    "os",
    "package",
    "pairs",
    "pcall",
    "print",
    "rawequal",
    "rawget",
    "rawlen",
    "rawset",
    "require",
    "select",
    "self",
    "setfenv",
    "setmetatable",
    "string",
    "table",
    "tonumber",
    "tostring",
    "type",
    "unpack",
    "utf8",
    "xpcall",
    "StreamHandle",
];

/// The functions of the libraries that scripts use most.
const MEMBERS: &[(&str, &[&str])] = &[
    (
        "string",
        &[
            "buffer", "byte", "char", "dump", "find", "format", "gfind", "gmatch", "gsub", "len",
            "lower", "match", "rep", "reverse", "sub", "upper",
        ],
    ),
    (
        "table",
        &[
            "clear", "concat", "foreach", "foreachi", "getn", "insert", "maxn", "move", "new",
            "pack", "remove", "setn", "sort", "unpack",
        ],
    ),
];

/// The names by which a script can define others in ways that can't be followed.
const DEFINING: &[&str] = &["_G", "setfenv", "getfenv", "module", "require"];

/// A call that can't work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WrongCall {
    /// Its bytes in the script.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Whether Envoy Gateway refuses the policy because of it. Otherwise the script only fails when it gets there.
    pub is_refused: bool,
}

impl WrongCall {
    /// What happens because of it.
    pub(crate) fn why(&self) -> &'static str {
        match self.is_refused {
            true => REFUSED,
            false => {
                "when the script gets there, it fails: Envoy writes that into its log, and handles the request without the rest of the script"
            }
        }
    }

    /// How bad it is.
    pub(crate) fn severity(&self) -> Severity {
        match self.is_refused {
            true => Severity::Error,
            false => Severity::Warning,
        }
    }
}

/// The first call in a script that can't work. `is_run` says whether Envoy Gateway runs the script to check it.
pub(crate) fn wrong_call(script: &str, is_run: bool) -> Option<WrongCall> {
    let all = calls(script, &ENTRIES);
    let mut found: Vec<WrongCall> = all.methods.iter().filter_map(unknown_method).collect();
    found.extend(all.globals.iter().filter(|_| is_run).filter_map(removed));
    found.extend(all.globals.iter().filter_map(|it| no_member(it, is_run)));
    found.extend(all.dotted.iter().filter_map(dotted));
    let is_open = |name: &&str| DEFINING.contains(name);
    let mut used = all.undefined.iter().map(|it| it.name);
    if !used.any(|name| is_open(&name)) && !all.defined.iter().any(is_open) {
        let undefined = all.undefined.iter();
        found.extend(undefined.filter_map(|it| not_defined(it, &all.defined, is_run)));
    }
    found.into_iter().min_by_key(|it| it.range.start)
}

/// A name that nothing defines.
fn not_defined(used: &GlobalUse<'_>, defined: &[&str], is_run: bool) -> Option<WrongCall> {
    if BUILT_IN.contains(&used.name) {
        return None;
    }
    let known = defined.iter().chain(BUILT_IN).copied();
    let help = match nearest(used.name, known.take(MOST_COMPARED)) {
        Some(near) => format!("write `{near}`"),
        None => {
            "define it in the script; scripts can't use functions of others, nor modules".to_owned()
        }
    };
    Some(WrongCall {
        range: used.range.clone(),
        message: format!("nothing defines `{}`", used.name),
        help,
        is_refused: is_run && used.is_unconditional,
    })
}

/// A function that a library of Lua doesn't have.
fn no_member(used: &GlobalUse<'_>, is_run: bool) -> Option<WrongCall> {
    let (library, member) = used.name.split_once('.')?;
    let (_, known) = MEMBERS.iter().find(|(name, _)| *name == library)?;
    if known.contains(&member) {
        return None;
    }
    let help = match nearest(member, known.iter().copied()) {
        Some(near) => format!("write `{library}.{near}`"),
        None => format!("use one of {}", known.join(", ")),
    };
    Some(WrongCall {
        range: used.range.clone(),
        message: format!("Lua has no function `{}`", used.name),
        help,
        is_refused: is_run && used.is_unconditional,
    })
}

/// A method that is called like a function.
fn dotted(used: &GlobalUse<'_>) -> Option<WrongCall> {
    let (handle, method) = used.name.split_once('.')?;
    Some(WrongCall {
        range: used.range.clone(),
        message: format!(
            "`{}()` is a method, which is called with a colon",
            used.name
        ),
        help: format!("write `{handle}:{method}()`"),
        is_refused: false,
    })
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
            is_refused: true,
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
        is_refused: true,
    })
}

fn removed(used: &GlobalUse<'_>) -> Option<WrongCall> {
    let library = used.name.split('.').next().unwrap_or_default();
    let is_removed = REMOVED.contains(&used.name) || LIBRARIES.contains(&library);
    (is_removed && used.is_unconditional).then(|| WrongCall {
        range: used.range.clone(),
        message: format!("`{}` doesn't exist where Envoy Gateway checks the script", used.name),
        help: "do without it; or set `luaValidation: InsecureSyntax` in the EnvoyProxy if you trust all authors of policies".to_owned(),
        is_refused: true,
    })
}

#[cfg(test)]
mod tests;
