//! Authentication by a SecurityPolicy. The order is that of Envoy Gateway's filters: CORS, CSRF, external
//! authorization, API keys, basic authentication, OpenID Connect, JWT.

use super::policies::InForce;
use super::route::ChosenRule;
use super::{Mark, Outcome, RequestState, Stage, StageResult, Step, stop};
use envoy_gateway::policy::PolicyKind;
use envoy_gateway::read::{flag, has, list, text};
use manifest::value::Node;

/// The methods that change something, which CSRF protection applies to.
const MUTATING: [&str; 4] = ["POST", "PUT", "DELETE", "PATCH"];

/// The result of one way of authentication.
enum AuthenticationResult {
    /// The request has what is required. Whether it is valid is not known here.
    Given(String),
    /// The request doesn't have it, but doesn't need it.
    Optional(String),
    /// The request doesn't have it, which ends the trace.
    Ends(String, Outcome),
}

/// One way of authentication, as a function of its settings.
type Authentication = fn(&RequestState<'_, '_>, &Node) -> AuthenticationResult;

fn denied(status: u16, why: &str) -> Outcome {
    Outcome::Response {
        status,
        why: why.to_owned(),
    }
}

impl<'a> RequestState<'a, '_> {
    /// Applies authentication.
    pub(super) fn authentication(&mut self, chosen: &ChosenRule<'a>) -> StageResult<()> {
        self.route_cors(chosen)?;
        let policy = self.in_force(PolicyKind::Security, chosen.listener, Some(chosen));
        let Some(policy) = policy else {
            return Ok(());
        };
        if let Some(why) = policy.refused.clone() {
            let step = Step::new(Stage::Security, format!("{} is refused", policy.named()))
                .mark(Mark::Stops)
                .detail(why);
            self.add_for(step, &policy, &[]);
            return stop(500, "a refused SecurityPolicy makes its routes answer 500");
        }
        self.policy_cors(&policy)?;
        const WAYS: [(&str, Authentication); 6] = [
            ("csrf", csrf),
            ("extAuth", external),
            ("apiKeyAuth", api_key),
            ("basicAuth", basic),
            ("oidc", oidc),
            ("jwt", jwt),
        ];
        for (key, ask) in WAYS {
            let Some(settings) = policy.spec.get(key).cloned() else {
                continue;
            };
            let (step, outcome) = match ask(self, &settings) {
                AuthenticationResult::Given(text) if self.request.signed_in && key != "csrf" => {
                    let step = Step::new(Stage::Security, text);
                    (step.detail("the client is signed in"), None)
                }
                AuthenticationResult::Given(text) => {
                    (Step::new(Stage::Security, text).mark(Mark::Unknown), None)
                }
                AuthenticationResult::Optional(text) => (Step::new(Stage::Security, text), None),
                AuthenticationResult::Ends(text, _) if self.request.signed_in && key != "csrf" => {
                    let step = Step::new(Stage::Security, text);
                    (step.detail("the client is signed in"), None)
                }
                AuthenticationResult::Ends(text, outcome) => {
                    let step = Step::new(Stage::Security, text).mark(Mark::Stops);
                    (step, Some(outcome))
                }
            };
            let step = step.detail(format!("`{key}` of {}", policy.named()));
            self.add_for(step, &policy, &[key]);
            if let Some(outcome) = outcome {
                return Err(outcome);
            }
        }
        Ok(())
    }

    /// Applies the CORS filters of the rule itself.
    fn route_cors(&mut self, chosen: &ChosenRule<'a>) -> StageResult<()> {
        let Some(route) = self.inputs.resolved.route(chosen.route) else {
            return Ok(());
        };
        let rule = route.rules.get(chosen.rule);
        let filters = rule.map_or(&[][..], |it| list(it.node, &["filters"]));
        let cors = filters.iter().find_map(|it| it.get("cors"));
        if let Some(answer) = cors.and_then(|cors| self.preflight(cors)) {
            let step = Step::new(Stage::Security, answer).mark(Mark::Stops);
            self.add(step.at(route.object, &["spec", "rules"]));
            return stop(200, "the gateway answers CORS preflights itself");
        }
        Ok(())
    }

    fn policy_cors(&mut self, policy: &InForce<'a>) -> StageResult<()> {
        let answer = policy
            .spec
            .get("cors")
            .and_then(|cors| self.preflight(cors));
        let Some(answer) = answer else {
            return Ok(());
        };
        let step = Step::new(Stage::Security, answer).mark(Mark::Stops);
        self.add_for(step, policy, &["cors"]);
        stop(200, "the gateway answers CORS preflights itself")
    }

    /// Describes a preflight. Envoy answers all of them itself, those from other origins without the headers of CORS.
    fn preflight(&self, cors: &Node) -> Option<String> {
        let origin = self.request.header("origin")?;
        let is_preflight = self.request.method == "OPTIONS"
            && self
                .request
                .header("access-control-request-method")
                .is_some();
        let allows = |pattern: &str| match pattern.split_once('*') {
            None => pattern == origin,
            Some((before, behind)) => {
                origin.len() >= before.len() + behind.len()
                    && origin.starts_with(before)
                    && origin.ends_with(behind)
            }
        };
        let origins = list(cors, &["allowOrigins"]);
        let is_allowed = origins.iter().filter_map(Node::as_str).any(allows);
        is_preflight.then(|| match is_allowed {
            true => format!("a CORS preflight from {origin}, which is allowed"),
            false => format!(
                "a CORS preflight from {origin}, which is not allowed: without the headers of CORS, browsers don't send the request"
            ),
        })
    }

    fn bearer(&self) -> Option<String> {
        let header = self.request.header("authorization")?;
        let (scheme, token) = header.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| token.to_owned())
    }

    fn has_cookie(&self, name: &str) -> bool {
        let cookies = self.request.header("cookie").unwrap_or_default();
        let mut all = cookies.split([';', ',']);
        all.any(|one| one.trim().split('=').next() == Some(name))
    }
}

fn csrf(state: &RequestState<'_, '_>, settings: &Node) -> AuthenticationResult {
    let request = &state.request;
    if !MUTATING.contains(&request.method.as_str()) {
        return AuthenticationResult::Optional(format!(
            "{} has no effect, because the request has no origin",
            request.method
        ));
    }
    let origin = request
        .header("origin")
        .or_else(|| request.header("referer"));
    let host = origin.as_deref().map(|it| {
        let host = it.split_once("://").map_or(it, |(_, rest)| rest);
        let host = host.split(['/', '?']).next().unwrap_or_default();
        host.rsplit_once(':')
            .map_or(host, |(host, _)| host)
            .to_lowercase()
    });
    match host {
        Some(host) if host == request.authority => {
            AuthenticationResult::Optional("the origin is the same as the host".to_owned())
        }
        _ if has(settings, &["shadowFraction"]) => AuthenticationResult::Given(
            "the origin is only checked for a part of the requests".to_owned(),
        ),
        Some(host) if !list(settings, &["additionalOrigins"]).is_empty() => {
            AuthenticationResult::Given(format!(
                "the origin {host} must be one of `additionalOrigins`"
            ))
        }
        _ => AuthenticationResult::Ends(
            "the origin differs from the host".to_owned(),
            denied(403, "the request comes from another origin (CSRF)"),
        ),
    }
}

fn external(_: &RequestState<'_, '_>, settings: &Node) -> AuthenticationResult {
    let backends = ["http", "grpc"].iter().filter_map(|key| settings.get(key));
    let first = backends
        .flat_map(|it| {
            list(it, &["backendRefs"])
                .iter()
                .chain(it.get("backendRef"))
        })
        .next();
    let name = first.map_or("an external service", |it| {
        text(it, &["name"]).unwrap_or_default()
    });
    let else_passes = match flag(settings, &["failOpen"]) {
        Some(true) => "; if it does not answer, requests are allowed",
        _ => "",
    };
    AuthenticationResult::Given(format!(
        "{name} decides whether the request is allowed{else_passes}"
    ))
}

fn api_key(state: &RequestState<'_, '_>, settings: &Node) -> AuthenticationResult {
    let parameters = state.request.parameters();
    let mut places = Vec::new();
    for source in list(settings, &["extractFrom"]) {
        let names = |key: &str| {
            let all = list(source, &[key]).iter().filter_map(Node::as_str);
            all.collect::<Vec<_>>()
        };
        for name in names("headers") {
            places.push((
                format!("header {name}"),
                state.request.header(&name.to_lowercase()).is_some(),
            ));
        }
        for name in names("params") {
            places.push((
                format!("parameter {name}"),
                parameters.iter().any(|(its, _)| its == name),
            ));
        }
        for name in names("cookies") {
            places.push((format!("cookie {name}"), state.has_cookie(name)));
        }
    }
    if let Some((place, _)) = places.iter().find(|(_, is_there)| *is_there) {
        return AuthenticationResult::Given(format!(
            "an API key is in the {place}; whether it is valid is not known here"
        ));
    }
    let places: Vec<String> = places.into_iter().map(|(place, _)| place).collect();
    AuthenticationResult::Ends(
        format!("an API key is required, in the {}", places.join(" or ")),
        denied(401, "the request has no API key"),
    )
}

fn basic(state: &RequestState<'_, '_>, _: &Node) -> AuthenticationResult {
    let header = state.request.header("authorization").unwrap_or_default();
    match header.to_lowercase().starts_with("basic ") {
        true => AuthenticationResult::Given(
            "a user name and password are given; whether they are valid is not known here"
                .to_owned(),
        ),
        false => AuthenticationResult::Ends(
            "a user name and password are required".to_owned(),
            denied(401, "the request has no `Authorization: Basic …`"),
        ),
    }
}

fn oidc(state: &RequestState<'_, '_>, settings: &Node) -> AuthenticationResult {
    let issuer = text(settings, &["provider", "issuer"]).unwrap_or_default();
    let callback = text(settings, &["redirectURL"]).unwrap_or("%/oauth2/callback");
    let callback = callback
        .split_once("://")
        .map_or(callback, |(_, rest)| rest);
    let callback = callback
        .find('/')
        .and_then(|at| callback.get(at..))
        .unwrap_or("/oauth2/callback");
    let logout = text(settings, &["logoutPath"]).unwrap_or("/logout");
    let path = state.request.path.as_str();
    if flag(settings, &["passThroughAuthHeader"]) == Some(true) && state.bearer().is_some() {
        return AuthenticationResult::Optional(
            "a token is given, and left to JWT authentication (`passThroughAuthHeader`)".to_owned(),
        );
    }
    if path == callback {
        return AuthenticationResult::Given(format!(
            "{callback} is the URL that {issuer} redirects users back to"
        ));
    }
    if path == logout {
        let outcome = Outcome::Redirect {
            status: 302,
            location: "/".to_owned(),
            is_loop: false,
        };
        return AuthenticationResult::Ends(format!("{logout} ends the session"), outcome);
    }
    if state.request.header("cookie").is_some() {
        return AuthenticationResult::Given(
            "cookies are given; whether one of them is a session is not known here".to_owned(),
        );
    }
    if has(settings, &["denyRedirect"]) {
        return AuthenticationResult::Given(
            "without a session, some requests get 401 and others a redirect (`denyRedirect`)"
                .to_owned(),
        );
    }
    let endpoint = text(settings, &["provider", "authorizationEndpoint"]);
    let outcome = Outcome::Redirect {
        status: 302,
        location: endpoint.unwrap_or(issuer).to_owned(),
        is_loop: false,
    };
    AuthenticationResult::Ends(
        format!("users without a session are redirected to {issuer} to sign in"),
        outcome,
    )
}

fn jwt(state: &RequestState<'_, '_>, settings: &Node) -> AuthenticationResult {
    let parameters = state.request.parameters();
    let mut names = Vec::new();
    for provider in list(settings, &["providers"]) {
        names.push(text(provider, &["name"]).unwrap_or_default());
        let from = provider.get("extractFrom");
        let is_there = match from {
            None => {
                state.bearer().is_some()
                    || parameters.iter().any(|(name, _)| name == "access_token")
            }
            Some(from) => {
                let mut headers = list(from, &["headers"])
                    .iter()
                    .filter_map(|it| text(it, &["name"]));
                let mut cookies = list(from, &["cookies"]).iter().filter_map(Node::as_str);
                let mut params = list(from, &["params"]).iter().filter_map(Node::as_str);
                headers.any(|name| state.request.header(&name.to_lowercase()).is_some())
                    || cookies.any(|name| state.has_cookie(name))
                    || params.any(|name| parameters.iter().any(|(its, _)| its == name))
            }
        };
        if is_there {
            return AuthenticationResult::Given(
                "a token is given; whether it is valid is not known here".to_owned(),
            );
        }
    }
    if flag(settings, &["optional"]) == Some(true) {
        return AuthenticationResult::Optional(
            "no token is given, and none is required (`optional`)".to_owned(),
        );
    }
    AuthenticationResult::Ends(
        format!("a token (JWT) of {} is required", names.join(" or ")),
        denied(401, "the request has no token"),
    )
}
