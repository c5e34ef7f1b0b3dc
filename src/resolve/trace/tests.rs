//! Ways through small trees.

use proptest::prelude::*;

use super::lua::{Facts, Verdict, run};
use super::{Outcome, Request, Scene, trace};
use crate::diagnostic::Sources;
use crate::manifest::{Object, read};
use crate::resolve::{Settings, resolve};

const GATEWAY: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: external, namespace: network, annotations: {external-dns.alpha.kubernetes.io/target: external.example.com}}
spec:
  gatewayClassName: envoy
  addresses: [{value: 10.10.30.26}]
  listeners:
    - {name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}
    - {name: https, port: 443, protocol: HTTPS, allowedRoutes: {namespaces: {from: All}}, tls: {certificateRefs: [{name: tls}]}}
    - {name: vault, port: 443, protocol: TLS, hostname: vault.example.com, tls: {mode: Passthrough}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {name: vault, namespace: network}
spec:
  hostnames: [vault.example.com]
  parentRefs: [{name: external, sectionName: vault}]
  rules: [{backendRefs: [{name: vault, port: 8200}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: app, namespace: network}
spec:
  hostnames: [app.example.com, 'x.${DOMAIN}']
  parentRefs: [{name: external}]
  rules:
    - backendRefs: [{name: app, port: 80}]
    - matches: [{path: {value: /fixed}}]
      filters: [{type: ExtensionRef, extensionRef: {group: gateway.envoyproxy.io, kind: HTTPRouteFilter, name: fixed}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: all, namespace: network}
spec:
  hostnames: ['*.example.com']
  parentRefs: [{name: external}]
  rules: [{matches: [{path: {value: /all}}], backendRefs: [{name: all, port: 80}]}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: HTTPRouteFilter
metadata: {name: fixed, namespace: network}
spec: {directResponse: {statusCode: 418}}
";

fn objects(text: &str) -> Vec<Object> {
    let mut sources = Sources::default();
    let id = sources.add("a.yaml", text);
    let (documents, problems) = read(&sources, id);
    assert!(problems.is_empty(), "{problems:?}");
    let object = |node| Object::new(node, "a.yaml");
    documents.into_iter().map(|it| object(it.node)).collect()
}

fn outcomes(more: &str, request: &Request) -> Vec<Outcome> {
    let objects = objects(&format!("{GATEWAY}---\n{more}"));
    let resolved = resolve(&objects, &Settings::default());
    let scene = Scene {
        resolved: &resolved,
        objects: &objects,
        generated: &[],
    };
    let ways = trace(&scene, request, None).ways;
    ways.into_iter().map(|way| way.outcome).collect()
}

/// How the only way of a request ends, in a few words.
fn ends(more: &str, url: &str, headers: &[&str]) -> String {
    let mut request = Request::get(url).expect("a URL");
    request.from = "10.10.30.7".parse().ok();
    for line in headers {
        request.add_header(line).expect("a header");
    }
    match outcomes(more, &request).as_slice() {
        [Outcome::Backends(shares)] => shares.iter().map(|it| it.name.clone()).collect(),
        [Outcome::Response { status, .. }] => status.to_string(),
        [
            Outcome::Redirect {
                status, location, ..
            },
        ] => format!("{status} {location}"),
        [Outcome::Closed(_)] => "closed".to_owned(),
        [Outcome::Unknown(_)] => "unknown".to_owned(),
        other => format!("{other:?}"),
    }
}

fn policy(spec: &str) -> String {
    format!(
        "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {{name: guard, namespace: network}}
spec:
  targetRefs: [{{group: gateway.networking.k8s.io, kind: HTTPRoute, name: app}}]
  {spec}
"
    )
}

#[test]
fn the_closest_hostname_has_all_of_its_requests() {
    for (url, want) in [
        ("https://app.example.com/", "app"),
        ("https://app.example.com/fixed", "418"),
        ("https://b.example.com/all", "all"),
        // The wildcard's route would match; Envoy does not look there.
        ("https://app.example.com/all", "app"),
        ("https://b.example.com/", "404"),
        ("https://vault.example.com/", "vault"),
        ("tls://vault.example.com", "vault"),
        ("https://x.example.org/", "unknown"),
        ("https://x.${DOMAIN}/", "app"),
        ("https://app.example.com/a%2Fb", "307 /a/b"),
        ("https://10.10.30.26/", "404"),
        ("tcp://app.example.com:443", "unknown"),
        ("udp://app.example.com:443", "closed"),
    ] {
        assert_eq!(ends("", url, &[]), want, "{url}");
    }
    assert_eq!(
        ends("", "https://app.example.com/", &["Host: b.example.com"]),
        "404"
    );
}

#[test]
fn a_route_that_a_chart_makes_is_no_missing_route() {
    let release = "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: wiki, namespace: network}
spec:
  values:
    route:
      app:
        hostnames: ['{{ .Release.Name }}.example.org']
        parentRefs: [{name: external, namespace: network}]
";
    assert_eq!(ends(release, "https://wiki.example.org/", &[]), "unknown");
    assert_eq!(ends(release, "https://other.example.net/", &[]), "404");
    assert_eq!(ends(release, "https://app.example.com/", &[]), "app");
}

#[test]
fn guards_stop_who_does_not_say_who_he_is() {
    let oidc = "oidc: {provider: {issuer: 'https://id.example.com'}, clientID: a, clientSecret: {name: s}}";
    let key = "apiKeyAuth: {credentialRefs: [{name: k}], extractFrom: [{headers: [X-Key]}]}";
    let url = "https://app.example.com/";
    for (spec, headers, want) in [
        (oidc, vec![], "302 https://id.example.com"),
        (oidc, vec!["Cookie: session=1"], "app"),
        (key, vec![], "401"),
        (key, vec!["X-Key: 1"], "app"),
        ("basicAuth: {users: {name: u}}", vec![], "401"),
        (
            "basicAuth: {users: {name: u}}",
            vec!["Authorization: Basic YTpi"],
            "app",
        ),
        ("jwt: {providers: [{name: p, issuer: i}]}", vec![], "401"),
        (
            "jwt: {optional: true, providers: [{name: p, issuer: i}]}",
            vec![],
            "app",
        ),
        ("authorization: {defaultAction: Deny}", vec![], "403"),
        ("authorization: {defaultAction: Allow}", vec![], "app"),
        (
            "authorization: {rules: [{action: Allow, principal: {clientCIDRs: [10.10.30.0/24]}}]}",
            vec![],
            "app",
        ),
    ] {
        assert_eq!(
            ends(&policy(spec), url, &headers),
            want,
            "{spec} {headers:?}"
        );
    }
}

#[test]
fn a_policy_that_is_refused_answers_with_500() {
    let broken = policy(
        "authorization: {rules: [{action: Allow, principal: {clientCIDRs: [10.10.30.0/99]}}]}",
    );
    assert_eq!(ends(&broken, "https://app.example.com/", &[]), "500");
}

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
    run(script, &facts).verdict
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
    let steps = Verdict::Limit("1000000 steps".to_owned());
    let memory = Verdict::Limit("4 MiB of memory".to_owned());
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
        ("local s = ('x'):rep(1e9)", &steps),
        ("local s = 'x' while true do s = s .. s end", &memory),
        ("local t = {} while true do t[#t + 1] = {} end", &memory),
        (
            "local s = ('x'):rep(2e6) while true do local t = s .. 'y' end",
            &memory,
        ),
    ] {
        let found = on_request(body);
        let is_limit = found == *want || (matches!(found, Verdict::Limit(_)) && want == &memory);
        assert!(is_limit, "{body}: {found:?}");
    }
    assert!(matches!(ran("while true do end"), Verdict::Limit(_)));
    assert!(matches!(ran("x = = 1"), Verdict::Unreadable(_)));
    assert!(matches!(
        on_request("local x = nil; x.y = 1"),
        Verdict::Fails(_)
    ));
    assert!(matches!(
        ran("\u{1b}LJ\u{2}"),
        Verdict::Unreadable(_) | Verdict::Fails(_)
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_request_makes_it_panic(
        scheme in "https?|tls|ssh|wss|[a-z]{0,3}",
        host in "(app|b|vault)\\.example\\.com|[a-z*.${}\\[\\]:@-]{0,12}|\\PC{0,8}",
        rest in "(:[0-9]{0,6})?(/[a-z%2F.?&=/#]{0,16}|\\PC{0,12})",
        header in "[A-Za-z-]{0,8}:? ?\\PC{0,12}",
        method in "GET|OPTIONS|\\PC{0,4}",
    ) {
        if let Ok(mut request) = Request::get(&format!("{scheme}://{host}{rest}")) {
            let _ = request.add_header(&header);
            let _ = request.set_method(&method);
            outcomes(&policy("authorization: {defaultAction: Allow}"), &request);
        }
    }

    #[test]
    fn no_pattern_makes_it_panic(text in "\\PC{0,12}", pattern in "[a-z%()\\[\\]^$.*+?-]{0,12}") {
        let quoted = |it: &str| format!("[=====[{it}]=====]");
        let call = format!("local s, p = {}, {}", quoted(&text), quoted(&pattern));
        for body in ["s:find(p)", "s:match(p)", "s:gsub(p, '%0')", "for a in s:gmatch(p) do end"] {
            on_request(&format!("{call} {body}"));
        }
    }
}
