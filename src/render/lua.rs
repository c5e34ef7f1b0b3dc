//! Lua literals for values in scripts.

use minijinja::{Error, ErrorKind, Value};

/// Writes a value as a Lua literal. Strings are written in double quotes. Every byte that is not plain ASCII,
/// and every quote, backslash, `%` and `$`, is written as a decimal escape (Lua 5.1, section 2.1), so that
/// neither Lua, nor Lua's patterns, nor Flux's substitution interprets it.
/// # Errors
/// Fails if the value is neither a string nor a whole number.
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
            format!("{} can't be written to a script", value.kind()),
        )),
    }
}
