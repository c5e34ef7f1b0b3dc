//! Values in Lua scripts.

use minijinja::{Error, ErrorKind, Value};

/// A value as a Lua literal. Strings are in double quotes with every byte outside of plain ASCII, and every
/// quote, backslash, `%` and `$` as a decimal escape (Lua 5.1, section 2.1): nothing in them is read by Lua,
/// by its patterns' eyes, or by Flux.
///
/// # Errors
/// Where it is neither text nor a whole number.
pub fn literal(value: &Value) -> Result<String, Error> {
    if let Some(text) = value.as_str() {
        let mut literal = String::from("\"");
        for byte in text.bytes() {
            match byte {
                b'"' | b'\\' | b'$' | b'%' | 0..=31 | 127.. => {
                    literal.push_str(&format!("\\{byte:03}"))
                }
                _ => literal.push(char::from(byte)),
            }
        }
        literal.push('"');
        return Ok(literal);
    }
    match i64::try_from(value.clone()) {
        Ok(number) if value.is_number() => Ok(number.to_string()),
        _ => Err(Error::new(
            ErrorKind::BadSerialization,
            format!("{} can't stand in a script", value.kind()),
        )),
    }
}
