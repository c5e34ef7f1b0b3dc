//! The pages of the book that the program itself knows: its commands, and its codes.

use std::fmt::Write;

use clap::{Command, CommandFactory};
use gatewayctl::cli::Cli;
use gatewayctl::codes;

use super::read;

/// How wide the help of a command is in the book.
const COLUMNS: usize = 100;

/// The files of the book that are generated as a whole, with their current content.
pub fn generated() -> Vec<(&'static str, String)> {
    vec![
        ("docs/src/commands.md", commands()),
        ("docs/src/codes.md", codes()),
        ("docs/src/front-door.svg", read("snapshots/front-door.svg")),
    ]
}

const NOTICE: &str = "<!-- Written by `UPDATE=1 cargo test --test it readme::`. -->\n";

fn commands() -> String {
    let mut text = format!(
        "# Commands\n\n{NOTICE}\nThis is what `gatewayctl help COMMAND` prints. An option that stands before the command, too, is taken by all of them.\n"
    );
    let program = Cli::command().term_width(COLUMNS);
    add_command(&mut text, program, &[]);
    text
}

fn add_command(text: &mut String, mut command: Command, before: &[String]) {
    let mut path = before.to_vec();
    path.push(command.get_name().to_owned());
    let name = path.join(" ");
    command = command.bin_name(&name);
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    writeln!(text, "\n## `{name}`\n\n```text\n{}\n```", help.join("\n")).expect("a text");
    let below: Vec<Command> = command
        .get_subcommands()
        .filter(|below| below.get_name() != "help" && !below.is_hide_set())
        .map(|below| below.clone().term_width(COLUMNS))
        .collect();
    for below in below {
        add_command(text, below, &path);
    }
}

fn codes() -> String {
    let mut text = format!(
        "# Codes\n\n{NOTICE}\nEvery finding has a code, and every code a page, which `gatewayctl explain CODE` prints, too.\n\n| code | severity | summary |\n|---|---|---|\n"
    );
    for code in codes::all() {
        let name = code.as_str();
        writeln!(
            text,
            "| [`{name}`](#{}) | {} | {} |",
            name.replace('/', ""),
            code.severity().as_str(),
            code.summary()
        )
        .expect("a text");
    }
    for code in codes::all() {
        text.push('\n');
        for line in page(code.page()) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// A page, whose title is a section of the book, and whose other headings are only bold: they are the same on every page.
fn page(page: &str) -> Vec<String> {
    let mut fence = None;
    let mut lines = Vec::new();
    for line in page.trim_end().lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(open) if ticks == open && line.len() == ticks => fence = None,
            None if ticks >= 3 => fence = Some(ticks),
            _ => {}
        }
        lines.push(match (fence, line.strip_prefix("## ")) {
            (None, Some(heading)) => format!("**{heading}**"),
            (None, None) if line.starts_with("# ") => format!("#{line}"),
            _ => line.to_owned(),
        });
    }
    lines
}
