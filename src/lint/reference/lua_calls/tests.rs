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
fn names_that_nothing_defines_are_told() {
    let told = |message: &str, help: &str| Some((message.to_owned(), help.to_owned()));
    assert_eq!(
        wrong("hanlde:headers():add('a', 'b')"),
        told("nothing defines `hanlde`", "write `handle`")
    );
    assert_eq!(
        wrong("log_info('a')"),
        told(
            "nothing defines `log_info`",
            "define it in the script; scripts can't use functions of others, nor modules"
        )
    );
    assert_eq!(
        wrong("string.contains('a', 'b')"),
        told(
            "Lua has no function `string.contains`",
            "use one of buffer, byte, char, dump, find, format, gfind, gmatch, gsub, len, lower, match, rep, reverse, sub, upper"
        )
    );
    assert_eq!(
        wrong("handle.headers():add('a', 'b')"),
        told(
            "`handle.headers()` is a method, which is called with a colon",
            "write `handle:headers()`"
        )
    );
    for right in [
        "count = (count or 0) + 1",
        "if cjson then cjson.decode('{}') end",
        "local t = {} t.a = 1 t.f = function(x) return x end t.f(1)",
        "for _, v in ipairs({1}) do print(v) end",
        "local a, b = 1, {} b[a] = 2 goto done ::done::",
        "local f = setfenv and absent() or absent.b",
    ] {
        assert_eq!(wrong(right), None, "{right}");
    }
}

#[test]
fn a_response_can_only_be_replaced_before_it_comes() {
    let script = "function envoy_on_response(h) h:respond({[':status'] = '403'}, '') end";
    let found = wrong_call(script, true);
    assert!(found.is_some_and(|it| it.message.contains("`envoy_on_response`")));
}
