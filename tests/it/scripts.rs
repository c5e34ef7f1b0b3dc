//! Lua scripts as people use them: what LuaJIT refuses is reported, and whatever a script does when it is run,
//! `trace` ends with an answer that is the same in every run.

use crate::common::{Project, Run};

const TREE: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: external, namespace: network}
spec:
  gatewayClassName: envoy
  addresses: [{value: 10.10.30.26}]
  listeners:
    - {name: https, port: 443, protocol: HTTPS, allowedRoutes: {namespaces: {from: All}}, tls: {certificateRefs: [{name: tls}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: app, namespace: network}
spec:
  hostnames: [app.example.com]
  parentRefs: [{name: external}]
  rules: [{backendRefs: [{name: app, port: 80}]}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {name: scripts, namespace: network}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: external}]
  lua:
";

/// A tree with these scripts.
fn tree(scripts: &[&str]) -> Project {
    let quoted = |script: &&str| {
        let text = serde_json::to_string(script).expect("JSON");
        format!("    - {{type: Inline, inline: {text}}}\n")
    };
    let scripts: String = scripts.iter().map(quoted).collect();
    Project::new().file("tree.yaml", format!("{TREE}{scripts}"))
}

/// Traces a request through scripts. The system's limits are far above what a run needs, and end runs that hang.
fn traced(scripts: &[&str]) -> Run {
    let limits = match cfg!(target_os = "linux") {
        true => "ulimit -t 60 && ulimit -d 262144",
        false => "ulimit -t 60",
    };
    tree(scripts).shell(&format!(
        "{limits} && exec \"$PROGRAM\" trace https://app.example.com/ --in tree.yaml"
    ))
}

fn on_request(body: &str) -> String {
    format!("function envoy_on_request(h)\n{body}\nend")
}

fn validated(script: &str) -> Run {
    let project = tree(&[script]);
    project
        .shell("ulimit -t 60 && exec \"$PROGRAM\" validate tree.yaml --select reference/lua-script")
}

#[test]
fn what_luajit_refuses_is_found_with_its_place() {
    validated("function envoy_on_request(h)\n  local x = `a`\nend")
        .code(1)
        .says("line 2, column 13 (`local x = `a``): not Lua: a backtick is not expected here");
    validated("function envoy_on_request(h)\n  if h then\nend")
        .code(1)
        .says("line 3, column 4 (`end`): not Lua: expected `end` for the `function` in line 1, but the script ends");
    validated("function envoy_on_request(h) end x = '${A}' ?")
        .code(1)
        .says("line 1 (`function envoy_on_request(h) end x = '${A}' ?`): not Lua");
    validated("function envoy_on_request(h) goto a ::a::;; x = 0xffULL end").success();
}

#[test]
fn a_script_of_the_project_is_shown_with_its_line() {
    let project = Project::new().minimal("[lua]\nscript = \"a.lua\"").file(
        "a.lua",
        "function envoy_on_request(h)\n  local x = a != b\nend\n",
    );
    project
        .run(["validate"])
        .code(1)
        .says("a.lua:2:15")
        .says("local x = a != b")
        .says("not Lua: `!` is not expected here: Lua uses `~=` for unequal");
}

#[test]
fn long_chains_of_operators_are_read() {
    for unit in ["1+", "1-", "1*", "a and ", "a or ", "a<", "a=="] {
        let script = on_request(&format!("local x = {}1", unit.repeat(50_000)));
        validated(&script).success();
    }
    for unit in [
        "#",
        "- ",
        "not ",
        "#- ",
        "a..",
        "1^",
        "(",
        "{",
        "a[",
        "f(",
        "do ",
        "function() ",
    ] {
        let script = on_request(&format!("local x = {}1", unit.repeat(50_000)));
        let run = validated(&script).code(1);
        if unit != "do " && unit != "function() " {
            run.says("nested too deeply");
        }
    }
}

#[test]
fn what_a_script_does_is_told() {
    let blocks = on_request("h:respond({[':status'] = '403'}, 'no')");
    traced(&[&blocks])
        .code(1)
        .says("403: a script responds to the request");
    let changes = on_request("h:headers():add('x-a', '1')");
    // The controller's check knows every header.
    let fails =
        on_request("if h:headers():get('x-none') then return end local s = nil\nreturn s.x");
    let run = traced(&[&changes, &fails]).success();
    run.says("the script lets the request pass, and changes x-a")
        .says("the script fails: script:3: attempt to index local 's' (a nil value)");
    let with_function = |line: &str| format!("{line}\n{}", on_request(""));
    let run = traced(&[&with_function("local x = = 1")]).code(1);
    run.says("EnvoyExtensionPolicy network/scripts is refused")
        .says("lua: line 1 is not Lua: expected a value instead of `=`");
    let run = traced(&["local x = 1"]).code(1);
    run.says("the script defines neither `envoy_on_request` nor `envoy_on_response`");
    let run = traced(&[&with_function("local x = nil + 1")]).code(1);
    run.says("script fails when the controller runs it: script:1: attempt to perform arithmetic on a nil value");
}

/// Bodies of scripts that never end. Each is stopped, and its result is unknown.
const ENDLESS: &[&str] = &[
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "local function f() return pcall(f) end while true do f() end",
    "local function f() return f() end f()",
    "local function f() return 1 + f() end f()",
    "while true do xpcall(error, function() while true do end end) end",
    "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) while true do pcall(function() return t[1] end) end",
    "local t = {} for i = 1, 30000 do t[i] = i end while true do table.insert(t, 1, 1) table.remove(t, 1) end",
    "table.insert({}, -2^53, 1)",
    "table.remove(setmetatable({}, {__len = function() return 2^53 end}), 1)",
    "table.move({}, 1, 2^53, 2)",
    "local t = {} for i = 1, 16000 do t[i] = '' end while true do table.concat(t) end",
    "local t = {} for i = 1, 16000 do t[i] = i end while true do table.sort(t) end",
    "local t = {} for i = 1, 900 do t[i] = i % 7 end table.sort(t, function(a, b) while true do end end)",
    "local t = {} for i = 1, 7000 do t[i] = 1 end while true do math.max(unpack(t)) end",
    "local t = {} for i = 1, 30000 do t[i] = 1 end for i = 1, 30000 do t[i] = nil end while true do next(t) end",
    "local t = {} for i = 1, 30000 do t['k' .. i] = 1 end while true do for _ in pairs(t) do end end",
    "local s = 'x' while true do s = s .. s end",
    "local s = ('x'):rep(60000) while true do string.format('%s', s) end",
    "local s = ('\\0'):rep(60000) while true do string.format('%q', s) end",
    "local f, t = ('%99.99f'):rep(2000), {} for i = 1, 200 do t[i] = 1e300 end while true do pcall(string.format, f, unpack(t)) end",
    "local s = ('x'):rep(60000) while true do s:upper() s:reverse() s:sub(2) end",
    "local s = ('x'):rep(60000) while true do s:byte(1, 7000) end",
    "local s = ('0'):rep(200000) while true do local x = s + 1 end",
    "local s = ('0'):rep(200000) while true do tonumber(s) tonumber(s, 10) end",
    "local a, b = ('x'):rep(200000), ('x'):rep(200000) while true do local c = a == b or a < b end",
    "local s = ('a'):rep(30) while true do s:find(('a*'):rep(30) .. 'b') end",
    "local s, p = ('x'):rep(60000), '[' .. ('a-c'):rep(20000) .. ']' while true do s:find(p) end",
    "local s = ('a'):rep(60000) while true do s:gsub('a', 'aaaa') end",
    "('a'):rep(60000):gsub('a', function() while true do end end)",
    "while true do for w in ('a,b,'):rep(10000):gmatch('[^,]+') do end end",
    "local t = {} while true do t[#t + 1] = ('a,b,'):gmatch('a') end",
    "local t = {} while true do t[#t + 1] = {} end",
    "local t = {} while true do t[#t + 1] = pairs(h:headers()) end",
    "local t = {} while true do t[#t + 1] = function() return t end end",
    "local t = {} while true do t[#t + 1] = h:headers() end",
    "local v = ('x'):rep(3000) for i = 1, 900 do h:headers():add('a', v) end while true do h:headers():get('a') end",
    "local n = ('x'):rep(200000) while true do h:headers():get(n) end",
    "local n = ('x'):rep(10000) for i = 1, 1e9 do h:headers():remove(n .. i) end",
    "for i = 1, 1e9 do h:headers():replace('a', i) h:headers():getNumValues('a') end",
    "local s = ('x'):rep(300000) while true do h:base64Escape(s) end",
    "local s = ('x'):rep(1000000) while true do h:logInfo(s) print(s) end",
    "local d = h:streamInfo():dynamicMetadata() for i = 1, 1e9 do d:set('f' .. i, 'k', {}) end",
    "while true do bit.bxor(unpack({1, 2, 3, 4})) end",
    "while true do tostring({}) end",
    "local m = getmetatable('') m.__index = function() while true do end end return ('x').y",
    "getmetatable('').__add = function(a, b) return a + b end while true do pcall(function() return 'x' + 1 end) end",
    "error(setmetatable({}, {__tostring = function() while true do end end}))",
    "h:logInfo(setmetatable({}, {__tostring = function() while true do end end})) while true do end",
    "while true do pcall(string.rep, 'x', 1e9) end",
    "local s = ('x'):rep(1e9)",
];

#[test]
fn whatever_a_script_does_it_ends_with_the_same_answer() {
    let is_the_same = |body: &&str| {
        let script = on_request(body);
        let first = format!("{}", traced(&[&script]));
        assert_eq!(first, format!("{}", traced(&[&script])), "{body}");
        let ends = [
            "a script did not end within its limits",
            "the script fails: ",
            // The controller's Lua is not Envoy's.
            "the script fails when the controller runs it: ",
        ];
        assert!(
            ends.iter().any(|end| first.contains(end)),
            "{body}: {first}"
        );
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for part in ENDLESS.chunks(ENDLESS.len().div_ceil(threads)) {
            scope.spawn(move || part.iter().for_each(is_the_same));
        }
    });
}

#[test]
fn what_luajit_does_not_do_is_not_done() {
    for body in [
        "setmetatable({}, {__gc = function() while true do end end})",
        "for i = 1, 1000 do setmetatable({}, {__gc = function() while true do end end}) end",
        "local m = {} setmetatable({}, m) m.__gc = function() while true do end end",
        "local m = {__gc = 1, __index = {a = 1}} assert(setmetatable({}, m).a == 1 and m.__gc == 1)",
        "table.insert(setmetatable({}, {__len = function() return 2^31 end}), 1, 1)",
        "assert(('').rep('', 1e9) == '' and ('x'):rep(-1) == '')",
    ] {
        let run = traced(&[&on_request(body)]).success();
        run.says("the script lets the request pass");
    }
}

#[test]
fn all_scripts_together_are_bounded() {
    let long = on_request("for i = 1, 800000 do end");
    let scripts = vec![long.as_str(); 200];
    let run = traced(&scripts).success();
    run.says("it exceeded its limit of 3000000 steps for all scripts together")
        .says("=> unknown: a script did not end within its limits");
    let short = on_request("");
    let scripts = vec![short.as_str(); 300];
    traced(&scripts).success().says("=> Service network/app:80");
}

#[test]
fn the_answer_does_not_depend_on_where_things_lie() {
    let body = "local t, seen = {}, {} for i = 1, 50 do t['k' .. i] = i end
        for k in pairs(t) do seen[#seen + 1] = k end
        for k in next, t do seen[#seen + 1] = k end assert(#seen == 100 and next({}) == nil)
        h:logInfo(table.concat(seen, ' ')) h:logInfo(tostring(t) .. string.format('%s', print))";
    let first = format!("{}", traced(&[&on_request(body)]).success());
    for _ in 0..3 {
        assert_eq!(first, format!("{}", traced(&[&on_request(body)])));
    }
}

#[cfg(unix)]
#[test]
fn a_script_that_could_not_be_run_is_no_answer() {
    // Without pipes, no process can be started to run it in.
    let project = tree(&[&on_request("")]);
    project
        .shell("ulimit -n 7 && exec \"$PROGRAM\" trace https://app.example.com/ --in tree.yaml")
        .code(2)
        .warns("`lua` of EnvoyExtensionPolicy network/scripts, could not be run");
}

#[test]
fn the_command_that_runs_scripts_is_not_shown() {
    for arguments in [&["--help"][..], &["man"], &["completions", "fish"]] {
        let run = Project::new().run(arguments.iter().copied()).success();
        run.never_says("run-scripts");
    }
}
