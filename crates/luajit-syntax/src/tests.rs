//! The parser accepts what LuaJIT accepts, and reports what it refuses at the right place.

use proptest::prelude::*;

use super::{check, line_and_column};

/// The line, the column and the message of a refusal.
fn refused(script: &str) -> Option<(usize, usize, String)> {
    let refusal = check(script).err()?;
    let (line, column) = line_and_column(script, refusal.range.start);
    Some((line, column, refusal.message))
}

fn told(script: &str) -> String {
    refused(script).map_or(String::new(), |(_, _, message)| message)
}

#[test]
fn what_luajit_takes_is_taken() {
    for script in [
        "",
        "-- nothing",
        "#!/usr/bin/luajit\nx = 1",
        "\u{feff}x = 1",
        "goto a\n::a::",
        "x = 1;; ;",
        "while a do break x = 1 end",
        "f\n(x)",
        "local t = { [\"a\"] = 1, b = 2; 3, f() }\nreturn t",
        "x = 0xffULL + 1LL + 2i + 0x1p4 + 0b11 + .5 + 3. + 1e-3",
        "x = '\\x41\\z\n  b\\u{1F600}\\065\\\n' .. [==[ ]] ]==]",
        "local function f(...) return ... end",
        "local continue = 1 continue = 2",
        "repeat local x = f() until x",
        "do goto a local x ::a:: end",
        "for i = 1, 2 do for k, v in pairs(t) do if v then goto next end ::next:: end end",
        "é = 1",
    ] {
        assert_eq!(refused(script), None, "{script}");
    }
}

#[test]
fn the_place_of_a_mistake_is_told() {
    let script = "function envoy_on_request(handle)\n  local x = = 1\nend\n";
    let wanted = "expected a value instead of `=`".to_owned();
    assert_eq!(refused(script), Some((2, 13, wanted)));
    let wanted = "`end` is not expected here: there is no open block for it".to_owned();
    assert_eq!(refused("x = 'ä' end"), Some((1, 9, wanted)));
}

#[test]
fn a_mistake_is_told_in_words() {
    for (script, wanted) in [
        (
            "if a then\n",
            "expected `end` for the `if` in line 1, but the script ends",
        ),
        (
            "f(1,\n2 3)",
            "expected `)` for the `(` in line 1 instead of `3`",
        ),
        ("local 1", "expected a name instead of `1`"),
        (
            "x",
            "expected `=` or the arguments of a call, but the script ends",
        ),
        (
            "return 1 x = 2",
            "expected the end of the script (`return` is the last statement) instead of `x`",
        ),
        ("f() = 1", "expected a value instead of `=`"),
        (
            "(a) = 1",
            "this is neither a call nor the left side of an assignment",
        ),
        (
            "x = 'abc\ny",
            "the string that begins here is not closed with `'`",
        ),
        (
            "x = [==[ ]]",
            "the long string that begins here is not closed with `]==]`",
        ),
        (
            "--[[ x",
            "the long comment that begins here is not closed with `]]`",
        ),
        ("x = [= 1", "a long string must begin with `[=[`, not `[=`"),
        (
            "x = '\\q'",
            "`\\q` is not an escape sequence of Lua; write a backslash as `\\\\`",
        ),
        (
            "x = '\\300'",
            "`\\300` is not an escape sequence of Lua; write a backslash as `\\\\`",
        ),
        ("x = 0x", "`0x` is not a number"),
        ("x = 1..2", "`1..2` is not a number"),
        ("goto a", "there is no label `::a::` for `goto a`"),
        ("::a:: ::a::", "the block already has a label `a`"),
        (
            "goto a local x ::a:: f()",
            "`goto a` jumps over `local x`, which is in scope at the label",
        ),
        ("break", "`break` is not in a loop"),
        (
            "function f() return ... end",
            "`...` can only be used in a function whose parameters end with `...`",
        ),
        ("local goto = 1", "expected a name instead of `goto`"),
        ("\u{1b}LJ", "this is compiled bytecode, not source text"),
    ] {
        assert_eq!(told(script), wanted, "{script}");
    }
}

#[test]
fn what_other_languages_write_is_told_in_luas_words() {
    for (script, wanted) in [
        (
            "x = `a`",
            "a backtick is not expected here: strings are quoted with \" or '",
        ),
        (
            "if a != b then end",
            "`!` is not expected here: Lua uses `~=` for unequal",
        ),
        (
            "if a && b then end",
            "`&` is not expected here: Lua uses `and`",
        ),
        ("x = !a", "`!` is not expected here: Lua uses `not`"),
        (
            "x += 1",
            "`+` is not expected here: Lua has no `+=`; write `a = a + b`",
        ),
        (
            "local x <const> = 1",
            "`<` is not expected here: LuaJIT has no variable attributes; remove it",
        ),
        (
            "x = a // b",
            "`/` is not expected here: LuaJIT has no `//`; write `math.floor(a / b)`, and `--` before a comment",
        ),
        (
            "x = a << 2",
            "`<` is not expected here: LuaJIT has no bit operators; use `bit.lshift`",
        ),
        (
            "x = a | b",
            "`|` is not expected here: LuaJIT has no bit operators; use `bit.bor`",
        ),
        (
            "x = ~a",
            "`~` is not expected here: LuaJIT has no bit operators; use `bit.bxor` or `bit.bnot`",
        ),
    ] {
        assert_eq!(told(script), wanted, "{script}");
    }
}

/// How often a script must repeat a part until it is refused. The numbers are those of LuaJIT.
#[test]
fn limits_are_those_of_luajit() {
    type Repeated = fn(usize) -> String;
    let cases: [(Repeated, usize, &str); 12] = [
        (
            |n| format!("x = {}1{}", "(".repeat(n), ")".repeat(n)),
            198,
            "nested too deeply",
        ),
        (
            |n| format!("x = {}a", "#".repeat(n)),
            198,
            "nested too deeply",
        ),
        (
            |n| format!("x = {}a", "not ".repeat(n)),
            198,
            "nested too deeply",
        ),
        (
            |n| format!("x = {}a", "a..".repeat(n)),
            198,
            "nested too deeply",
        ),
        (
            |n| format!("x = {}a", "a^".repeat(n)),
            198,
            "nested too deeply",
        ),
        (
            |n| format!("x = {}{}", "{".repeat(n), "}".repeat(n)),
            199,
            "nested too deeply",
        ),
        (
            |n| format!("{}{}", "do ".repeat(n), "end ".repeat(n)),
            199,
            "nested too deeply",
        ),
        (
            |n| format!("x = a{}{}", "[a".repeat(n), "]".repeat(n)),
            198,
            "nested too deeply",
        ),
        (
            |n| (0..n).map(|at| format!("::a{at}::")).collect(),
            200,
            "nested too deeply",
        ),
        (
            |n| (0..n).map(|at| format!("local a{at} ")).collect(),
            201,
            "200 local variables",
        ),
        (
            |n| format!("{}a = 1", "a,".repeat(n)),
            199,
            "too many variables on the left",
        ),
        (
            |n| {
                let each = |text: &dyn Fn(usize) -> String| (0..n).map(text).collect::<String>();
                let locals = each(&|at| format!("local a{at} "));
                let uses = each(&|at| format!("a{at}()"));
                format!("{locals} function f() {uses} end")
            },
            61,
            "60 variables",
        ),
    ];
    for (at, (script, least, wanted)) in cases.iter().enumerate() {
        assert_eq!(told(&script(least - 1)), "", "{at}");
        let told = told(&script(*least));
        assert!(told.contains(wanted), "{at}: {told}");
    }
}

#[test]
fn a_long_script_is_read_on_a_small_stack() {
    let read = || {
        for unit in [
            "#",
            "(",
            "{",
            "- ",
            "not ",
            "do ",
            "function() ",
            "a[",
            "a..",
            "a^",
            "f{",
            "::a::",
            "if a then else ",
        ] {
            let script = format!("x = {}", unit.repeat(100_000));
            assert!(check(&script).is_err(), "x = {unit}");
            assert!(
                check(&format!(" {}", unit.repeat(100_000))).is_err(),
                "{unit}"
            );
        }
        for unit in ["1+", "a<", "a and ", "a or ", "a-", "a=="] {
            let script = format!("x = {}1", unit.repeat(100_000));
            assert!(check(&script).is_ok(), "{unit}");
        }
        let many = "x = 1 if a then elseif b then end f{} ".repeat(10_000);
        assert!(check(&many).is_ok());
        let jumps: String = (0..20_000)
            .map(|at| format!("goto a{at} ::a{at}:: x = 1 "))
            .collect();
        assert!(check(&jumps).is_ok());
    };
    // A quarter of the default stack of a thread.
    let thread = std::thread::Builder::new()
        .stack_size(512 << 10)
        .spawn(read);
    thread.expect("a thread").join().expect("no overflow");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mistake_stands_in_the_script(script in "(\\PC|[ \\n\"'\\[\\]=]|local |end |function |if |then |goto |::a::|\\\\[xuz0-9]){0,24}") {
        if let Err(refusal) = check(&script) {
            prop_assert!(script.get(refusal.range).is_some());
            prop_assert!(!refusal.message.is_empty() && !refusal.message.contains('\n'));
        }
    }
}
