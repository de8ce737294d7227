//! A picture in SVG: boxes in boxes, laid out by their arrangement.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::{Arrangement, Marks, Outline};

/// Between boxes, and between a box and its border; in pixels, as all here.
const GAP: u32 = 16;
/// The height of one line of text.
const LINE: u32 = 18;
/// How wide a character is taken to be; fonts that are wider are squeezed by the browser.
const CHARACTER: u32 = 8;
/// The least width of a box.
const WIDTH_MIN: u32 = 120;
/// The longest text that is shown, in characters.
const CHARACTERS_MAX: usize = 60;

/// Draws a template, or a run if `marks` says how its levels stand.
#[must_use]
pub fn svg(outline: &Outline, marks: &Marks) -> String {
    let root = Laid::of(outline);
    let (width, height) = (root.width + 2 * GAP, root.height + 2 * GAP);
    let mut drawing = Drawing { text: String::new(), places: HashMap::new(), marks };
    drawing.text(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-family=\"ui-monospace, monospace\" font-size=\"13\" role=\"img\">\n\
         <title>{}</title>\n\
         <defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" \
         markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#555555\"/></marker></defs>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n",
        escaped(&outline.title),
    ));
    drawing.draw(&root, GAP, GAP);
    for level in outline.walk() {
        for before in &level.after {
            drawing.link(before, &level.name);
        }
    }
    drawing.text.push_str("</svg>\n");
    drawing.text
}

/// A level with its measures.
struct Laid<'a> {
    level: &'a Outline,
    lines: Vec<String>,
    width: u32,
    height: u32,
    parts: Vec<Laid<'a>>,
    /// What is drawn below the parts, side by side.
    beside: Vec<Laid<'a>>,
}

impl<'a> Laid<'a> {
    fn of(level: &'a Outline) -> Self {
        let parts: Vec<Self> = level.parts.iter().map(Self::of).collect();
        let beside: Vec<Self> = level.beside.iter().map(Self::of).collect();
        let texts = [level.relation.as_deref(), Some(level.title.as_str()), Some(level.what.as_str())];
        let lines: Vec<String> = texts.into_iter().flatten().map(shortened).collect();
        let (parts_width, parts_height) = size(&parts, level.arrangement);
        let (beside_width, beside_height) = size(&beside, Arrangement::Across);
        let text_width = lines.iter().map(|line| count(line.chars().count()) * CHARACTER).max().unwrap_or(0);
        let width = text_width.max(parts_width).max(beside_width).max(WIDTH_MIN) + 2 * GAP;
        let text_height = count(lines.len()) * LINE + GAP;
        let blocks = [parts_height, beside_height].into_iter().filter(|height| *height > 0);
        let height = text_height + blocks.map(|height| height + GAP).sum::<u32>();
        Self { level, lines, width, height, parts, beside }
    }
}

/// The measures of boxes together.
fn size(boxes: &[Laid<'_>], arrangement: Arrangement) -> (u32, u32) {
    let gaps = count(boxes.len().saturating_sub(1)) * GAP;
    let (widths, heights) = (boxes.iter().map(|one| one.width), boxes.iter().map(|one| one.height));
    match arrangement {
        Arrangement::Down => (widths.max().unwrap_or(0), heights.sum::<u32>() + gaps),
        Arrangement::Across => (widths.sum::<u32>() + gaps, heights.max().unwrap_or(0)),
    }
}

struct Drawing<'a> {
    text: String,
    /// Left, top, width and height of each level, by name.
    places: HashMap<&'a str, (u32, u32, u32, u32)>,
    marks: &'a Marks,
}

impl<'a> Drawing<'a> {
    fn text(&mut self, text: std::fmt::Arguments<'_>) {
        let _never_fails = self.text.write_fmt(text);
    }

    fn draw(&mut self, laid: &Laid<'a>, left: u32, top: u32) {
        let Laid { level, lines, width, height, parts, beside } = laid;
        self.places.insert(&level.name, (left, top, *width, *height));
        let mark = self.marks.get(&level.name);
        let (fill, line) = mark.map_or(("#f7f9fc", "#8795a8"), |mark| mark.colours());
        let title =
            mark.map(|mark| format!("{}: {}", level.name, mark.name())).unwrap_or_else(|| level.name.clone());
        self.text(format_args!(
            "<g><title>{}</title><rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"6\" \
             fill=\"{fill}\" stroke=\"{line}\"/>",
            escaped(&title),
        ));
        let relations = usize::from(level.relation.is_some());
        for (number, text) in lines.iter().enumerate() {
            let (x, y) = (left + GAP, top + LINE + count(number) * LINE);
            let style = match number.checked_sub(relations) {
                None => " font-style=\"italic\" fill=\"#555555\"",
                Some(0) => " font-weight=\"bold\"",
                Some(_) => " fill=\"#555555\"",
            };
            self.text(format_args!("<text x=\"{x}\" y=\"{y}\"{style}>{}</text>", escaped(text)));
        }
        self.text.push_str("</g>\n");
        let mut below = top + count(lines.len()) * LINE + GAP;
        if !parts.is_empty() {
            self.draw_all(parts, level.arrangement, left + GAP, below);
            below += size(parts, level.arrangement).1 + GAP;
        }
        self.draw_all(beside, Arrangement::Across, left + GAP, below);
    }

    fn draw_all(&mut self, boxes: &[Laid<'a>], arrangement: Arrangement, left: u32, top: u32) {
        let (mut x, mut y) = (left, top);
        for (number, one) in boxes.iter().enumerate() {
            self.draw(one, x, y);
            match arrangement {
                Arrangement::Down => {
                    y += one.height + GAP;
                    if number + 1 < boxes.len() {
                        let middle = x + GAP;
                        self.arrow((middle, y - GAP), (middle, y), "");
                    }
                }
                Arrangement::Across => x += one.width + GAP,
            }
        }
    }

    /// A dashed arrow between levels that stand anywhere.
    fn link(&mut self, from: &str, to: &str) {
        let (Some(&(left, top, width, height)), Some(&(to_left, to_top, _, to_height))) =
            (self.places.get(from), self.places.get(to))
        else {
            return;
        };
        self.arrow(
            (left + width, top + height / 2),
            (to_left, to_top + to_height / 2),
            " stroke-dasharray=\"4 3\"",
        );
    }

    fn arrow(&mut self, from: (u32, u32), to: (u32, u32), style: &str) {
        self.text(format_args!(
            "<path d=\"M{} {}L{} {}\" fill=\"none\" stroke=\"#555555\" marker-end=\"url(#head)\"{style}/>\n",
            from.0, from.1, to.0, to.1,
        ));
    }
}

fn shortened(text: &str) -> String {
    let mut characters = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    let mut shown: String = characters.by_ref().take(CHARACTERS_MAX).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other if other.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX / 1024)
}
