//! The requests that a test stands for: one for each combination of the values that its keys have.

use super::networks::{Networks, Origin};
use crate::config::test::{Certificate, FlagOrText, Test};
use crate::config::{Text, Texts, codes};
use envoy_gateway::exposure::table::GuardKind;
use envoy_simulate::{ClientCertificate, Request};
use manifest::diagnostic::suggest::{listed, nearest};
use manifest::diagnostic::{Diagnostic, Span};

/// The most requests that a test may stand for.
const MOST_CASES: usize = 10_000;

/// One request of a test.
#[derive(Clone, Debug)]
pub struct Case {
    /// The request, without its address.
    pub request: Request,
    /// Where it comes from.
    pub origin: Origin,
}

impl Case {
    /// The request, in one line.
    pub fn shown(&self) -> String {
        let method = match self.request.scheme.is_http() {
            true => format!("{} ", self.request.method),
            false => String::new(),
        };
        let headers = self.request.headers.iter();
        let headers: Vec<String> = headers
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        let headers = match headers.is_empty() {
            true => String::new(),
            false => format!(" with {}", headers.join(", ")),
        };
        format!("{method}{}{headers}{}", self.request, self.origin.shown())
    }
}

/// The place of a test: its name, else the first value that has one.
pub fn place(test: &Test) -> Option<Span> {
    let request = &test.request;
    let texts = [&request.host, &request.path, &request.method, &request.from];
    let first = [&test.name, &request.url]
        .into_iter()
        .flatten()
        .find_map(|it| it.span);
    first.or_else(|| texts.into_iter().find_map(|it| it.span))
}

/// The name of a test.
pub fn name(test: &Test) -> String {
    let request = &test.request;
    let named = test.name.as_ref().or(request.url.as_ref());
    named
        .or(request.host.first())
        .map_or_else(String::new, |it| it.value.clone())
}

/// The requests of a test. If anything of the test is wrong, there are none, and `problems` says what.
pub fn cases(test: &Test, networks: &Networks, problems: &mut Vec<Diagnostic>) -> Vec<Case> {
    let before = problems.len();
    check_expectation(test, problems);
    let origins = origins(test, networks, problems);
    let mut requests = hosts(test, problems);
    each(
        &mut requests,
        &test.request.path,
        problems,
        |request, path| {
            let url = format!("{}://{}", request.scheme.as_str(), authority(request));
            let slash = if path.starts_with('/') { "" } else { "/" };
            let read = Request::get(&format!("{url}{slash}{path}")).map_err(|it| it.to_string())?;
            (request.path, request.query) = (read.path, read.query);
            Ok(())
        },
    );
    each(
        &mut requests,
        &test.request.method,
        problems,
        |request, method| request.set_method(method).map_err(|it| it.to_string()),
    );
    for (header, values) in test.request.headers.iter() {
        each(&mut requests, values, problems, |request, value| {
            let line = format!("{}: {value}", header.value);
            request.add_header(&line).map_err(|it| it.to_string())
        });
    }
    if requests.len() * origins.len() > MOST_CASES {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_INVALID_VALUE,
                format!("the test stands for more than {MOST_CASES} requests"),
            )
            .at(place(test))
            .why("there is a request for each combination of the values, so the test is not run")
            .help("write several tests"),
        );
    }
    if problems.len() > before {
        return Vec::new();
    }
    let settings = &test.request;
    let mut all = Vec::with_capacity(requests.len() * origins.len());
    for mut request in requests {
        request.verifies = !settings.insecure.as_ref().is_some_and(|it| it.value);
        request.signed_in = settings.signed_in.as_ref().is_some_and(|it| it.value);
        request.certificate = settings
            .client_certificate
            .as_ref()
            .map(|it| match it.value {
                Certificate::None => ClientCertificate::None,
                Certificate::Trusted => ClientCertificate::Trusted,
                Certificate::Untrusted => ClientCertificate::Untrusted,
            });
        let from = origins.iter();
        all.extend(from.map(|origin| Case {
            request: request.clone(),
            origin: origin.clone(),
        }));
    }
    all
}

fn authority(request: &Request) -> String {
    match request.host.contains(':') && !request.host.contains("${") {
        true => format!("[{}]:{}", request.host, request.port),
        false => format!("{}:{}", request.host, request.port),
    }
}

/// Multiplies the requests by the values of a key.
fn each(
    requests: &mut Vec<Request>,
    values: &Texts,
    problems: &mut Vec<Diagnostic>,
    set: impl Fn(&mut Request, &str) -> Result<(), String>,
) {
    if values.is_empty() {
        return;
    }
    let mut all = Vec::new();
    for (nth, base) in requests.iter().enumerate() {
        for value in values.iter() {
            // Further combinations are counted, but they are too many to be run.
            if all.len() > MOST_CASES {
                break;
            }
            let mut request = base.clone();
            match set(&mut request, value) {
                Ok(()) => all.push(request),
                // Each value is wrong once, however many requests there are.
                Err(why) if nth == 0 => problems.push(wrong(value, &why)),
                Err(_) => {}
            }
        }
    }
    *requests = all;
}

fn wrong(value: &Text, why: &str) -> Diagnostic {
    let why = why
        .strip_prefix("--method ")
        .or_else(|| why.strip_prefix("--header "))
        .unwrap_or(why);
    Diagnostic::new(
        codes::CONFIG_INVALID_VALUE,
        format!("it is not a request: {why}"),
    )
    .at(value.span)
    .why("the test is not run")
    .help("write what a client would send; `gatewayctl explain test.request` lists the keys")
}

/// A request for each host.
fn hosts(test: &Test, problems: &mut Vec<Diagnostic>) -> Vec<Request> {
    let settings = &test.request;
    let mut requests = Vec::new();
    let url = match (&settings.url, settings.host.first()) {
        (Some(url), _) => Some(url.clone()),
        (None, Some(host)) => Some(host.with(format!("https://{}/", host.value))),
        (None, None) => None,
    };
    let Some(url) = url else {
        problems.push(
            Diagnostic::new(codes::CONFIG_MISSING_KEY, "a test has no `request.url`")
                .at(place(test))
                .why("it is not known what is requested, so the test is not run")
                .help("add `request = { url = \"https://app.example.com/\" }`"),
        );
        return requests;
    };
    match Request::get(&url) {
        Ok(request) => requests.push(request),
        Err(bad) => {
            problems.push(wrong(&url, &bad.to_string()));
            // The other keys are checked in the place of any request.
            requests.extend(Request::get("https://example.com/"));
        }
    }
    each(&mut requests, &settings.host, problems, |request, host| {
        let read = Request::get(&format!("https://{host}/")).map_err(|it| it.to_string())?;
        // A port that is the same for both schemes is written.
        let plain = Request::get(&format!("http://{host}/")).map_err(|it| it.to_string())?;
        if plain.port == read.port {
            request.port = read.port;
        }
        (request.host, request.authority) = (read.host, read.authority);
        Ok(())
    });
    requests
}

fn origins(test: &Test, networks: &Networks, problems: &mut Vec<Diagnostic>) -> Vec<Origin> {
    if test.request.from.is_empty() {
        return vec![Origin::Unknown];
    }
    let mut all = Vec::new();
    for from in test.request.from.iter() {
        match networks.origin(from) {
            Ok(origin) => all.push(origin),
            Err(problem) => problems.push(*problem),
        }
    }
    all
}

/// What is wrong with an expectation, whatever happens to the request.
fn check_expectation(test: &Test, problems: &mut Vec<Diagnostic>) {
    let expect = &test.expect;
    let given = [
        expect.route.is_some(),
        expect.backend.is_given(),
        expect.guards.is_given(),
        expect.client_ip.is_some(),
        expect.status.is_some(),
        expect.redirect.is_some(),
        expect.refused.is_some(),
        expect.tls.is_some(),
        expect.reachable.is_some(),
        expect.gateway.is_some(),
        expect.listener.is_some(),
        expect.path.is_some(),
    ];
    if !given.contains(&true) {
        problems.push(
            Diagnostic::new(codes::CONFIG_MISSING_KEY, "a test expects nothing")
                .at(place(test))
                .why("it would pass whatever happens, so it is not run")
                .help("add `expect = { route = \"NAMESPACE/NAME\" }`; `gatewayctl explain test.expect` lists the keys"),
        );
    }
    for guard in expect.guards.iter() {
        check_guard(guard, guard.span, problems);
    }
    if let Some(refused) = &expect.refused
        && let FlagOrText::Text(guard) = &refused.value
    {
        check_guard(guard, refused.span, problems);
    }
    if let Some(client) = &expect.client_ip
        && client.value != "as sent"
        && client.parse::<std::net::IpAddr>().is_err()
    {
        invalid(
            format!("`{}` is not an address", client.value),
            client.span,
            "write an address, or `as sent` for the address in `from`",
            problems,
        );
    }
    if let Some(status) = &expect.status
        && !(100..=599).contains(&status.value)
    {
        invalid(
            format!("{} is not a status", status.value),
            status.span,
            "write a status of HTTP, from 100 to 599",
            problems,
        );
    }
    const VERSIONS: [&str; 5] = ["1.0", "1.1", "1.2", "1.3", "passthrough"];
    if let Some(tls) = &expect.tls
        && let FlagOrText::Text(version) = &tls.value
        && !VERSIONS.contains(&version.as_str())
    {
        invalid(
            format!("`{version}` is not a version of TLS"),
            tls.span,
            "write true, false, `1.0`, `1.1`, `1.2`, `1.3` or `passthrough`",
            problems,
        );
    }
}

fn check_guard(guard: &str, span: Option<Span>, problems: &mut Vec<Diagnostic>) {
    if GuardKind::parse(guard).is_some() {
        return;
    }
    let known = GuardKind::ALL.iter().map(|kind| kind.as_str());
    let help = match nearest(guard, known.clone()) {
        Some(near) => format!("write `{near}`"),
        None => format!("the guards are {}", listed(known)),
    };
    invalid(format!("`{guard}` is not a guard"), span, &help, problems);
}

fn invalid(message: String, span: Option<Span>, help: &str, problems: &mut Vec<Diagnostic>) {
    problems.push(
        Diagnostic::new(codes::CONFIG_INVALID_VALUE, message)
            .at(span)
            .why("no request could meet this expectation, so the test is not run")
            .help(help),
    );
}
