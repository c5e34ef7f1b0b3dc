use super::*;

const ENTRIES: [&str; 2] = ["envoy_on_request", "envoy_on_response"];

fn methods(script: &str) -> Vec<String> {
    let calls = calls(script, &ENTRIES);
    let shown = calls.methods.iter().map(|it| {
        let through: String = it.through.iter().map(|name| format!("{name}:")).collect();
        format!("{through}{}", it.method)
    });
    shown.collect()
}

#[test]
fn methods_are_followed_from_the_parameter_of_an_entry_function() {
    let script = "function envoy_on_request(handle)
  local headers = handle:headers()
  headers:get('a')
  handle:logInfo(handle:headers():get('b'))
  handle:streamInfo():dynamicMetadata():set('a', 'b', 1)
  other:call()
end
envoy_on_response = function(handle) handle:body():length() end";
    assert_eq!(
        methods(script),
        [
            "headers",
            "headers:get",
            "logInfo",
            "headers",
            "headers:get",
            "streamInfo",
            "streamInfo:dynamicMetadata",
            "streamInfo:dynamicMetadata:set",
            "body",
            "body:length"
        ]
    );
}

#[test]
fn a_name_with_two_meanings_is_not_followed() {
    for script in [
        "local function helper(handle) handle:anything() end\nfunction envoy_on_request(handle) end",
        "function envoy_on_request(handle) handle = wrap(handle); handle:anything() end",
        "function envoy_on_request(h) local x = h:headers() or {}; x:anything() end",
        "function envoy_on_request(h) for h in all() do h:anything() end end",
    ] {
        assert!(
            !methods(script).contains(&"anything".to_owned()),
            "{script}"
        );
    }
    let calls =
        methods("function envoy_on_request(h) local x = h:headers():get('a') x:lower() end");
    assert_eq!(calls, ["headers", "headers:get", "headers:get:lower"]);
}

#[test]
fn global_functions_are_listed_with_whether_they_always_run() {
    let script = "local json = require('json')
function envoy_on_request(h) os.exit() if x then load('y') end string.rep('a', 2) end
local function helper() debug.traceback() end";
    let calls = calls(script, &ENTRIES);
    let shown: Vec<(&str, bool)> = calls
        .globals
        .iter()
        .map(|it| (it.name, it.is_unconditional))
        .collect();
    assert_eq!(
        shown,
        [
            ("require", true),
            ("os.exit", true),
            ("load", false),
            ("string.rep", true),
            ("debug.traceback", false)
        ]
    );
}

#[test]
fn names_that_nothing_defines_are_listed() {
    let script = "local function helper(value) return value end
function envoy_on_request(request_handle)
  request_hnadle:headers()
  request_handle.headers()
  request_handle.body(request_handle)
  if optional then optional.call() end
  string.lower(helper('a')) table.insert(list, 1)
  other = {} other.field = absent[1]
end";
    let calls = calls(script, &ENTRIES);
    let names = |all: &[GlobalUse<'_>]| -> Vec<String> {
        all.iter().map(|it| it.name.to_owned()).collect()
    };
    assert_eq!(
        names(&calls.undefined),
        ["request_hnadle", "string", "table", "absent"]
    );
    assert_eq!(names(&calls.dotted), ["request_handle.headers"]);
    assert!(calls.defined.contains(&"request_handle"));
}
