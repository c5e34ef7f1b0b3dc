//! Tables for the terminal: lines in columns.

use manifest::diagnostic::printable::printable;

/// A line of a table, and the colour of one of its columns.
pub(super) struct Line<const N: usize> {
    /// The cells; the last one is never padded.
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
    let rows: Vec<([String; N], Option<&str>)> = lines
        .iter()
        .map(|line| {
            let cells = line.cells.each_ref().map(|cell| printable(cell));
            (cells, colour.then_some(line.code))
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let rows = [(head.map(str::to_owned), None)].into_iter().chain(rows);
    let rows: Vec<_> = rows.collect();
    let mut widths = [0; N];
    for (cells, _) in &rows {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for (cells, code) in &rows {
        for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
            let padding = match at + 1 == N {
                true => String::new(),
                false => " ".repeat(width.saturating_sub(cell.chars().count()) + 2),
            };
            match code.filter(|_| at == coloured) {
                Some(code) => text.push_str(&format!("\u{1b}[{code}m{cell}\u{1b}[0m{padding}")),
                None => text.push_str(&format!("{cell}{padding}")),
            }
        }
        text.push('\n');
    }
    text
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
