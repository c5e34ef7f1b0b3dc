//! Requests to one API server, with retries and time limits.

use std::time::Duration;

use http::{HeaderMap, Method, Request, header};
use http_body_util::{BodyExt, Limited};
use kube::client::{Body, Client};
use serde_json::Value as Json;
use tokio::time::{Instant, sleep, timeout_at};

use super::answer::{self, Answer, message, shown};
use super::error::Error;
use super::kinds::{escaped, text};
use super::transport;
use manifest::diagnostic::printable::printable;

/// The maximum number of attempts for a request.
const TRIES: u32 = 5;
/// The wait before the second attempt. It doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// The maximum time for an answer. If half of the total time is less, that counts.
const ANSWER: Duration = Duration::from_secs(20);
/// The maximum size of an answer, in bytes. Ten of the largest objects that an API server can store have 15 MB.
const LARGEST_ANSWER: usize = 32 << 20;
/// The maximum number of pages of a list, and their maximum size together. All CustomResourceDefinitions of a large
/// cluster have about 30 MB.
const MOST_PAGES: usize = 1000;
const LARGEST_LIST: usize = 64 << 20;

/// An upper bound of time limits, because longer ones may overflow.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// The time limit for everything.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    /// The total time.
    pub time: Duration,
    /// When it ends.
    pub deadline: Instant,
}

impl Deadline {
    /// Starts now.
    pub fn from_now(time: Duration) -> Self {
        Deadline {
            time,
            deadline: Instant::now() + time.min(LONGEST),
        }
    }

    /// The time that is left.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// A connection to one API server.
pub struct Server {
    client: Client,
    /// Its address.
    pub url: String,
    /// The context of the kubeconfig.
    pub context: String,
    deadline: Instant,
    time: Duration,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("url", &self.url).finish()
    }
}

/// A request.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// The accepted media type of the answer.
    pub accept: &'static str,
    /// The body with its media type.
    pub body: Option<(&'static str, Json)>,
}

impl Ask {
    /// A `GET` request.
    pub fn get(path: impl Into<String>) -> Self {
        Ask {
            method: Method::GET,
            path: path.into(),
            accept: "application/json",
            body: None,
        }
    }

    /// Sets the accepted media type.
    #[must_use]
    pub fn accept(self, accept: &'static str) -> Self {
        Ask { accept, ..self }
    }

    /// A server-side apply request.
    pub fn apply(path: impl Into<String>, object: Json) -> Self {
        Ask {
            method: Method::PATCH,
            // JSON is valid YAML.
            body: Some(("application/apply-patch+yaml", object)),
            ..Ask::get(path)
        }
    }

    /// The request in error messages, without the query.
    fn shown(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        format!("{} {path}", self.method)
    }
}

/// The result of one attempt.
enum Attempt {
    Answered(Answer),
    /// Another attempt makes sense, after the wait that the server asks for.
    Again(Error, Option<Duration>),
    Failed(Error),
}

impl Server {
    /// Creates a server. All requests together must end before `until`.
    pub fn new(client: Client, url: String, context: String, until: Deadline) -> Self {
        Server {
            client,
            url,
            context,
            deadline: until.deadline,
            time: until.time,
        }
    }

    /// Reads one object; `None` if it doesn't exist.
    ///
    /// # Errors
    /// If the answer is neither the object nor 404.
    pub async fn find(&self, ask: &Ask) -> Result<Option<Json>, Error> {
        let answer = self.ask(ask).await?;
        match answer.status {
            _ if answer.is_success() => Ok(Some(answer.body)),
            404 => Ok(None),
            _ => Err(self.other(ask, &answer)),
        }
    }

    /// Reads a list page by page, and calls `take` with each item.
    ///
    /// # Errors
    /// If the list can't be read completely.
    pub async fn list(&self, ask: &Ask, mut take: impl FnMut(Json)) -> Result<(), Error> {
        let (mut next, mut bytes) = (String::new(), 0);
        let mark = if ask.path.contains('?') { '&' } else { '?' };
        for _ in 0..MOST_PAGES {
            let page = Ask {
                path: match next.as_str() {
                    "" => ask.path.clone(),
                    next => format!("{}{mark}continue={}", ask.path, escaped(next)),
                },
                ..ask.clone()
            };
            let mut answer = self.ask(&page).await?;
            if !answer.is_success() {
                return Err(self.other(ask, &answer));
            }
            bytes += answer.bytes;
            if bytes > LARGEST_LIST {
                return Err(self.unusable(ask, format!("more than {LARGEST_LIST} bytes")));
            }
            match answer.body["items"].take() {
                Json::Array(items) => items.into_iter().for_each(&mut take),
                // An empty list may be `null`.
                Json::Null if answer.body["metadata"].is_object() => {}
                _ => {
                    let problem = format!("{} instead of a list", shown(&answer.body));
                    return Err(self.unusable(ask, problem));
                }
            }
            next = text(&answer.body["metadata"]["continue"]);
            if next.is_empty() {
                return Ok(());
            }
        }
        Err(self.unusable(ask, format!("a list of more than {MOST_PAGES} pages")))
    }

    /// Sends a request, and repeats it if that makes sense: after 429, 5xx and broken connections.
    ///
    /// # Errors
    /// If there is no answer in time, or none that can be used.
    pub async fn ask(&self, ask: &Ask) -> Result<Answer, Error> {
        let mut wait = FIRST_WAIT;
        let mut tries = 1;
        loop {
            match self.attempt(ask, tries).await {
                Attempt::Answered(answer) => return Ok(answer),
                Attempt::Failed(error) => return Err(error),
                Attempt::Again(error, _) if tries >= TRIES => return Err(error),
                Attempt::Again(error, asked) => {
                    let pause = asked.unwrap_or(wait);
                    let then = Instant::now().checked_add(pause);
                    if then.is_none_or(|then| then >= self.deadline) {
                        return Err(error);
                    }
                    sleep(pause).await;
                    wait *= 2;
                    tries += 1;
                }
            }
        }
    }

    async fn attempt(&self, ask: &Ask, tries: u32) -> Attempt {
        let request = match self.request(ask) {
            Ok(request) => request,
            Err(error) => return Attempt::Failed(error),
        };
        let until = self.deadline.min(Instant::now() + self.patience());
        let exchange = async {
            let response = self.client.send(request).await?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, LARGEST_ANSWER).collect().await;
            Ok::<_, kube::Error>((parts, body))
        };
        let (parts, body) = match timeout_at(until, exchange).await {
            Err(_) => return Attempt::Failed(self.late(ask)),
            Ok(Err(error)) => {
                let error = transport::error(&error, self);
                return match error {
                    // A server that has just answered may be restarting.
                    Error::Unreachable { .. } if tries <= 2 => Attempt::Again(error, None),
                    error => Attempt::Failed(error),
                };
            }
            Ok(Ok(answer)) => answer,
        };
        let body = match body {
            Ok(body) => body.to_bytes(),
            Err(error) => return Attempt::Again(self.unusable(ask, error.to_string()), None),
        };
        let status = parts.status.as_u16();
        self.judge(ask, status, &parts.headers, &body, tries)
    }

    fn judge(
        &self,
        ask: &Ask,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
        tries: u32,
    ) -> Attempt {
        let json = answer::parse(body);
        let words = json.as_ref().map(message).unwrap_or_default();
        match status {
            401 => Attempt::Failed(Error::Unauthorized {
                server: self.url.clone(),
                context: self.context.clone(),
            }),
            403 if !is_about_namespace(&words) => Attempt::Failed(Error::Forbidden {
                request: ask.shown(),
                message: words,
            }),
            429 | 500..=599 if !answer::is_about_patch(&words) => {
                let error = Error::Busy {
                    server: self.url.clone(),
                    request: ask.shown(),
                    status,
                    tries,
                    message: words,
                };
                Attempt::Again(error, retry_after(headers))
            }
            _ => match json {
                Ok(json) => match answer::check(status, &json) {
                    Ok(()) => Attempt::Answered(Answer {
                        status,
                        bytes: body.len(),
                        body: json,
                        warnings: warnings(headers),
                    }),
                    Err(problem) => Attempt::Failed(self.unusable(ask, problem)),
                },
                Err(error) => Attempt::Failed(self.unusable(ask, format!("{status}, {error}"))),
            },
        }
    }

    fn request(&self, ask: &Ask) -> Result<Request<Body>, Error> {
        let builder = Request::builder()
            .method(ask.method.clone())
            .uri(&ask.path)
            .header(header::ACCEPT, ask.accept)
            .header(
                header::USER_AGENT,
                concat!("gatewayctl/", env!("CARGO_PKG_VERSION")),
            );
        let built = match &ask.body {
            Some((form, body)) => builder
                .header(header::CONTENT_TYPE, *form)
                .body(Body::from(body.to_string().into_bytes())),
            None => builder.body(Body::empty()),
        };
        built.map_err(|error| self.unusable(ask, error.to_string()))
    }

    fn patience(&self) -> Duration {
        ANSWER.min(self.time / 2)
    }

    fn late(&self, ask: &Ask) -> Error {
        let (server, request) = (self.url.clone(), ask.shown());
        if Instant::now() >= self.deadline {
            return Error::OutOfTime {
                server,
                request,
                after: self.time,
            };
        }
        Error::Stalled {
            server,
            request,
            after: self.patience(),
        }
    }

    /// The error for an answer that the caller can't use.
    pub fn other(&self, ask: &Ask, answer: &Answer) -> Error {
        self.unusable(ask, format!("{}, {}", answer.status, answer.message()))
    }

    /// The error for an answer that an API server doesn't give.
    pub fn unusable(&self, ask: &Ask, problem: String) -> Error {
        Error::Answer {
            server: self.url.clone(),
            request: ask.shown(),
            problem,
        }
    }
}

/// In a namespace that is being deleted, creating an object is answered with 403, but permission is not missing.
fn is_about_namespace(message: &str) -> bool {
    message.contains("because it is being terminated")
}

/// The wait that the server asks for, in seconds (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// The texts in `Warning` headers: `299 - "text"`.
fn warnings(headers: &HeaderMap) -> Vec<String> {
    let all = headers.get_all(header::WARNING).iter();
    let texts = all.filter_map(|value| value.to_str().ok());
    texts
        .filter_map(|text| Some(text.split_once('"')?.1.trim_end_matches('"')))
        .map(|text| printable(&text.replace("\\\"", "\"")))
        .collect()
}
