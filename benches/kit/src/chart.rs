//! Bar charts of comparisons, as SVG: what was measured beside its baseline.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::{Comparison, Spread};

const MEASURED: RGBColor = RGBColor(0x4a, 0x86, 0xc8);
const BASELINE: RGBColor = RGBColor(0xa9, 0xb1, 0xba);
const TEXT: RGBColor = RGBColor(0x1b, 0x1f, 0x24);
const FAINT: RGBColor = RGBColor(0x59, 0x63, 0x6e);

/// Pixels.
const WIDTH: i32 = 860;
const MARGIN: i32 = 24;
const BARS: i32 = 256;
const LONGEST: i32 = 480;
const BAR: i32 = 18;
const ROW: i32 = 22;

/// A chart with panels below each other.
#[derive(Debug)]
pub struct Chart {
    title: String,
    note: String,
    panels: Vec<Panel>,
}

/// Comparisons that have a unit and a scale in common.
#[derive(Debug)]
pub struct Panel {
    unit: String,
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    label: String,
    bars: [Bar; 2],
}

#[derive(Debug)]
struct Bar {
    label: String,
    color: RGBColor,
    least: f64,
    value: f64,
    most: f64,
}

impl Panel {
    /// A panel without comparisons, of values in this unit.
    pub fn new(unit: &str) -> Self {
        Self {
            unit: unit.to_owned(),
            groups: Vec::new(),
        }
    }

    /// Adds a comparison of two sides that have these names.
    pub fn add(&mut self, label: &str, [measured, baseline]: [&str; 2], compared: &Comparison) {
        let bar = |label: &str, color, spread: &Spread| Bar {
            label: label.to_owned(),
            color,
            least: spread.least,
            value: spread.median,
            most: spread.most,
        };
        self.groups.push(Group {
            label: format!("{label}: {:.2}x", compared.ratio.median),
            bars: [
                bar(measured, MEASURED, &compared.measured),
                bar(baseline, BASELINE, &compared.baseline),
            ],
        });
    }

    fn height(&self) -> i32 {
        let groups = i32::try_from(self.groups.len()).unwrap();
        44 + groups * (3 * ROW + 12)
    }

    /// The value whose bar has the full length.
    fn scale(&self) -> f64 {
        let bars = self.groups.iter().flat_map(|group| &group.bars);
        bars.map(|bar| bar.most).fold(f64::MIN_POSITIVE, f64::max)
    }
}

impl Chart {
    /// A chart without panels. The note tells how it was measured.
    pub fn new(title: &str, note: &str) -> Self {
        Self {
            title: title.to_owned(),
            note: note.to_owned(),
            panels: Vec::new(),
        }
    }

    /// Adds a panel, unless it has no comparisons.
    pub fn add(&mut self, panel: Panel) {
        if !panel.groups.is_empty() {
            self.panels.push(panel);
        }
    }

    /// Writes the chart into a file.
    pub fn write(&self, path: &Path) {
        let written = std::fs::write(path, self.svg());
        written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// The chart as SVG.
    pub fn svg(&self) -> String {
        let panels: i32 = self.panels.iter().map(Panel::height).sum();
        let height = 84 + panels;
        let mut svg = String::new();
        let size = (WIDTH.unsigned_abs(), height.unsigned_abs());
        let page = Page(SVGBackend::with_string(&mut svg, size).into_drawing_area());
        page.fill();
        page.text(&self.title, (MARGIN, 28), 20, FontStyle::Bold, TEXT);
        page.text(&self.note, (MARGIN, 54), 13, FontStyle::Normal, FAINT);
        let mut top = 74;
        for panel in &self.panels {
            page.panel(panel, top);
            top += panel.height();
        }
        drop(page);
        svg
    }
}

/// How charts call this number of clients.
pub fn clients(count: u64) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} client{plural}")
}

/// What is drawn on.
struct Page<'a>(DrawingArea<SVGBackend<'a>, plotters::coord::Shift>);

impl Page<'_> {
    fn fill(&self) {
        self.0.fill(&WHITE).unwrap();
    }

    /// Writes a text that begins here; the height is that of its middle.
    fn text(&self, text: &str, at: (i32, i32), size: i32, style: FontStyle, color: RGBColor) {
        // plotters divides the size by this.
        let size = f64::from(size) * 1.24;
        let font = ("sans-serif", size, style).into_font().color(&color);
        let style = font.pos(Pos::new(HPos::Left, VPos::Center));
        self.0.draw_text(text, &style, at).unwrap();
    }

    fn rectangle(&self, from: (i32, i32), to: (i32, i32), color: RGBColor) {
        let rectangle = Rectangle::new([from, to], color.filled());
        self.0.draw(&rectangle).unwrap();
    }

    fn line(&self, from: (i32, i32), to: (i32, i32), color: RGBColor) {
        let line = PathElement::new([from, to], color.stroke_width(1));
        self.0.draw(&line).unwrap();
    }

    fn panel(&self, panel: &Panel, top: i32) {
        self.line((MARGIN, top), (WIDTH - MARGIN, top), BASELINE);
        self.text(&panel.unit, (MARGIN, top + 22), 15, FontStyle::Bold, TEXT);
        let mut row = top + 50;
        for group in &panel.groups {
            self.text(&group.label, (MARGIN, row), 13, FontStyle::Bold, TEXT);
            for bar in &group.bars {
                row += ROW;
                self.bar(bar, panel.scale(), row);
            }
            row += ROW + 12;
        }
    }

    /// A bar with its name, the range of its rounds as a line, and its value.
    fn bar(&self, bar: &Bar, scale: f64, middle: i32) {
        #[allow(clippy::cast_possible_truncation)] // at most LONGEST
        let at = |value: f64| BARS + (value / scale * f64::from(LONGEST)).round() as i32;
        self.text(&bar.label, (MARGIN, middle), 13, FontStyle::Normal, TEXT);
        let end = at(bar.value);
        let (above, below) = (middle - BAR / 2, middle + BAR / 2);
        self.rectangle((BARS, above), (end, below), bar.color);
        let most = at(bar.most);
        self.line((at(bar.least), middle), (most, middle), TEXT);
        let value = (most.max(end) + 8, middle);
        self.text(&grouped(bar.value), value, 13, FontStyle::Normal, TEXT);
    }
}

/// A whole number with a comma before each three digits.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
