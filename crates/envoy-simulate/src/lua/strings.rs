//! Lua's `string` functions that can take long for a short call, with every step counted.

use std::rc::Rc;

use mlua::{FromLua, IntoLua, Lua, LuaString, MultiValue, Table, Value};

use super::pattern::{Capture, Matcher};
use super::state::{CALL, State, steps_for};

/// The cost of a match in addition to the steps for finding it.
const MATCH: u64 = 5;

/// The characters that make a string a pattern.
const SPECIALS: &[u8] = b"^$*+?.([%-";

/// Replaces Lua's own functions with the counted ones.
pub(super) fn replace(lua: &Lua, state: &Rc<State>) -> mlua::Result<()> {
    let strings: Table = lua.globals().get("string")?;
    for (name, wants_places) in [("find", true), ("match", false)] {
        let state = Rc::clone(state);
        let function = lua.create_function(
            move |lua, (text, pattern, start, plain): (LuaString, LuaString, Option<f64>, Value)| {
                let is_plain = !matches!(plain, Value::Nil | Value::Boolean(false));
                let search = Search {
                    state: &state,
                    text: &text.as_bytes(),
                    pattern: &pattern.as_bytes(),
                };
                search.find(lua, start, is_plain, wants_places)
            },
        )?;
        strings.set(name, function)?;
    }
    let of_gsub = Rc::clone(state);
    let function = lua.create_function(move |lua, all| gsub(lua, &of_gsub, all))?;
    strings.set("gsub", function)?;
    let of_rep = Rc::clone(state);
    let function = lua.create_function(
        move |lua, (text, count, between): (LuaString, f64, Option<LuaString>)| {
            let between = between.map_or(Vec::new(), |it| it.as_bytes().to_vec());
            rep(lua, &of_rep, &text.as_bytes(), count, &between)
        },
    )?;
    strings.set("rep", function)?;
    let of_dump = Rc::clone(state);
    let function =
        lua.create_function(move |_, _: MultiValue| of_dump.unknown::<()>("`string.dump`"))?;
    strings.set("dump", function)
}

fn rep(
    lua: &Lua,
    state: &State,
    text: &[u8],
    count: f64,
    between: &[u8],
) -> mlua::Result<LuaString> {
    let a_piece = text.len().saturating_add(between.len());
    if a_piece == 0 || count.is_nan() || count < 1.0 {
        return lua.create_string("");
    }
    // The conversion saturates if the number is too large.
    let count = count as usize;
    let length = a_piece.saturating_mul(count);
    state.has_room(length)?;
    state.charge_call(length)?;
    let mut out = Vec::with_capacity(length);
    for at in 0..count {
        if at > 0 {
            out.extend_from_slice(between);
        }
        out.extend_from_slice(text);
    }
    lua.create_string(out)
}

/// A search in a string.
struct Search<'s> {
    state: &'s State,
    text: &'s [u8],
    pattern: &'s [u8],
}

impl<'s> Search<'s> {
    fn matcher(&self, pattern: &'s [u8]) -> Matcher<'s, impl Fn(u64) -> mlua::Result<()> + 's> {
        let state = self.state;
        Matcher::new(self.text, pattern, move |steps| state.charge(steps))
    }

    /// The index of the byte to start at. `start` counts from 1, or from the end if it is negative.
    fn from(&self, start: Option<f64>) -> usize {
        let start = start.unwrap_or(1.0);
        let length = self.text.len();
        if start >= 1.0 {
            // The conversion saturates, which is past the end.
            (start as usize).saturating_sub(1)
        } else if start < 0.0 {
            length.saturating_sub((-start) as usize)
        } else {
            0
        }
    }

    fn find(
        &self,
        lua: &Lua,
        start: Option<f64>,
        is_plain: bool,
        wants_places: bool,
    ) -> mlua::Result<MultiValue> {
        let nothing = || Ok(MultiValue::from_iter([Value::Nil]));
        self.state.charge_call(self.pattern.len())?;
        // LuaJIT starts at the end if `start` is past it.
        let from = self.from(start).min(self.text.len());
        let is_text = is_plain || !self.pattern.iter().any(|it| SPECIALS.contains(it));
        if wants_places && is_text {
            let rest = self.text.get(from..).unwrap_or_default();
            self.state.charge(steps_for(rest.len()))?;
            let Some(at) = memchr::memmem::find(rest, self.pattern) else {
                return nothing();
            };
            let first = from + at;
            let places = [first + 1, first + self.pattern.len()];
            return places.into_iter().map(|it| it.into_lua(lua)).collect();
        }
        let (is_anchored, pattern) = match self.pattern.split_first() {
            Some((b'^', rest)) => (true, rest),
            _ => (false, self.pattern),
        };
        let mut matcher = self.matcher(pattern);
        for at in from..=self.text.len() {
            if let Some(end) = matcher.at(at)? {
                let mut values = Vec::new();
                if wants_places {
                    values.push((at + 1).into_lua(lua)?);
                    values.push(end.into_lua(lua)?);
                    values.extend(self.values(lua, &matcher.captures)?);
                } else {
                    values.extend(self.values(lua, &matcher.all(at, end))?);
                }
                return Ok(MultiValue::from_iter(values));
            }
            if is_anchored {
                break;
            }
        }
        nothing()
    }

    /// The first match from a position on, as the next position to search from and the captures.
    fn next_match(&self, lua: &Lua, from: usize) -> mlua::Result<MultiValue> {
        self.state.charge(CALL)?;
        let mut matcher = self.matcher(self.pattern);
        for at in from..=self.text.len() {
            if let Some(end) = matcher.at(at)? {
                // After an empty match, the search continues one byte further.
                let next = if end == at { end + 1 } else { end };
                let mut values = vec![(next + 1).into_lua(lua)?];
                values.extend(self.values(lua, &matcher.all(at, end))?);
                return Ok(MultiValue::from_iter(values));
            }
        }
        Ok(MultiValue::new())
    }

    fn values(&self, lua: &Lua, captures: &[Capture]) -> mlua::Result<Vec<Value>> {
        captures
            .iter()
            .map(|capture| match *capture {
                Capture::Text(start, end) => {
                    let text = self.text.get(start..end).unwrap_or_default();
                    self.state.charge(1 + steps_for(text.len()))?;
                    Ok(Value::String(lua.create_string(text)?))
                }
                Capture::Place(at) => (at + 1).into_lua(lua),
                Capture::Open(_) => Err(mlua::Error::runtime("unfinished capture")),
            })
            .collect()
    }
}

/// Adds the function that `gmatch` is built on.
pub(super) fn add_native(lua: &Lua, state: &Rc<State>, native: &Table) -> mlua::Result<()> {
    let counter = Rc::clone(state);
    let goes_through = move |_: &Lua, text: LuaString| counter.charge_call(text.as_bytes().len());
    native.set("goes_through", lua.create_function(goes_through)?)?;
    let texts = |_: &Lua, both: (LuaString, LuaString)| Ok(both);
    native.set("texts", lua.create_function(texts)?)?;
    let state = Rc::clone(state);
    let match_from = move |lua: &Lua, (text, pattern, from): (LuaString, LuaString, usize)| {
        let search = Search {
            state: &state,
            text: &text.as_bytes(),
            pattern: &pattern.as_bytes(),
        };
        search.next_match(lua, from.saturating_sub(1))
    };
    native.set("match_from", lua.create_function(match_from)?)
}

type Gsub = (LuaString, LuaString, Value, Option<f64>);

fn gsub(
    lua: &Lua,
    state: &State,
    (text, pattern, with, most): Gsub,
) -> mlua::Result<(LuaString, usize)> {
    let (text, whole) = (text.as_bytes().to_vec(), pattern.as_bytes().to_vec());
    state.charge_call(text.len() + whole.len())?;
    let (is_anchored, pattern) = match whole.split_first() {
        Some((b'^', rest)) => (true, rest),
        _ => (false, whole.as_slice()),
    };
    let with = match with {
        Value::Integer(_) | Value::Number(_) => Value::String(LuaString::from_lua(with, lua)?),
        with @ (Value::String(_) | Value::Table(_) | Value::Function(_)) => with,
        other => {
            let told = format!(
                "bad argument #3 to 'gsub' (string/function/table expected, got {})",
                other.type_name()
            );
            return Err(mlua::Error::runtime(told));
        }
    };
    let search = Search {
        state,
        text: &text,
        pattern,
    };
    let mut matcher = search.matcher(pattern);
    let (mut out, mut at, mut count) = (Vec::new(), 0, 0_usize);
    while most.is_none_or(|most| (count as f64) < most) {
        let found = matcher.at(at)?;
        if let Some(end) = found {
            count += 1;
            let captures = search.values(lua, &matcher.all(at, end))?;
            let matched = text.get(at..end).unwrap_or_default();
            let piece = replacement(lua, &with, matched, captures)?;
            state.charge(MATCH + steps_for(piece.len()))?;
            out.extend_from_slice(&piece);
            state.has_room(out.len())?;
            if end > at {
                at = end;
                if is_anchored {
                    break;
                }
                continue;
            }
        }
        match text.get(at) {
            Some(byte) => out.push(*byte),
            None => break,
        }
        at += 1;
        if is_anchored {
            break;
        }
    }
    out.extend_from_slice(text.get(at..).unwrap_or_default());
    state.charge_call(out.len())?;
    Ok((lua.create_string(out)?, count))
}

/// The replacement of a match.
fn replacement(
    lua: &Lua,
    with: &Value,
    matched: &[u8],
    captures: Vec<Value>,
) -> mlua::Result<Vec<u8>> {
    let found: Value = match with {
        Value::Function(function) => function.call(MultiValue::from_iter(captures))?,
        Value::Table(table) => table.get(captures.into_iter().next().unwrap_or(Value::Nil))?,
        Value::String(text) => return filled(lua, &text.as_bytes(), matched, &captures),
        _ => Value::Nil,
    };
    match found {
        Value::Nil | Value::Boolean(false) => Ok(matched.to_vec()),
        Value::String(_) | Value::Integer(_) | Value::Number(_) => {
            Ok(LuaString::from_lua(found, lua)?.as_bytes().to_vec())
        }
        other => Err(mlua::Error::runtime(format!(
            "invalid replacement value (a {})",
            other.type_name()
        ))),
    }
}

/// A replacement string with `%0` to `%9` filled in.
fn filled(lua: &Lua, text: &[u8], matched: &[u8], captures: &[Value]) -> mlua::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'0') => out.extend_from_slice(matched),
            Some(digit @ b'1'..=b'9') => {
                let Some(value) = captures.get(usize::from(digit - b'1')) else {
                    return Err(mlua::Error::runtime("invalid capture index"));
                };
                let text = LuaString::from_lua(value.clone(), lua)?;
                out.extend_from_slice(&text.as_bytes());
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    Ok(out)
}
