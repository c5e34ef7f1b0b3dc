use std::sync::{Arc, Mutex};

use super::*;

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("a lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn written(is_terminal: bool, has_colour: bool, work: impl FnOnce(&mut Stream)) -> String {
    let kept = Kept::default();
    work(&mut Stream::new(
        Box::new(kept.clone()),
        is_terminal,
        has_colour,
    ));
    let bytes = kept.0.lock().expect("a lock").clone();
    String::from_utf8(bytes).expect("UTF-8")
}

const HOSTILE: &str = "a\u{1b}[31mb\u{202e}c\u{1b}]0;x\u{7}\n::error::d\n ##[error]é\n";
const SAFE: &str =
    "a\\u{1b}[31mb\\u{202e}c\\u{1b}]0;x\\u{7}\n:\\u{3a}error::d\n ##\\u{5b}error]é\n";

#[test]
fn text_is_harmless_however_it_comes() {
    assert_eq!(
        written(true, true, |out| write!(out, "{HOSTILE}").expect("all")),
        SAFE
    );
    let by_byte = written(true, true, |out| {
        for byte in HOSTILE.bytes() {
            out.write_all(&[byte]).expect("all");
        }
    });
    assert_eq!(by_byte, SAFE);
    let places = " ::: a.yaml:1:1\n";
    let all = written(true, true, |out| write!(out, "{places}").expect("all"));
    assert_eq!(all, places);
    let bad = written(true, true, |out| {
        out.write_all(b"a\xffb\xc3").expect("all");
    });
    assert_eq!(bad, "a\u{fffd}b");
}

#[test]
fn styles_pass_only_in_colour_and_nothing_but_styles() {
    let painted = "\u{1b}[1;31mred\u{1b}[0m \u{1b}[2J \u{1b}]8;;x";
    let styled = |has_colour| {
        written(true, has_colour, |out| {
            write!(out.styled(), "{painted}").expect("all");
        })
    };
    assert_eq!(
        styled(true),
        "\u{1b}[1;31mred\u{1b}[0m \\u{1b}[2J \\u{1b}]8;;x"
    );
    assert!(!styled(false).contains('\u{1b}'));
}

#[test]
fn only_a_report_for_github_commands_it() {
    let command = "::error file=a::b\n";
    let commanded = written(false, false, |out| {
        write!(out.commands(), "{command}").expect("all");
    });
    assert_eq!(commanded, command);
    let text = written(false, false, |out| write!(out, "{command}").expect("all"));
    assert_eq!(text, ":\\u{3a}error file=a::b\n");
}

#[test]
fn data_is_true_to_its_bytes_but_on_a_terminal() {
    let data = |is_terminal| {
        written(is_terminal, false, |out| {
            out.data().write_all(HOSTILE.as_bytes()).expect("all");
        })
    };
    assert_eq!(data(false), HOSTILE);
    assert_eq!(data(true), SAFE);
}
