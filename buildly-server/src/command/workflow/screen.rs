//! A tree that is drawn anew in its place on a terminal; pure.

use super::tree::Row;

/// Moves up so many lines and clears from there (ECMA-48: CUU, ED).
const CLEAR: &str = "\x1b[J";

/// A terminal's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// What stands on the terminal.
#[derive(Debug, Default)]
pub(super) struct Screen {
    lines: usize,
}

impl Screen {
    /// What to write so that the tree stands where the one before stood.
    pub(super) fn redraw(&mut self, heading: &str, rows: &[Row], size: Size, is_coloured: bool) -> String {
        let mut lines: Vec<String> = heading.lines().map(|line| cut(line, size.columns)).collect();
        // One line stays free for the cursor: a screen that is full would scroll away its first.
        let room = size.rows.saturating_sub(lines.len() + 1).max(1);
        let (above, shown, below) = window(rows, room);
        lines.extend((above > 0).then(|| format!("… {above} more above")));
        lines.extend(shown.iter().map(|row| {
            let line = cut(&row.to_string(), size.columns);
            if is_coloured { coloured(row, &line) } else { line }
        }));
        lines.extend((below > 0).then(|| format!("… {below} more below")));
        let up = if self.lines > 0 { format!("\x1b[{}A\r", self.lines) } else { String::new() };
        self.lines = lines.len();
        lines.iter().fold(format!("{up}{CLEAR}"), |text, line| text + line + "\n")
    }
}

/// As many rows as there is room for, so that the first that is being worked on can be seen, and
/// how many stand above and below.
fn window(rows: &[Row], room: usize) -> (usize, &[Row], usize) {
    if rows.len() <= room {
        return (0, rows, 0);
    }
    // What is left out takes a line at each end.
    let height = room.saturating_sub(2).max(1);
    let focus = rows.iter().rposition(Row::is_live).unwrap_or(0);
    let first = focus.saturating_sub(height / 2).min(rows.len() - height);
    let shown = rows.get(first..first + height).unwrap_or_default();
    (first, shown, rows.len() - first - shown.len())
}

/// A line that does not wrap: wrapped ones would be counted wrong.
fn cut(line: &str, columns: usize) -> String {
    if line.chars().count() <= columns {
        return line.to_owned();
    }
    line.chars().take(columns.saturating_sub(1)).chain(['…']).collect()
}

fn coloured(row: &Row, line: &str) -> String {
    let colour = match row.mark() {
        Some("completed") => 32,
        Some("live") => 33,
        Some("failed") => 31,
        Some("undone") => 35,
        Some(_) | None => 2,
    };
    format!("\x1b[{colour}m{line}\x1b[0m")
}

#[cfg(test)]
mod tests;
