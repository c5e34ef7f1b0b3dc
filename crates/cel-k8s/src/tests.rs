//! Values of expressions, and errors.

use super::{Fault, Run, Value, parse};
use crate::value::Key;
use k8s_syntax::pattern::Patterns;

/// Evaluates an expression with `self` being `{a: 1, s: "text", l: [1, 2, 3], u: unknown}`.
fn evaluate(text: &str, steps: u64) -> Result<Value, Fault> {
    let expr = parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
    let patterns = Patterns::default();
    let mut run = Run::new(&patterns, steps);
    let key = |name: &str| Key::String(name.into());
    let list = Value::list(vec![Value::Int(1), Value::Int(2), Value::Int(3)]);
    run.bind(
        "self",
        Value::map(vec![
            (key("a"), Value::Int(1)),
            (key("s"), Value::string("text")),
            (key("l"), list),
            (key("u"), Value::Unknown),
            (key("d"), Value::Double(1.0)),
        ]),
    );
    run.value(&expr)
}

fn holds(text: &str) -> bool {
    match evaluate(text, 100_000) {
        Ok(Value::Bool(value)) => value,
        other => panic!("{text}: {other:?}"),
    }
}

fn all_hold(texts: &[&str]) {
    for text in texts {
        assert!(holds(text), "{text}");
    }
}

fn fails(text: &str) -> String {
    match evaluate(text, 100_000) {
        Err(Fault::Error(problem)) => problem,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn operators_bind_as_they_should() {
    all_hold(&[
        "1 + 2 * 3 == 7",
        "(1 + 2) * 3 == 9",
        "10 - 3 - 2 == 5",
        "-3 + 5 == 2",
        "- self.a == -1",
        "-9223372036854775808 < 0",
        "7 % 3 == 1 && 7 / 2 == 3",
        "true || false && false",
        "!(true && false)",
        "!!true",
        "1 < 2 == true",
        "false ? false : true ? true : false",
        "1 in [1, 2] && !(3 in [1, 2])",
        "'a' in {'a': 1}",
        "0x1F == 31 && 1e3 == 1000.0 && .5 == 0.5",
        "{'a': 1, 'b': [2]}['b'][0] == 2",
        "[1, 2,] == [1, 2] // a comment",
    ]);
}

#[test]
fn numbers_are_equal_by_what_they_count() {
    all_hold(&[
        "1 == 1.0",
        "1u == 1",
        "1 in [1.0]",
        "self.d == 1",
        "self.a == self.d",
        "1 < 1.5",
        "1 != '1'",
        "9007199254740993 != 9007199254740992",
        "{1: 'a'}[1.0] == 'a'",
        "[1, 2] == [1.0, 2u]",
    ]);
}

#[test]
fn texts_are_read_in_all_their_quotes() {
    all_hold(&[
        r#"'a"b' == "a\"b""#,
        r#"r'\d' == '\\d'"#,
        r#"'''a'b''' == "a'b""#,
        r#"r"""^\.$""" == '^\\.$'"#,
        r"'\u00e9\x41\101\n' == 'éAA\n'",
        r"b'\xff' != b'a'",
    ]);
    for text in [
        "'a",
        "\"\"\"a\"\"",
        "'\\q'",
        "'\\ud800'",
        "b'\\u0100'",
        "'a\nb'",
    ] {
        assert!(parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn macros_ask_every_item() {
    all_hold(&[
        "self.l.all(x, x > 0) && self.l.exists(x, x == 2) && self.l.exists_one(x, x == 3)",
        "self.l.map(x, x * 2) == [2, 4, 6]",
        "self.l.map(x, x > 1, x * 2) == [4, 6]",
        "self.l.filter(x, x != 2) == [1, 3]",
        "{'a': 1}.all(k, k == 'a')",
        "self.l.all(i, x, x == i + 1)",
        "{'a': 1}.transformMap(k, v, v + 1) == {'a': 2}",
        "{'a': 1}.transformList(k, v, v + 1) == [2]",
        "self.l.all(x, self.l.exists_one(y, x == y))",
        "cel.bind(n, size(self.l), n * n == 9)",
        "[].all(x, false) && ![].exists(x, true)",
    ]);
}

#[test]
fn presence_is_asked_and_an_absent_field_is_an_error() {
    all_hold(&[
        "has(self.a) && !has(self.missing)",
        "!has(self.missing) || self.missing.deeper",
        "has(self.u)",
        "self.?missing.orValue(4) == 4",
        "self.?a.optMap(x, x + 1).value() == 2",
        "self.?missing.?deeper == optional.none()",
        "self.l[?9].hasValue() == false",
        "[?self.?missing, 1] == [1]",
        "optional.ofNonZeroValue('').or(optional.of('x')).value() == 'x'",
    ]);
    assert_eq!(fails("self.missing == 1"), "no such key: missing");
    assert_eq!(fails("self.l[3] == 1"), "index out of bounds: 3");
    assert_eq!(fails("self.l[-1] == 1"), "index out of bounds: -1");
    assert_eq!(fails("1 / 0 == 1"), "division by zero");
    assert_eq!(fails("9223372036854775807 + 1 > 0"), "integer overflow");
    assert_eq!(
        fails("'a' + 1 == 'a'"),
        "no such overload: arithmetic(string, int)"
    );
    assert_eq!(fails("nobody"), "undeclared reference to 'nobody'");
}

#[test]
fn a_side_that_decides_outweighs_one_that_fails() {
    all_hold(&[
        "self.missing == 1 || true",
        "!(self.missing == 1 && false)",
        "!self.l.all(x, x / 0 == 1 && x < 0)",
        "self.l.exists(x, self.l[x].missing == 1 || x == 3)",
    ]);
    fails("self.missing == 1 || false");
    fails("self.l.exists_one(x, x / (x - 1) == 1)");
}

#[test]
fn what_hangs_on_the_unknown_is_unknown_and_the_rest_is_decided() {
    for text in [
        "self.u == 1",
        "self.u.startsWith('a')",
        "self.u != 'x' && true",
        "self.u == 1 || self.missing == 2",
        "[self.l, [self.u]].size() == 2 && size(self.u) == 1",
        "self == {'a': 1, 's': 'text', 'l': [1, 2, 3], 'u': 1, 'd': 1.0}",
    ] {
        assert_eq!(evaluate(text, 1000).err(), Some(Fault::Unknown), "{text}");
    }
    all_hold(&[
        "self.u == 1 || self.a == 1",
        "!(self.u == 1 && self.a == 2)",
        "self != {}",
    ]);
}

#[test]
fn sizes_count_characters() {
    all_hold(&[
        "size('é😀') == 2 && 'éa'.size() == 2",
        "'héllo'.charAt(1) == 'é' && 'héllo'.indexOf('l') == 2",
        "'héllo'.substring(1, 3) == 'él' && 'héllo'.lastIndexOf('l') == 3",
        "size(b'é') == 2 && size([1]) == 1 && size({'a': 1}) == 1",
    ]);
}

#[test]
fn functions_of_strings_and_lists() {
    all_hold(&[
        "'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c']",
        "['a', 'b'].join('-') == 'a-b' && 'abc'.split('') == ['a', 'b', 'c']",
        "'aaa'.replace('a', 'b', 2) == 'bba' && ' x '.trim() == 'x'",
        "'Ab'.lowerAscii() == 'ab' && 'Ab'.upperAscii() == 'AB'",
        "'%s is %d, %.2f'.format(['x', 3, 1.5]) == 'x is 3, 1.50'",
        "'abc'.matches('^a.c$') && !matches('abd', 'c$')",
        "'a1b22'.find('[0-9]+') == '1' && 'a1b22'.findAll('[0-9]+') == ['1', '22']",
        "[1, 2].isSorted() && [1, 2].sum() == 3 && [2, 1].min() == 1 && [2, 1].max() == 2",
        "[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [1].indexOf(5) == -1",
        "sets.contains([1, 2], [1]) && sets.equivalent([1, 1], [1.0]) && !sets.intersects([1], [2])",
        "[[1], [2]].flatten() == [1, 2] && [1, 1].distinct() == [1] && [3, 1].sort() == [1, 3]",
        "type(1) == int && type('a') == string && type(null) == null_type && dyn(1) == 1",
        "int('3') == 3 && double('1.5') == 1.5 && string(3) == '3' && bool('true')",
    ]);
    assert!(fails("'a'.matches('' + '(')").contains("not a valid regular expression"));
    assert!(fails("['a', 1].sort() == []").starts_with("no such overload"));
}

#[test]
fn durations_and_times() {
    all_hold(&[
        "duration('1h30m') == duration('90m') && duration('1.5s') > duration('1s')",
        "duration('-2ms') < duration('0') && duration('100us').getMilliseconds() == 0",
        "string(duration('90s')) == '90s' && duration('1m').getSeconds() == 60",
        "timestamp('2024-02-29T08:00:00+01:00') == timestamp('2024-02-29T07:00:00Z')",
        "timestamp('2024-03-01T00:00:00Z') - timestamp('2024-02-29T00:00:00Z') == duration('24h')",
        "timestamp('2024-02-29T08:09:10.5Z').getFullYear() == 2024",
        "timestamp('2024-02-29T08:09:10.5Z').getDayOfWeek() == 4",
        "string(timestamp('2024-02-29T08:09:10.5Z')) == '2024-02-29T08:09:10.5Z'",
        "type(duration('1s')) == google.protobuf.Duration",
    ]);
    for text in [
        "duration('1')",
        "duration('')",
        "duration('1d')",
        "timestamp('2023-02-29T00:00:00Z')",
        "timestamp('2023-02-28T00:00:00+99999999999999999999999999999999999999:00')",
    ] {
        // What is written in the expression is already refused when it is read.
        assert!(parse(text).is_err(), "{text}");
        fails(&text.replacen("('", "('' + '", 1));
    }
}

#[test]
fn addresses_and_networks() {
    all_hold(&[
        "isIP('10.10.30.26') && isIP('fd00::1') && !isIP('10.10.30.256') && !isIP('::ffff:10.0.0.1')",
        "ip('fd00::1').family() == 6 && ip('127.0.0.1').isLoopback()",
        "ip.isCanonical('fd00::1') && !ip.isCanonical('fd00:0::1')",
        "cidr('10.10.30.0/24').containsIP('10.10.30.26') && cidr('10.10.0.0/16').containsCIDR('10.10.30.0/24')",
        "cidr('10.10.30.26/24').masked() == cidr('10.10.30.0/24') && cidr('10.0.0.0/8').prefixLength() == 8",
        "isCIDR('fd00::/64') && !isCIDR('10.10.30.0/33') && !isCIDR('10.10.30.0/08')",
        "string(cidr('10.10.30.0/24').ip()) == '10.10.30.0'",
        "ip('8.8.8.8').isGlobalUnicast() && !ip('224.0.0.1').isGlobalUnicast()",
    ]);
    assert!(fails("ip('x').family() == 4").contains("parse error"));
}

#[test]
fn quantities_versions_and_formats() {
    all_hold(&[
        "quantity('1Ki') == quantity('1024') && quantity('1.5') == quantity('1500m')",
        "quantity('500m').isLessThan(quantity('1')) && quantity('2').compareTo(quantity('1')) == 1",
        "quantity('1e3').asInteger() == 1000 && !quantity('0.5').isInteger() && quantity('-1').sign() == -1",
        "isQuantity('256Mi') && !isQuantity('1.5Kib') && !isQuantity('') && !isQuantity('1.2.3')",
        "quantity('1').add(quantity('500m')).asApproximateFloat() == 1.5",
        "quantity('1').sub(2).sign() == -1",
        "isSemver('1.2.3') && !isSemver('v1.2') && isSemver('v1.2', true)",
        "semver('1.10.0').isGreaterThan(semver('1.9.0')) && semver('1.2.3').minor() == 2",
        "!format.dns1123Label().validate('app').hasValue()",
        "format.dns1123Label().validate('App').hasValue()",
        "format.named('qualifiedName').hasValue() && !format.named('x').hasValue()",
    ]);
}

#[test]
fn urls_are_read_as_go_reads_them() {
    all_hold(&[
        "isURL('https://app.example.com:8443/a?b=c&b=d') && !isURL('app.example.com') && isURL('/a')",
        "url('https://app.example.com:8443/a').getHost() == 'app.example.com:8443'",
        "url('https://[fd00::1]:80/').getHostname() == 'fd00::1'",
        "url('https://app.example.com:8443/a').getPort() == '8443'",
        "url('https://app.example.com/a b').getEscapedPath() == '/a%20b'",
        "url('https://app.example.com/?b=c&b=d').getQuery() == {'b': ['c', 'd']}",
        "url('HTTPS://app.example.com').getScheme() == 'https'",
        "!isURL('https://app.example.com:port/') && !isURL('') && !isURL('https://a/%zz')",
    ]);
}

#[test]
fn what_can_not_be_read_says_why() {
    let said = |text: &str| parse(text).err().unwrap_or_default();
    assert_eq!(said("self.a ==="), "'=' is not allowed here");
    assert_eq!(said("self.a == "), "a value is expected instead of the end");
    assert_eq!(
        said("f(1)"),
        "there is no function `f` with these arguments"
    );
    assert_eq!(
        said("self.a.size(1)"),
        "there is no function `size` with these arguments"
    );
    assert_eq!(said("has(self)"), "`has` takes a field");
    assert_eq!(
        said("self.a.matches('a(?=b)')"),
        "the pattern `a(?=b)` is not a valid regular expression"
    );
    assert_eq!(said("duration('1 h') > self.a"), "`1 h` is not a duration");
    assert_eq!(
        said("timestamp('2026') > self.a"),
        "`2026` is not a date with a time"
    );
    assert_eq!(said("(1"), "`)` is missing before the end");
    assert_eq!(said("1 2"), "a number is not expected here");
    assert_eq!(said("a #"), "'#' is not allowed here");
    assert_eq!(
        said("99999999999999999999"),
        "99999999999999999999 is not a number, or out of range"
    );
    assert_eq!(said("X{a: 1}"), "messages can't be built in rules");
}

#[test]
fn deep_and_long_expressions_end() {
    let open = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(parse(&open).is_err());
    assert!(parse(&"!".repeat(5000)).is_err());
    assert!(parse(&format!("a{}", ".b".repeat(5000))).is_err());
    assert!(parse(&"1+".repeat(40_000)).is_err());
    let long = vec!["self.a == 1"; 300].join(" && ");
    assert!(holds(&long));
    let list = format!("[{}]", vec!["1"; 900].join(","));
    let nested = format!("{list}.all(a, {list}.all(b, {list}.all(c, {list}.all(d, a == b))))");
    assert_eq!(evaluate(&nested, 1_000_000).err(), Some(Fault::Spent));
    let doubled = (0..30).fold("'aaaaaaaaaa'".to_owned(), |text, at| {
        format!("cel.bind(v{at}, {text}, v{at} + v{at})")
    });
    assert_eq!(evaluate(&doubled, 1_000_000).err(), Some(Fault::Spent));
    let shared = (0..30).fold("[1]".to_owned(), |list, at| {
        format!("cel.bind(v{at}, {list}, [v{at}, v{at}])")
    });
    for text in [
        format!("cel.bind(v, {shared}, v == v)"),
        format!("cel.bind(v, {shared}, v in [v])"),
        format!("'%s'.format([{shared}]) == ''"),
    ] {
        assert_eq!(evaluate(&text, 1_000_000).err(), Some(Fault::Spent));
    }
    assert_eq!(
        evaluate("lists.range(9000000000) == []", 1000).err(),
        Some(Fault::Spent)
    );
}

proptest::proptest! {
    /// No text makes the parser or the evaluation panic or hang.
    #[test]
    fn any_text_is_read_or_refused(text in r#"[a-c0-9.()\[\]{}?:,!&|=<>+*/%'"\\ \-éin]{0,60}"#) {
        if let Ok(expr) = parse(&text) {
            let patterns = Patterns::default();
            let mut run = Run::new(&patterns, 10_000);
            run.bind("a", Value::list(vec![Value::Int(1), Value::Null]));
            run.bind("b", Value::map(vec![(Key::String("a".into()), Value::Unknown)]));
            let _ = run.value(&expr);
        }
    }

    /// The same, with texts that are made of meaningful pieces.
    #[test]
    fn any_calls_are_answered(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 1..14)
    ) {
        if let Ok(expr) = parse(&pieces.concat()) {
            let patterns = Patterns::default();
            let mut run = Run::new(&patterns, 10_000);
            run.bind("a", Value::list(vec![Value::Int(1), Value::string("é")]));
            let _ = run.value(&expr);
        }
    }
}

const PIECES: &[&str] = &[
    "a",
    "a",
    "[0]",
    "[1]",
    "[?9]",
    ".size()",
    "('é')",
    "'é0:/%1'",
    "-9223372036854775808",
    "-1",
    "1u",
    "1.5e300",
    "null",
    ".map(x, x)",
    ".all(x, ",
    ")",
    "(",
    " + ",
    " / ",
    " % ",
    " * ",
    " == ",
    " < ",
    " ? ",
    " : ",
    ", ",
    ".substring(",
    ".charAt(",
    ".split(",
    ".replace(",
    ".format(",
    "duration(",
    "timestamp(",
    "quantity(",
    "url(",
    "ip(",
    "cidr(",
    "semver(",
    ".matches(",
    ".find(",
    ".indexOf(",
    ".lastIndexOf(",
    ".slice(",
    ".getPort()",
    ".getHostname()",
    ".getDayOfYear()",
    "int(",
    "string(",
    "b'\\xff'",
    "[",
    "]",
    "{",
    "}",
    "'9223372036854775807'",
    "'1e999'",
    "'-1.5n'",
];
