//! What policies do to requests: retries, timeouts, buffers, compression, the client's address, scripts and certificates of
//! clients, each as `trace` foretells it.
//!
//! Requests over HTTP/3 are in [`super::http3`]. That it is offered, and when it is not, is in [`super::refused`].

use super::refused::{class, gateway, http_route, https, policy};
use crate::foretold;
use crate::front_door::{FrontDoor, Running};
use crate::request::{Outcome, Request};
use crate::table::{Row, Table, happened};
use crate::tools::tools;
use crate::translation::Translator;

const HTTP: &str = "{name: http, protocol: HTTP, port: 80}";
const URL: &str = "http://web.example.com/";

/// Runs the gateway `one` with these policies.
fn run(name: &str, policies: &str, ask: impl FnOnce(&mut Running<'_>) + Send) {
    let Some(tools) = tools() else { return };
    let one = gateway("one", &[HTTP.to_owned(), https("https", "")]);
    let text = format!("{}{one}{}{policies}", class(""), http_route("web", "one"));
    let front_door = FrontDoor::manifests(name, &text);
    let translated = front_door.translate(&mut Translator::start(tools));
    assert_eq!(translated.translation.refusals(), [""; 0], "{name}");
    translated.run(tools, "one", ask);
}

/// Adds a comparison of what `trace` tells with what happened.
fn add(
    table: &mut Table,
    running: &Running<'_>,
    request: &Request,
    foretold: String,
    happened: String,
) {
    table.add(Row {
        input: running.front_door.name.clone(),
        question: request.to_string(),
        foretold: vec![foretold],
        happened,
    });
}

/// The rest of the first line of a trace that begins with a text.
fn told(running: &Running<'_>, request: &Request, begin: &str) -> Option<String> {
    let lines = foretold::lines(&running.front_door.project, running.gateway, request);
    let rest = lines.iter().find_map(|line| line.strip_prefix(begin));
    rest.map(str::to_owned)
}

#[test]
fn requests_are_retried_as_foretold() {
    let mut table = Table::default();
    for (name, retry) in [
        ("retries by default", "{}"),
        ("once", "{numRetries: 1}"),
        (
            "three times on 502",
            "{numRetries: 3, retryOn: {triggers: [retriable-status-codes], httpStatusCodes: [502]}}",
        ),
        ("on 5xx", "{numRetries: 1, retryOn: {triggers: ['5xx']}}"),
        ("no code", "{retryOn: {triggers: [retriable-status-codes]}}"),
    ] {
        let policies = policy("BackendTrafficPolicy", &format!("retry: {retry}"));
        run(name, &policies, |running| {
            for status in ["500", "502", "503"] {
                let request = Request::get(URL)
                    .header(&format!("x-echo-status: {status}"))
                    .header(&format!("x-echo-key: {status}"));
                let outcome = running.send(&request);
                let attempts = outcome.answer().header("x-attempts").unwrap_or_default();
                let foretold = attempts_of(&told(running, &request, "retried "), status);
                let attempts = attempts.to_owned();
                add(&mut table, running, &request, foretold, attempts);
            }
        });
    }
    table.conclude("retries");
}

/// The attempts that follow from `3 times on 5xx, 502` for a backend that always answers with a status.
fn attempts_of(told: &Option<String>, status: &str) -> String {
    let told = told.as_deref().unwrap_or_default();
    let (times, on) = told.split_once(" on ").unwrap_or((told, ""));
    let mut on = on.split(", ");
    let is_retried = on.any(|it| it == status || (it == "5xx" && status.starts_with('5')));
    let count = match times.split_once(' ') {
        Some((count, _)) => count.parse().unwrap_or(0),
        None => 1,
    };
    (1 + if is_retried { count } else { 0 }).to_string()
}

#[test]
fn requests_time_out_as_foretold() {
    let mut table = Table::default();
    for (name, settings) in [
        ("a timeout", "timeout: {http: {requestTimeout: 300ms}}"),
        ("no timeout", "timeout: {http: {requestTimeout: 0s}}"),
    ] {
        run(name, &policy("BackendTrafficPolicy", settings), |running| {
            for wait in ["0", "1500"] {
                let request = Request::get(URL).header(&format!("x-echo-wait: {wait}"));
                let outcome = running.send(&request);
                let limit = told(running, &request, "the response must be complete within ");
                let is_late = wait != "0" && limit.is_some_and(|it| it != "0s");
                let foretold = match is_late {
                    true => "504".to_owned(),
                    false => "Service network/web:80".to_owned(),
                };
                add(&mut table, running, &request, foretold, happened(&outcome));
            }
        });
    }
    table.conclude("timeouts");
}

#[test]
fn large_requests_are_refused_as_foretold() {
    let mut table = Table::default();
    let settings = policy("BackendTrafficPolicy", "requestBuffer: {limit: 1Ki}");
    run("a buffer of 1 KiB", &settings, |running| {
        for length in [100, 1000, 2000] {
            let body = "x".repeat(length);
            let request = Request::get(URL).curl(&["--data", &body]);
            let outcome = running.send(&request);
            let limit = told(
                running,
                &request,
                "requests are buffered completely, up to ",
            );
            assert_eq!(limit.as_deref(), Some("1Ki"));
            let foretold = match length > 1024 {
                true => "413".to_owned(),
                false => "Service network/web:80".to_owned(),
            };
            add(&mut table, running, &request, foretold, happened(&outcome));
        }
    });
    table.conclude("buffers");
}

#[test]
fn responses_are_compressed_as_foretold() {
    let mut table = Table::default();
    for kinds in [
        "[{type: Gzip, gzip: {}}]",
        "[{type: Brotli, brotli: {}}, {type: Zstd, zstd: {}}]",
        "[{type: Gzip}, {type: Zstd, zstd: {}}]",
    ] {
        let policies = policy("BackendTrafficPolicy", &format!("compressor: {kinds}"));
        run(kinds, &policies, |running| {
            for accepted in ["gzip", "br", "zstd", "identity", "br;q=0.1, gzip"] {
                let request = Request::get(URL).header(&format!("Accept-Encoding: {accepted}"));
                let outcome = running.send(&request);
                let used = outcome.answer().header("content-encoding");
                let used = used.unwrap_or("none").to_owned();
                let has = told(running, &request, "responses are compressed: ");
                let has = has.unwrap_or_default();
                let known = [("gzip", "Gzip"), ("br", "Brotli"), ("zstd", "Zstd")];
                // The client wants the last one of those that it accepts most.
                let mut wanted = accepted.split(", ").collect::<Vec<_>>();
                wanted.reverse();
                let name = |it: &str| it.split(';').next().unwrap_or_default().to_owned();
                let usable = wanted.iter().map(|it| name(it)).find(|it| {
                    let kind = known.iter().find(|(name, _)| name == it);
                    kind.is_some_and(|(_, kind)| has.contains(kind))
                });
                let foretold = usable.unwrap_or_else(|| "none".to_owned());
                add(&mut table, running, &request, foretold, used);
            }
        });
    }
    table.conclude("compression");
}

#[test]
fn the_client_is_seen_as_foretold() {
    let mut table = Table::default();
    for (name, detection) in [
        ("no detection", ""),
        (
            "two hops",
            "clientIPDetection: {xForwardedFor: {numTrustedHops: 2}}",
        ),
        (
            "networks",
            "clientIPDetection: {xForwardedFor: {trustedCIDRs: [10.42.0.0/16]}}",
        ),
        (
            "a header",
            "clientIPDetection: {customHeader: {name: X-Client}}",
        ),
        (
            "a header that must be there",
            "clientIPDetection: {customHeader: {name: X-Client, failClosed: true}}",
        ),
    ] {
        let policies = match detection {
            "" => String::new(),
            detection => policy("ClientTrafficPolicy", detection),
        };
        // The policy answers clients of one address only, so the answer tells how they are seen.
        let only = "authorization: {defaultAction: Deny, rules: [{action: Allow, principal: {clientCIDRs: [203.0.113.9/32]}}]}";
        let policies = format!("{policies}{}", policy("SecurityPolicy", only));
        run(name, &policies, |running| {
            for from in ["10.42.0.1", "203.0.113.9"] {
                for header in [
                    "X-None: 1",
                    "X-Client: 203.0.113.9",
                    "X-Forwarded-For: 203.0.113.9",
                    "X-Forwarded-For: 203.0.113.9, 10.42.0.7",
                    "X-Forwarded-For: 198.51.100.1",
                ] {
                    running.compare(&mut table, &Request::get(URL).from(from).header(header));
                }
            }
        });
    }
    table.conclude("clients");
}

/// A controller with Lua.
const CONTROLLER: &str = "---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: envoy-gateway, namespace: network}
spec: {url: 'oci://docker.io/envoyproxy/gateway-helm', ref: {tag: v1.9.0}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: envoy-gateway, namespace: network}
spec:
  chartRef: {kind: OCIRepository, name: envoy-gateway}
  values: {config: {envoyGateway: {extensionApis: {enableLua: true}}}}
";

#[test]
fn scripts_decide_as_foretold() {
    let mut table = Table::default();
    for (name, script) in [
        ("lets pass", "handle:logInfo('x')"),
        (
            "refuses an agent",
            "if (handle:headers():get('user-agent') or ''):find('GPTBot', 1, true) then handle:respond({[':status'] = '403'}, '') end",
        ),
        (
            "responds for a path",
            "if handle:headers():get(':path') == '/private' then handle:respond({[':status'] = '410'}, '') end",
        ),
        (
            "fails for a request",
            "if handle:headers():get('x-a') == 'b' then error('no') end",
        ),
        ("fails always", "error('no')"),
        ("calls what does not exist", "handle:unknownApi()"),
        (
            "uses bits",
            "if bit.band(3, 1) == 1 then handle:respond({[':status'] = '418'}, '') end",
        ),
    ] {
        let lua = format!(
            "lua: [{{type: Inline, inline: \"function envoy_on_request(handle) {script} end\"}}]"
        );
        let one = gateway("one", &[HTTP.to_owned()]);
        let route = http_route("web", "one");
        // The controller's check knows no library for bits.
        let settings = match script.contains("bit.") {
            true => "luaValidation: InsecureSyntax",
            false => "",
        };
        let policies = policy("EnvoyExtensionPolicy", &lua);
        let text = format!("{}{one}{route}{policies}{CONTROLLER}", class(settings));
        let Some(tools) = tools() else { return };
        let front_door = FrontDoor::manifests(name, &text);
        let translated = front_door.translate(&mut Translator::start(tools));
        table.add(Row {
            input: format!("a script that {name}"),
            question: "does the controller accept it?".to_owned(),
            foretold: vec![foretold::is_accepted(&front_door.project).to_string()],
            happened: translated.translation.refusals().is_empty().to_string(),
        });
        translated.run(tools, "one", |running| {
            for header in ["User-Agent: GPTBot/1.1", "User-Agent: curl", "X-A: b"] {
                for path in ["", "private"] {
                    let request = Request::get(format!("{URL}{path}")).header(header);
                    running.compare(&mut table, &request);
                }
            }
        });
    }
    table.conclude("scripts");
}

#[test]
fn clients_with_certificates_are_taken_as_foretold() {
    let mut table = Table::default();
    let url = "https://web.example.com/";
    for mode in ["RequireAndVerify", "RequireAny", "VerifyIfGiven", "Request"] {
        let validation = format!(
            "tls: {{clientValidation: {{mode: {mode}, caCertificateRefs: [{{name: certificate}}]}}}}"
        );
        run(
            mode,
            &policy("ClientTrafficPolicy", &validation),
            |running| {
                for (which, certificate) in [
                    ("none", None),
                    ("trusted", Some(running.client_certificate(true))),
                    ("untrusted", Some(running.client_certificate(false))),
                ] {
                    let request = Request::get(url).foretell(&["--client-certificate", which]);
                    let request = match &certificate {
                        Some(file) => request.curl(&["--cert", file]),
                        None => request,
                    };
                    // With TLS 1.3 a client hears of the refusal only when it reads.
                    let outcome: Outcome = running.send(&request);
                    let foretold = foretold::trace(&running.front_door.project, "one", &request);
                    table.add(Row {
                        input: mode.to_owned(),
                        question: format!("{url} with certificate: {which}"),
                        foretold,
                        happened: happened(&outcome),
                    });
                }
            },
        );
    }
    table.conclude("certificates of clients");
}
