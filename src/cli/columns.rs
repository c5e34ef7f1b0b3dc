//! Rows with columns, for the terminal.

use manifest::diagnostic::printable::printable;

/// A row of a table.
pub(super) struct Row {
    /// The cells.
    pub cells: Vec<String>,
    /// The column whose cell is coloured, and the SGR code of its colour.
    pub colour: Option<(usize, &'static str)>,
}

impl Row {
    /// A row without a colour.
    pub(super) fn plain(cells: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Row {
            cells: cells.into_iter().map(Into::into).collect(),
            colour: None,
        }
    }

    /// A row with a cell in the colour of an SGR code, if there is one.
    pub(super) fn coloured<const N: usize>(
        cells: [String; N],
        at: usize,
        code: Option<&'static str>,
    ) -> Self {
        Row {
            colour: code.map(|code| (at, code)),
            ..Self::plain(cells)
        }
    }
}

/// The rows as lines, each column as wide as its longest cell. The last cell of a row is not padded. Characters that would
/// control the terminal are written as escapes.
pub(super) fn aligned(rows: &[Row]) -> String {
    let shown: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.cells.iter().map(|cell| printable(cell)).collect())
        .collect();
    let columns = shown.iter().map(Vec::len).max().unwrap_or_default();
    let mut widths = vec![0; columns];
    for cells in &shown {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for (row, cells) in rows.iter().zip(&shown) {
        let mut padding = 0;
        for (at, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            if !cell.is_empty() {
                text.push_str(&" ".repeat(padding));
                padding = 0;
                match row.colour.filter(|(column, _)| *column == at) {
                    Some((_, code)) => text.push_str(&format!("\u{1b}[{code}m{cell}\u{1b}[0m")),
                    None => text.push_str(cell),
                }
            }
            padding += width.saturating_sub(cell.chars().count()) + 2;
        }
        text.push('\n');
    }
    text
}

/// A text of at most `longest` characters; `…` stands in place of the rest.
pub(super) fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let kept = text.chars().take(longest.saturating_sub(1));
    kept.chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::{Row, aligned, shortened};

    #[test]
    fn columns_are_as_wide_as_their_longest_cell_and_nothing_stands_at_the_end_of_a_line() {
        let rows = [
            Row::plain(["name", "state", ""]),
            Row::coloured(
                ["a longer name", "bad\u{1b}[2J", ""].map(str::to_owned),
                1,
                Some("31"),
            ),
            Row::coloured(["ü", "", "why"].map(str::to_owned), 1, None),
        ];
        assert_eq!(
            aligned(&rows),
            "name           state\n\
             a longer name  \u{1b}[31mbad\\u{1b}[2J\u{1b}[0m\n\
             ü                            why\n"
        );
    }

    #[test]
    fn a_shortened_text_has_as_many_characters_as_it_may() {
        assert_eq!(shortened("gateway", 7), "gateway");
        assert_eq!(shortened("gatewäys", 7), "gatewä…");
    }
}
