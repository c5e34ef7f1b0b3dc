//! Scripts do the same as in Envoy, and always end.

use proptest::prelude::*;

use super::state::MOST_STEPS;
use super::{Facts, InProcess, Job, Run, Runner, Verdict};

fn ran(script: &str) -> Verdict {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let facts = Facts {
        headers: vec![
            header(":path", "/a?b=1"),
            header("user-agent", "GPTBot/1.1"),
            header("accept", "a"),
            header("accept", "b"),
        ],
        client: Some("10.10.30.7".to_owned()),
        ..Facts::default()
    };
    let job = Job {
        name: "a script".to_owned(),
        script: script.to_owned(),
        facts,
        is_check: false,
    };
    run(&job).verdict
}

fn run(job: &Job) -> Run {
    InProcess::default().run(job).expect("a run")
}

fn on_request(body: &str) -> Verdict {
    ran(&format!("function envoy_on_request(handle)\n{body}\nend"))
}

fn passes() -> Verdict {
    Verdict::Passes {
        changed: Vec::new(),
    }
}

#[test]
fn scripts_do_what_they_do_in_envoy() {
    let blocks = "if handle:headers():get('User-Agent'):lower():find('gptbot', 1, true) then
        handle:respond({[':status'] = '403'}, 'no') end";
    assert_eq!(on_request(blocks), Verdict::Responds { status: 403 });
    for body in [
        "assert(handle:headers():get('accept') == 'a,b')",
        "assert(handle:headers():getAtIndex('accept', 1) == 'b' and handle:headers():getNumValues('accept') == 2)",
        "assert(handle:headers():get('x-none') == nil)",
        "local n = 0 for k, v in pairs(handle:headers()) do n = n + 1 end assert(n == 4)",
        "assert(handle:streamInfo():downstreamRemoteAddress() == '10.10.30.7:0')",
        "handle:streamInfo():dynamicMetadata():set('f', 'k', 1) assert(handle:streamInfo():dynamicMetadata():get('f').k == 1)",
        "assert(handle:base64Escape('ab') == 'YWI=')",
        "for i = 1, 3 do if i == 2 then goto continue end ::continue:: end",
        "handle:logInfo('x' .. 1)",
        "assert(not pcall(error, 'x'))",
        "local fine, why = pcall(error, {code = 1}) assert(not fine and why.code == 1)",
        "assert(select(2, xpcall(error, function(why) return why .. '!' end, 'x')) == 'x!')",
    ] {
        assert_eq!(on_request(body), passes(), "{body}");
    }
    let changes = "handle:headers():replace('X-A', '1') handle:headers():remove('accept')";
    let changed = vec!["x-a".to_owned(), "accept".to_owned()];
    assert_eq!(on_request(changes), Verdict::Passes { changed });
    assert_eq!(
        ran("function envoy_on_response(handle) error('x') end"),
        passes()
    );
}

#[test]
fn scripts_have_what_luajit_has() {
    for body in [
        "assert(bit.band(0xff, 0x0f, 6) == 6 and bit.bor(1, 2, 4) == 7 and bit.bxor(5, 1) == 4)",
        "assert(bit.tobit(0xffffffff) == -1 and bit.tobit(2^32 + 1) == 1 and bit.bnot(0) == -1)",
        "assert(bit.lshift(1, 31) == -2147483648 and bit.lshift(1, 33) == 2)",
        "assert(bit.rshift(-1, 28) == 15 and bit.arshift(-256, 4) == -16)",
        "assert(bit.rol(0x12345678, 12) == 0x45678123 and bit.ror(0x12345678, 12) == 0x67812345)",
        "assert(bit.bswap(0x12345678) == 0x78563412)",
        "assert(bit.tohex(255) == '000000ff' and bit.tohex(-1, 4) == 'ffff' and bit.tohex(255, -2) == 'FF')",
        "assert(select('#', unpack({1, 2, 3})) == 3 and table.getn({1, 2}) == 2)",
        "assert(table.maxn({[3] = 1}) == 3 and math.log10(1000) == 3 and math.pow(2, 3) == 8)",
        "assert(table.foreach({a = 1}, function(key) return key end) == 'a')",
        "assert(table.foreachi({5, 6}, function(at, it) if it == 6 then return at end end) == 2)",
        "assert(_VERSION == 'Lua 5.1' and 0x10 == 16 and '\\x41' == 'A')",
    ] {
        assert_eq!(on_request(body), passes(), "{body}");
    }
    for body in ["setfenv(1, {})", "return 1ULL"] {
        let ran = on_request(body);
        assert!(matches!(ran, Verdict::Unknown(_)), "{body}: {ran:?}");
    }
}

#[test]
fn patterns_match_as_in_lua() {
    for body in [
        "assert(('GPTBot/1.1'):match('^(%a+)/(%d+)%.') == 'GPTBot')",
        "assert(select(2, ('a1b22'):gsub('%d+', '<%0>')) == 2 and ('a1b22'):gsub('%d+', '<%0>') == 'a<1>b<22>')",
        "assert(('key = value'):find('(%w+)%s*=%s*(%w+)') == 1)",
        "assert(('(a(b)c)d'):match('%b()') == '(a(b)c)')",
        "assert(('THE (quick) fox'):find('%f[%a]%a+%f[%A]', 2) == 6)",
        "assert(('abcabc'):match('(abc)%1') == 'abc')",
        "local t = {} for w in ('a b c'):gmatch('%a') do t[#t + 1] = w end assert(#t == 3)",
        "assert(('x-y]'):match('[]-]') == '-')",
        "assert(('hello'):find('l', -2, true) == 4 and ('hello'):find('') == 1)",
        "assert(('abc'):gsub('', '-') == '-a-b-c-')",
        "assert(('abc'):gsub('%w', {a = '1', b = true and '2'}) == '12c')",
        "assert(('a.b'):gsub('%.', function() return false end) == 'a.b')",
        "assert(('ab'):rep(2, ',') == 'ab,ab')",
        "assert(('  x '):match('^%s*(.-)%s*$') == 'x')",
        "assert(select('#', ('abc'):find('()b()')) == 4)",
    ] {
        assert_eq!(on_request(body), passes(), "{body}");
    }
    for (body, told) in [
        ("('a'):match('[a')", "missing ']'"),
        ("('a'):match('%')", "ends with '%'"),
        ("('a'):match('(a')", "unfinished capture"),
        ("('a'):match('a)')", "invalid pattern capture"),
    ] {
        match on_request(body) {
            Verdict::Fails(message) => assert!(message.contains(told), "{body}: {message}"),
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[test]
fn what_only_envoy_can_answer_is_unknown_even_where_it_is_caught() {
    for (body, what) in [
        ("handle:httpCall('c', {}, '', 1)", "`handle:httpCall()`"),
        ("pcall(function() handle:body() end)", "`handle:body()`"),
        ("return os.time()", "`os.time`"),
        ("return io.open('/etc/passwd')", "`io.open`"),
        ("require('socket')", "`require`"),
        ("return load('x = 1')", "`load`"),
        ("return ('').dump(print)", "`string.dump`"),
        (
            "handle:headers():get('x-request-id')",
            "the header x-request-id, which Envoy adds",
        ),
        (
            "handle:streamInfo():routeName()",
            "`streamInfo():routeName()`",
        ),
        ("return debug.getinfo(1)", "`debug.getinfo`"),
    ] {
        assert_eq!(
            on_request(body),
            Verdict::Unknown(what.to_owned()),
            "{body}"
        );
    }
}

#[test]
fn a_script_that_does_not_end_is_ended() {
    let steps = Verdict::Limit(format!("{MOST_STEPS} steps"));
    let memory = Verdict::Limit("16 MiB of memory".to_owned());
    for (body, want) in [
        ("while true do end", &steps),
        (
            "while true do pcall(function() while true do end end) end",
            &steps,
        ),
        (
            "local function f() return pcall(f) end while true do f() end",
            &steps,
        ),
        (
            "while true do xpcall(function() while true do end end, function() while true do end end) end",
            &steps,
        ),
        ("('a'):rep(30):find(('a*'):rep(30) .. 'b')", &steps),
        ("local s = ('x'):rep(1e9)", &memory),
        ("local s = 'x' while true do s = s .. s end", &memory),
        ("local t = {} while true do t[#t + 1] = {} end", &steps),
        (
            "local s = ('x'):rep(2e6) while true do local t = s .. 'y' end",
            &memory,
        ),
    ] {
        let found = on_request(body);
        assert_eq!(found, *want, "{body}");
    }
    assert!(matches!(ran("while true do end"), Verdict::Limit(_)));
    assert!(matches!(ran("x = = 1"), Verdict::Unloadable(_)));
    assert!(matches!(
        on_request("local x = nil; x.y = 1"),
        Verdict::Fails(_)
    ));
    assert!(matches!(ran("\u{1b}LJ\u{2}"), Verdict::Unloadable(_)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_pattern_makes_it_panic(text in "\\PC{0,12}", pattern in "[a-z%()\\[\\]^$.*+?-]{0,12}") {
        let quoted = |it: &str| format!("[=====[{it}]=====]");
        let call = format!("local s, p = {}, {}", quoted(&text), quoted(&pattern));
        for body in ["s:find(p)", "s:match(p)", "s:gsub(p, '%0')", "for a in s:gmatch(p) do end"] {
            on_request(&format!("{call} {body}"));
        }
    }
}

/// The steps that a body takes in addition to those of an empty one.
fn steps_of(body: &str) -> u64 {
    let steps = |body: &str| {
        let job = Job {
            name: String::new(),
            script: format!("function envoy_on_request(h)\n{body}\nend"),
            facts: Facts::default(),
            is_check: false,
        };
        let run = run(&job);
        assert!(
            matches!(run.verdict, Verdict::Passes { .. }),
            "{body}: {:?}",
            run.verdict
        );
        run.steps
    };
    steps(body).saturating_sub(steps(""))
}

#[test]
fn plain_work_costs_a_step_an_instruction() {
    let short = steps_of("h:headers():get('a') for i = 1, 100000 do end");
    assert!((100_000..102_000).contains(&short), "{short}");
}

/// With twice the work, the steps must grow at least by half, so nothing that grows is left uncounted.
#[test]
fn work_is_counted_that_grows_with_what_a_function_is_given() {
    for call in [
        "local t = {} for i = 1, N do t[i] = i end for i = 1, 20 do table.insert(t, 1, 1) end",
        "local t = {} for i = 1, N do t[i] = i end for i = 1, 20 do table.remove(t, 1) end",
        "local t = {} for i = 1, N do t[i] = -i end table.sort(t)",
        "local t = {} for i = 1, N do t[i] = 'x' end for i = 1, 20 do table.concat(t) end",
        "local t = {} for i = 1, N do t[i] = 1 end for i = 1, 20 do for _ in pairs(t) do end end",
        "local s = ('x'):rep(N * 20) for i = 1, 500 do local a = s == s .. '' end",
        "local s = ('0'):rep(N * 20) for i = 1, 500 do local a = s + 1 end",
        "local s = ('x'):rep(N * 20) for i = 1, 50 do s:upper() end",
        "local s = ('x'):rep(N * 20) for i = 1, 50 do s:find('y', 1, true) end",
        "local s = ('x'):rep(N) s:find('x*y')",
        "local s = ('x'):rep(N) for i = 1, 5 do s:gsub('x', 'y') end",
        "local s = ('x'):rep(N) for i = 1, 5 do for a in s:gmatch('x') do end end",
        "local s, p = ('x'):rep(100), '[' .. ('a'):rep(N * 20) .. ']' for i = 1, 5 do s:find(p) end",
        "local s = ('x'):rep(N * 20) for i = 1, 50 do h:headers():get(s) end",
        "local s = ('x'):rep(N * 20) for i = 1, 50 do h:base64Escape(s) end",
        "local s = ('x'):rep(N * 20) for i = 1, 50 do h:logInfo(s) end",
        "for i = 1, N / 10 do h:headers():add('a' .. i, 'b') end for i = 1, N / 10 do h:headers():get('a') end",
        "for i = 1, N do bit.band(1, 2) end",
        "for i = 1, N do pcall(type, 1) end",
    ] {
        let of = |count: &str| steps_of(&call.replace('N', count));
        let (once, twice) = (of("300"), of("600"));
        assert!(twice * 2 > once * 3, "{call}: {once}, then {twice}");
    }
}

/// What Envoy Gateway's check says of a script: nothing if it accepts it.
fn refused(script: &str) -> Option<String> {
    let checked = run(&Job {
        name: "a script".to_owned(),
        script: script.to_owned(),
        facts: Facts::default(),
        is_check: true,
    });
    match checked.verdict {
        Verdict::Fails(why) => Some(why),
        Verdict::Passes { .. } => None,
        other => panic!("{script}: {other:?}"),
    }
}

#[test]
fn scripts_are_checked_as_the_controller_checks_them() {
    let on_response = |body: &str| format!("function envoy_on_response(handle)\n{body}\nend");
    for body in [
        "handle:headers():replace('content-type', 'text/html')",
        "for chunk in handle:bodyChunks() do chunk:setBytes('') end",
        "handle:logErr('body: ' .. handle:body(true):getBytes(0, handle:body():length()))",
        "handle:connection():ssl():expirationPeerCertificate()",
        "for key, value in pairs(handle:metadata()) do print(key, value) end",
        "local h = handle:httpCall('c', {[':path'] = '/'}, 'x', 5000) handle:logInfo(h[':path'])",
        "handle:logInfo(handle:streamInfo():dynamicMetadata():get('a'))",
        "if handle:headers():get('a') == 'b' then handle:unknownApi() end",
    ] {
        assert_eq!(refused(&on_response(body)), None, "{body}");
    }
    for (body, why) in [
        ("handle:unknownApi()", "attempt to call method 'unknownApi'"),
        (
            "handle:headers():get('a').x.y = 1",
            "attempt to index field 'x'",
        ),
        (
            "handle:logInfo(nil)",
            "attempt to concatenate local 'message'",
        ),
        ("json.decode('{}')", "attempt to index global 'json'"),
        ("error('no')", "script:2: no"),
    ] {
        let said = refused(&on_response(body)).unwrap_or_default();
        assert!(said.contains(why), "{body}: {said}");
    }
    let local = "local function envoy_on_request(handle) end";
    assert!(refused(local).is_some_and(|it| it.contains("is no global function")));
    // Both entry functions are run.
    let second = format!("function envoy_on_request(h) end\n{}", on_response("h()"));
    assert!(refused(&second).is_some());
}
