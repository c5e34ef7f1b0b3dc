//! Answers of the API server, after a check that they make sense.

use serde_json::Value as Json;

use manifest::diagnostic::printable::printable;

/// The most values that are parsed of an answer. The largest definitions have 25,000, including what others added,
/// and ten of them come in one answer. A value takes up to 300 bytes of memory.
const MOST_VALUES: usize = 500_000;

/// How many characters of the server's own text are quoted at most.
const LONGEST_QUOTE: usize = 1000;

/// An answer of the server.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status: 2xx, or 4xx with the server's reason, or 500 with what is wrong with a patch.
    pub status: u16,
    /// The body, which is an object.
    pub body: Json,
    /// The size of the body, in bytes.
    pub bytes: usize,
    /// The warnings in the answer.
    pub warnings: Vec<String>,
}

impl Answer {
    /// Whether the request succeeded.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The server's message on why it failed.
    pub fn message(&self) -> String {
        message(&self.body)
    }
}

/// The message in a `Status`.
pub fn message(body: &Json) -> String {
    let text = body["message"].as_str().unwrap_or("no message");
    quoted(text)
}

fn quoted(text: &str) -> String {
    let more = text.chars().nth(LONGEST_QUOTE).map(|_| '…');
    let short: String = text.chars().take(LONGEST_QUOTE).chain(more).collect();
    printable(&short)
}

/// Parses a body.
///
/// # Errors
/// If it is not JSON, or has too many values. The latter is checked before memory is used for them.
pub fn parse(body: &[u8]) -> Result<Json, String> {
    if values(body) > MOST_VALUES {
        return Err(format!("it has more than {MOST_VALUES} values"));
    }
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

/// An upper bound of the number of values in a JSON text: each value but the first follows a comma or an opening
/// bracket.
fn values(body: &[u8]) -> usize {
    let (mut count, mut in_string, mut is_escaped) = (1, false, false);
    for byte in body {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            b',' | b'[' | b'{' if !in_string => count += 1,
            _ => {}
        }
    }
    count
}

/// How messages begin that say that the server can't read an object as a patch, or the patch as an object of its own kind.
const ABOUT_PATCH: &[&str] = &[
    "failed to convert new object",
    "failed to create typed patch object",
];

/// Whether the server can't read the object as a patch, because of its fields and their types. It calls that an error of
/// its own (500), but it is an answer about the object.
pub(super) fn is_about_patch(message: &str) -> bool {
    ABOUT_PATCH.iter().any(|start| message.starts_with(start))
}

/// Checks that a body is what a Kubernetes API server answers with this status.
///
/// # Errors
/// What was answered instead, as the end of a sentence.
pub fn check(status: u16, body: &Json) -> Result<(), String> {
    let is_reason = || body["kind"] == "Status";
    match status {
        200..=299 if body.is_object() => Ok(()),
        400..=499 if is_reason() => Ok(()),
        500 if is_reason() && is_about_patch(&message(body)) => Ok(()),
        200..=299 => Err(format!("{status} and {} instead of an object", shown(body))),
        400..=499 => Err(format!("{status} and {} instead of a Status", shown(body))),
        _ => Err(format!("{status} and {}", shown(body))),
    }
}

/// Describes a JSON value in a few words.
pub fn shown(body: &Json) -> String {
    match body {
        Json::Array(items) => format!("a list of {}", items.len()),
        Json::Object(map) => match map.get("kind").and_then(Json::as_str) {
            Some(kind) => format!("an object of kind `{}`", quoted(kind)),
            None => "an object without a kind".to_owned(),
        },
        Json::String(_) => "a string".to_owned(),
        other => format!("`{other}`"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_makes_sense_is_an_answer() {
        let status = json!({"kind": "Status", "message": "no"});
        for (code, body) in [
            (200, json!({})),
            (201, json!({"kind": "Gateway"})),
            (404, status.clone()),
            (422, status.clone()),
            (
                500,
                json!({"kind": "Status", "message": "failed to create typed patch object (a)"}),
            ),
            (
                500,
                json!({"kind": "Status", "message": "failed to convert new object (a) to proper version: b"}),
            ),
        ] {
            assert_eq!(check(code, &body), Ok(()));
        }
        for (code, body, told) in [
            (200, json!(true), "200 and `true` instead of an object"),
            (200, json!([1]), "200 and a list of 1 instead of an object"),
            (
                404,
                json!({}),
                "404 and an object without a kind instead of a Status",
            ),
            (404, json!(null), "404 and `null` instead of a Status"),
            (302, status.clone(), "302 and an object of kind `Status`"),
            (500, status, "500 and an object of kind `Status`"),
        ] {
            assert_eq!(check(code, &body), Err(told.to_owned()));
        }
    }

    #[test]
    fn an_answer_of_too_many_values_is_not_read() {
        let many = format!("[{}0]", "[],".repeat(MOST_VALUES / 2));
        assert_eq!(
            parse(many.as_bytes()),
            Err("it has more than 500000 values".to_owned())
        );
        let text = format!("[{:?}]", ",[{".repeat(MOST_VALUES));
        assert!(parse(text.as_bytes()).is_ok());
    }

    fn counted(value: &Json) -> usize {
        match value {
            Json::Array(items) => 1 + items.iter().map(counted).sum::<usize>(),
            Json::Object(map) => 1 + map.values().map(counted).sum::<usize>(),
            _ => 1,
        }
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<i64>().prop_map(Json::from),
            "[\\\\\",\\[{é]{0,6}".prop_map(Json::from)
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            let pair = ("[\\\\\",{]{0,3}", inner.clone());
            prop_oneof![
                prop::collection::vec(inner, 0..5).prop_map(Json::from),
                prop::collection::vec(pair, 0..5)
                    .prop_map(|pairs| Json::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_count_is_never_too_low(value in any_json()) {
            prop_assert!(values(value.to_string().as_bytes()) >= counted(&value));
        }
    }
}
