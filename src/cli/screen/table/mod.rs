//! Tables that fit the screen.
//!
//! Where a table is too wide, its remarks move from the last column to lines of their own, then the
//! least important columns are left out and named below it, and then names are cut.

#[cfg(test)]
mod tests;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::model::printable;

use super::{Screen, Tone};

/// Between two columns.
const GAP: usize = 2;

/// From this rank on, a column is left out rather than a name cut.
const DISPENSABLE: u8 = 4;

/// Before the lines of a remark that has no column.
const INDENT: &str = "    ";

/// A column.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Column {
    header: &'static str,
    is_number: bool,
    /// Columns of a higher rank are left out first, the first column never.
    rank: u8,
    /// The width down to which cells are cut.
    least: usize,
}

/// The content of a column in a row.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct Cell {
    text: String,
    tone: Tone,
}

#[derive(Clone, Debug)]
struct Row {
    cells: Vec<Cell>,
    remark: String,
    /// Whether the remark is worth a line of its own.
    matters: bool,
}

/// A table, with a remark on each row.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Table {
    columns: Vec<Column>,
    remarks: &'static str,
    rows: Vec<Row>,
}

impl Column {
    /// A column of names or words, which is never cut.
    pub(in crate::cli) const fn words(header: &'static str, rank: u8) -> Self {
        Self {
            header,
            is_number: false,
            rank,
            least: usize::MAX,
        }
    }

    /// A column of names that may be cut to this width.
    pub(in crate::cli) const fn names(header: &'static str, rank: u8, least: usize) -> Self {
        Self {
            least,
            ..Self::words(header, rank)
        }
    }

    /// A column of numbers.
    pub(in crate::cli) const fn numbers(header: &'static str, rank: u8) -> Self {
        Self {
            is_number: true,
            ..Self::words(header, rank)
        }
    }
}

impl Cell {
    /// A cell in a colour.
    pub(in crate::cli) fn new(text: impl AsRef<str>, tone: Tone) -> Self {
        Self {
            text: printable(text.as_ref()).into_owned(),
            tone,
        }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text, Tone::Plain)
    }
}

impl Table {
    /// A table without rows; `remarks` is the header of its last column.
    pub(in crate::cli) fn new(columns: &[Column], remarks: &'static str) -> Self {
        Self {
            columns: columns.to_vec(),
            remarks,
            rows: Vec::new(),
        }
    }

    /// Adds a row, whose remark is worth a line of its own where it `matters`.
    pub(in crate::cli) fn add<const N: usize>(
        &mut self,
        cells: [Cell; N],
        remark: &str,
        matters: bool,
    ) {
        debug_assert_eq!(N, self.columns.len(), "a cell for each column");
        self.rows.push(Row {
            cells: cells.into(),
            remark: printable(remark).into_owned(),
            matters,
        });
    }

    /// Whether it has no rows.
    pub(in crate::cli) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Renders the table, each line with its line end.
    pub(in crate::cli) fn render(&self, screen: &Screen) -> String {
        let layout = Layout::of(self, screen.width);
        let mut text = String::new();
        let headers: Vec<Cell> = self
            .columns
            .iter()
            .map(|column| Cell::new(column.header, Tone::Heading))
            .collect();
        let (remarks, rest) = match layout.has_remark_column {
            true => (self.remarks, None),
            false => ("", Some(INDENT)),
        };
        self.line(&mut text, screen, &layout, &headers, remarks, Tone::Heading);
        for row in &self.rows {
            let inline = match rest {
                None => &*row.remark,
                Some(_) => "",
            };
            self.line(&mut text, screen, &layout, &row.cells, inline, Tone::Plain);
            if let Some(indent) = rest.filter(|_| row.matters && !row.remark.is_empty()) {
                for line in screen.wrap(&row.remark, indent) {
                    text.push_str(&screen.paint(Tone::Aside, &line));
                    text.push('\n');
                }
            }
        }
        if !layout.left_out.is_empty() {
            let note = format!(
                "not shown: {}; `--wide` shows all",
                layout.left_out.join(", ")
            );
            text.push_str(&screen.paragraph(Tone::Aside, &note));
        }
        text
    }

    fn line(
        &self,
        text: &mut String,
        screen: &Screen,
        layout: &Layout,
        cells: &[Cell],
        remark: &str,
        remark_tone: Tone,
    ) {
        let mut blanks = 0;
        for (place, &(column, width)) in layout.columns.iter().enumerate() {
            let cell = &cells[column];
            let shown = cut(&cell.text, width);
            let missing = width - shown.width();
            if place > 0 {
                blanks += GAP;
            }
            let (before, after) = match self.columns[column].is_number {
                true => (missing, 0),
                false => (0, missing),
            };
            if !shown.is_empty() {
                text.extend(std::iter::repeat_n(' ', blanks + before));
                text.push_str(&screen.paint(cell.tone, &shown));
                blanks = after;
            } else {
                blanks += width;
            }
        }
        if !remark.is_empty() {
            text.extend(std::iter::repeat_n(' ', blanks + GAP));
            text.push_str(&screen.paint(remark_tone, remark));
        }
        text.push('\n');
    }

    /// The width of a column as it would like to be, zero where nothing stands in it.
    fn natural(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| row.cells[column].text.width());
        match cells.max().unwrap_or(0) {
            0 => 0,
            widest => widest.max(self.columns[column].header.width()),
        }
    }
}

/// What of a table is shown.
struct Layout {
    /// The columns by their place in the table, and their widths.
    columns: Vec<(usize, usize)>,
    has_remark_column: bool,
    left_out: Vec<&'static str>,
}

impl Layout {
    fn of(table: &Table, screen: Option<usize>) -> Self {
        let columns = 0..table.columns.len();
        let mut layout = Self {
            columns: columns
                .map(|column| (column, table.natural(column)))
                .filter(|&(_, width)| width > 0)
                .collect(),
            has_remark_column: table.rows.iter().any(|row| !row.remark.is_empty()),
            left_out: Vec::new(),
        };
        let Some(screen) = screen else {
            return layout;
        };
        let remarks = table.rows.iter().map(|row| row.remark.width());
        let widest = remarks.max().unwrap_or(0).max(table.remarks.len());
        // A remark is not broken inside its column: the next row would move away from its header.
        if layout.width() + GAP + widest > screen {
            layout.has_remark_column = false;
        }
        layout.leave_out(table, screen);
        layout.cut(table, screen);
        layout
    }

    /// The width of all columns with names cut as far as can be.
    fn least(&self, table: &Table) -> usize {
        let columns = self.columns.iter();
        total(columns.map(|&(column, width)| table.columns[column].least.min(width)))
    }

    /// The width of all columns but that of remarks.
    fn width(&self) -> usize {
        total(self.columns.iter().map(|&(_, width)| width))
    }

    /// Leaves columns out until the rest can be made to fit.
    fn leave_out(&mut self, table: &Table, screen: usize) {
        loop {
            let ranks = self.columns.iter().enumerate().skip(1);
            let ranks = ranks.map(|(place, &(column, _))| (table.columns[column].rank, place));
            let Some((rank, place)) = ranks.max() else {
                break;
            };
            let needed = match rank >= DISPENSABLE {
                true => self.width(),
                false => self.least(table),
            };
            if needed <= screen {
                break;
            }
            let (column, _) = self.columns.remove(place);
            self.left_out.push(table.columns[column].header);
        }
        self.left_out.reverse();
    }

    /// Cuts the widest columns until all fit.
    fn cut(&mut self, table: &Table, screen: usize) {
        while self.width() > screen {
            let is_alone = self.columns.len() == 1;
            let widest = self
                .columns
                .iter_mut()
                .filter(|(column, width)| {
                    *width > 1 && (is_alone || *width > table.columns[*column].least)
                })
                .max_by_key(|(_, width)| *width);
            match widest {
                Some((_, width)) => *width -= 1,
                None => break,
            }
        }
    }
}

fn total(widths: impl Iterator<Item = usize>) -> usize {
    let (number, sum) = widths.fold((0, 0), |(number, sum), width| (number + 1, sum + width));
    sum + GAP * usize::saturating_sub(number, 1)
}

/// Cuts a text to a width; the cut is marked.
fn cut(text: &str, width: usize) -> std::borrow::Cow<'_, str> {
    if text.width() <= width {
        return text.into();
    }
    let mut shown = String::new();
    let mut used = 1;
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used > width {
            break;
        }
        shown.push(character);
    }
    shown.push('…');
    shown.into()
}
