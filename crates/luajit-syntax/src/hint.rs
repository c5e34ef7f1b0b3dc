//! What other languages have in a place where LuaJIT has something else.

/// What stands in a script, and what to write instead; the first that fits is told.
const HINTS: [(&str, &str); 18] = [
    ("!=", "Lua writes `~=` for unequal"),
    ("&&", "Lua writes `and`"),
    ("||", "Lua writes `or`"),
    ("!", "Lua writes `not`"),
    (
        "//",
        "LuaJIT has no `//`: write `math.floor(a / b)`, and `--` before a comment",
    ),
    ("<<", "LuaJIT has no operators on bits: use `bit.lshift`"),
    (">>", "LuaJIT has no operators on bits: use `bit.rshift`"),
    ("&", "LuaJIT has no operators on bits: use `bit.band`"),
    ("|", "LuaJIT has no operators on bits: use `bit.bor`"),
    (
        "~",
        "LuaJIT has no operators on bits: use `bit.bxor` or `bit.bnot`",
    ),
    ("++", "Lua has no `++`: write `a = a + 1`"),
    ("+=", "Lua has no `+=`: write `a = a + b`"),
    ("-=", "Lua has no `-=`: write `a = a - b`"),
    ("*=", "Lua has no `*=`: write `a = a * b`"),
    ("/=", "Lua has no `/=`: write `a = a / b`"),
    (
        "<const>",
        "attributes of variables are newer than LuaJIT: leave it out",
    ),
    (
        "<close>",
        "attributes of variables are newer than LuaJIT: leave it out",
    ),
    ("`", "texts stand in \" or in '"),
];

/// What to write instead of what begins at a byte, or of what it is the second character of.
pub(super) fn of(text: &str, at: usize) -> Option<&'static str> {
    let rest = text.get(at..).unwrap_or_default();
    let pair = at.checked_sub(1).and_then(|before| text.get(before..));
    let doubled = HINTS.iter().find(|(written, _)| {
        let is_double = matches!(*written, "//" | "<<" | ">>");
        is_double && pair.is_some_and(|pair| pair.starts_with(written))
    });
    let hint = doubled.or_else(|| HINTS.iter().find(|(written, _)| rest.starts_with(written)))?;
    Some(hint.1)
}
