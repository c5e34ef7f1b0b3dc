//! LuaJIT's library `bit`.

use std::rc::Rc;

use mlua::{Lua, LuaString, Table, Variadic};

use super::state::{CALL, State};

/// An operation on two words.
type Join = fn(u32, u32) -> u32;

/// An operation on one word.
type Change = fn(u32) -> u32;

/// Operations on any number of words (<https://bitop.luajit.org>).
const JOINS: [(&str, Join); 3] = [
    ("band", |a, b| a & b),
    ("bor", |a, b| a | b),
    ("bxor", |a, b| a ^ b),
];

/// Operations on a word and a number of bits. Only the lowest five bits of that number count.
const SHIFTS: [(&str, Join); 5] = [
    ("lshift", |word, by| word << by),
    ("rshift", |word, by| word >> by),
    ("arshift", |word, by| {
        (word.cast_signed() >> by).cast_unsigned()
    }),
    ("rol", u32::rotate_left),
    ("ror", u32::rotate_right),
];

/// Operations on one word.
const CHANGES: [(&str, Change); 3] = [
    ("tobit", |word| word),
    ("bnot", |word| !word),
    ("bswap", u32::swap_bytes),
];

/// Makes `bit` available to scripts.
pub(super) fn add(lua: &Lua, state: &Rc<State>) -> mlua::Result<()> {
    lua.globals().set("bit", bit(lua, state)?)
}

fn bit(lua: &Lua, state: &Rc<State>) -> mlua::Result<Table> {
    let bit = lua.create_table()?;
    for (name, join) in JOINS {
        let counter = Rc::clone(state);
        let all = move |_: &Lua, (first, rest): (f64, Variadic<f64>)| {
            counter.charge(CALL + u64::try_from(rest.len()).unwrap_or(u64::MAX))?;
            let rest = rest.iter().map(|number| word(*number));
            Ok(number(rest.fold(word(first), join)))
        };
        bit.set(name, lua.create_function(all)?)?;
    }
    for (name, shift) in SHIFTS {
        let counter = Rc::clone(state);
        let by = move |_: &Lua, (of, by): (f64, f64)| {
            counter.charge(CALL)?;
            Ok(number(shift(word(of), word(by) & 31)))
        };
        bit.set(name, lua.create_function(by)?)?;
    }
    for (name, change) in CHANGES {
        let counter = Rc::clone(state);
        let of = move |_: &Lua, of: f64| {
            counter.charge(CALL)?;
            Ok(number(change(word(of))))
        };
        bit.set(name, lua.create_function(of)?)?;
    }
    let counter = Rc::clone(state);
    let hex = move |lua: &Lua, (of, digits): (f64, Option<f64>)| {
        counter.charge(CALL)?;
        hex(lua, word(of), digits)
    };
    bit.set("tohex", lua.create_function(hex)?)?;
    Ok(bit)
}

/// The last hex digits of a word, eight by default. A negative number of digits means capital letters.
fn hex(lua: &Lua, word: u32, digits: Option<f64>) -> mlua::Result<LuaString> {
    let digits = digits.unwrap_or(8.0).clamp(-8.0, 8.0);
    let all = match digits < 0.0 {
        true => format!("{word:08X}"),
        false => format!("{word:08x}"),
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // from 0 to 8
    let count = digits.abs() as usize;
    lua.create_string(all.get(8 - count..).unwrap_or_default())
}

/// The word that a number is converted to: its lowest 32 bits.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // from 0 to 2^32
fn word(number: f64) -> u32 {
    number.round_ties_even().rem_euclid(4_294_967_296.0) as u32
}

/// A word as a signed number, as in LuaJIT.
fn number(word: u32) -> f64 {
    f64::from(word.cast_signed())
}
