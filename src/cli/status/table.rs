//! Tables for the terminal: lines in columns.

use crate::cli::columns::{Row, aligned};

/// A line of a table, and the colour of one of its columns.
pub(super) struct Line<const N: usize> {
    /// The cells.
    pub cells: [String; N],
    /// The SGR code of the colour.
    pub code: &'static str,
}

/// The lines below a head, or nothing if there are none. Column `coloured` is printed in colour if `colour` is true.
pub(super) fn table<const N: usize>(
    head: [&str; N],
    lines: &[Line<N>],
    coloured: usize,
    colour: bool,
) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let mut rows = vec![Row::plain(head)];
    rows.extend(lines.iter().map(|line| {
        let code = colour.then_some(line.code);
        Row::coloured(line.cells.clone(), coloured, code)
    }));
    aligned(&rows)
}

/// `3 refused, 4 unknown`: how many elements there are of each sort. Sorts without any are left out.
pub(super) fn counted<T: PartialEq>(all: &[T], words: &[(T, &str)]) -> String {
    let parts: Vec<String> = words
        .iter()
        .map(|(sort, word)| (all.iter().filter(|it| *it == sort).count(), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    match parts.is_empty() {
        true => "no conditions: Envoy Gateway handles none of these objects\n".to_owned(),
        false => format!("{}\n", parts.join(", ")),
    }
}
