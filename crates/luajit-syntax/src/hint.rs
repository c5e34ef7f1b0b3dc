//! Hints for syntax of other languages that LuaJIT doesn't have.

/// Text in a script, and what to write instead. The first one that matches is used.
const HINTS: [(&str, &str); 18] = [
    ("!=", "Lua uses `~=` for unequal"),
    ("&&", "Lua uses `and`"),
    ("||", "Lua uses `or`"),
    ("!", "Lua uses `not`"),
    (
        "//",
        "LuaJIT has no `//`; write `math.floor(a / b)`, and `--` before a comment",
    ),
    ("<<", "LuaJIT has no bit operators; use `bit.lshift`"),
    (">>", "LuaJIT has no bit operators; use `bit.rshift`"),
    ("&", "LuaJIT has no bit operators; use `bit.band`"),
    ("|", "LuaJIT has no bit operators; use `bit.bor`"),
    (
        "~",
        "LuaJIT has no bit operators; use `bit.bxor` or `bit.bnot`",
    ),
    ("++", "Lua has no `++`; write `a = a + 1`"),
    ("+=", "Lua has no `+=`; write `a = a + b`"),
    ("-=", "Lua has no `-=`; write `a = a - b`"),
    ("*=", "Lua has no `*=`; write `a = a * b`"),
    ("/=", "Lua has no `/=`; write `a = a / b`"),
    ("<const>", "LuaJIT has no variable attributes; remove it"),
    ("<close>", "LuaJIT has no variable attributes; remove it"),
    ("`", "strings are quoted with \" or '"),
];

/// The hint for the text that starts at a byte, or whose second character is there.
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
