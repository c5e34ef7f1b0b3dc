//! What the server said, as far as it makes sense.

use serde_json::Value as Json;

use crate::diagnostic::printable::printable;

/// The most values that are read of an answer. The largest definitions have 25,000 with all that others wrote into
/// them, and come ten at a time; a value takes up to 300 bytes of memory.
const MOST_VALUES: usize = 500_000;

/// The longest text of the server's own that is quoted, in characters.
const LONGEST_QUOTE: usize = 1000;

/// What the server said.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status: 2xx; or 4xx, with the server's own reasons for it.
    pub status: u16,
    /// The body: an object.
    pub body: Json,
    /// How many bytes the body had.
    pub bytes: usize,
    /// What it warned of.
    pub warnings: Vec<String>,
}

impl Answer {
    /// Whether it did what was asked.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The server's own words on why it did not.
    pub fn message(&self) -> String {
        message(&self.body)
    }
}

/// The server's own words in a `Status`.
pub fn message(body: &Json) -> String {
    let text = body["message"].as_str().unwrap_or("no message");
    quoted(text)
}

fn quoted(text: &str) -> String {
    let more = text.chars().nth(LONGEST_QUOTE).map(|_| '…');
    let short: String = text.chars().take(LONGEST_QUOTE).chain(more).collect();
    printable(&short)
}

/// Reads a body.
///
/// # Errors
/// If it is no JSON, or has more values than are read: said before any of them takes memory.
pub fn parse(body: &[u8]) -> Result<Json, String> {
    if values(body) > MOST_VALUES {
        return Err(format!("it has more than {MOST_VALUES} values"));
    }
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

/// How many values a JSON text has, at most: each but the first stands behind a comma or opens a list or an object.
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

/// Whether a body is what a Kubernetes API server answers with a status; else what it is instead.
///
/// # Errors
/// What was answered, as the end of a sentence.
pub fn check(status: u16, body: &Json) -> Result<(), String> {
    let is_reason = || body["kind"] == "Status";
    match status {
        200..=299 if body.is_object() => Ok(()),
        400..=499 if is_reason() => Ok(()),
        200..=299 => Err(format!(
            "{status} and {}, where an object should be",
            shown(body)
        )),
        400..=499 => Err(format!(
            "{status} and {}, where a Status should be",
            shown(body)
        )),
        _ => Err(format!("{status} and {}", shown(body))),
    }
}

/// What a JSON value is, in a few words.
pub fn shown(body: &Json) -> String {
    match body {
        Json::Array(items) => format!("a list of {}", items.len()),
        Json::Object(map) => match map.get("kind").and_then(Json::as_str) {
            Some(kind) => format!("an object of kind `{}`", quoted(kind)),
            None => "an object without a kind".to_owned(),
        },
        Json::String(_) => "a text".to_owned(),
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
        ] {
            assert_eq!(check(code, &body), Ok(()));
        }
        for (code, body, told) in [
            (
                200,
                json!(true),
                "200 and `true`, where an object should be",
            ),
            (
                200,
                json!([1]),
                "200 and a list of 1, where an object should be",
            ),
            (
                404,
                json!({}),
                "404 and an object without a kind, where a Status should be",
            ),
            (404, json!(null), "404 and `null`, where a Status should be"),
            (302, status, "302 and an object of kind `Status`"),
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
