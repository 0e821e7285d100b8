//! Plots of the last hour, or of the time since the server began, as SVG. They take their colours from the style of the page, in light and in
//! dark, which a plotting crate's pictures do not.

use std::fmt::Write;

use maud::{Markup, html};

use crate::history::Point;

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 64.0;

/// The shortest time that a plot shows, in seconds: a server that has just begun has no hour yet.
const SHORTEST: f64 = 120.0;

/// Two samples that are further apart have a gap between them, in seconds.
const GAP: f64 = 60.0;

/// What a plot shows.
#[derive(Debug)]
pub(crate) struct Plot<'a> {
    pub(crate) title: &'a str,
    /// What a value is, as in `per second`.
    pub(crate) unit: &'a str,
    pub(crate) points: &'a [Point],
    /// A class: `bad` for what should be 0.
    pub(crate) kind: &'static str,
}

/// A plot with its title, its last value and its largest.
pub(crate) fn plot(plot: &Plot) -> Markup {
    let largest = plot.points.iter().map(|point| point.value);
    let largest = largest.fold(0.0, f64::max);
    let last = plot.points.last().map(|point| point.value);
    let reach = plot.points.iter().map(|point| point.ago);
    let reach = reach.fold(SHORTEST, f64::max);
    let (line, area) = paths(plot.points, reach, largest);
    let told = last.map_or_else(|| "no sample yet".to_owned(), number);
    let summary = format!(
        "{}: now {told}, at most {} {}",
        plot.title,
        number(largest),
        plot.unit
    );
    // What should be 0 is calm while it is.
    let kind = if largest > 0.0 { plot.kind } else { "" };
    html! {
        figure class=(format!("plot {kind}")) {
            figcaption {
                span.plot-title { (plot.title) }
                span.plot-value { (told) @if last.is_some() { " " span.quiet { (plot.unit) } } }
            }
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" role="img" aria-label=(summary) {
                line.plot-floor x1="0" x2=(WIDTH) y1=(HEIGHT - 1.0) y2=(HEIGHT - 1.0) {}
                path.plot-area d=(area) {}
                path.plot-line d=(line) {}
            }
            div.plot-axis { span { (format!("{:.0} min ago", reach / 60.0)) } span { "most: " (number(largest)) } span { "now" } }
        }
    }
}

/// The line through the points, and the area below it.
fn paths(points: &[Point], reach: f64, largest: f64) -> (String, String) {
    let (mut line, mut area) = (String::new(), String::new());
    let mut before: Option<Point> = None;
    for point in points {
        let (x, y) = place(point, reach, largest);
        let joined = before.filter(|before| before.ago - point.ago <= GAP);
        let step = if joined.is_some() { 'L' } else { 'M' };
        // Writing to a text cannot fail.
        let _ = write!(line, "{step}{x:.1} {y:.1}");
        if let Some(before) = joined {
            let (from, from_y) = place(&before, reach, largest);
            let floor = HEIGHT - 1.0;
            let _ = write!(
                area,
                "M{from:.1} {floor}V{from_y:.1}L{x:.1} {y:.1}V{floor}Z"
            );
        } else {
            let _ = write!(line, "h0.1");
        }
        before = Some(*point);
    }
    (line, area)
}

fn place(point: &Point, reach: f64, largest: f64) -> (f64, f64) {
    let x = WIDTH * (1.0 - point.ago / reach);
    let share = if largest > 0.0 {
        point.value / largest
    } else {
        0.0
    };
    (x.max(0.0), (HEIGHT - 1.0) - share * (HEIGHT - 4.0))
}

/// A value with few digits.
fn number(value: f64) -> String {
    match value {
        _ if value >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        _ if value >= 1.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_through_the_points_and_has_gaps() {
        let point = |ago, value| Point { ago, value };
        let points = [point(3600.0, 0.0), point(3590.0, 2.0), point(0.0, 1.0)];
        let (line, area) = paths(&points, 3600.0, 2.0);
        assert_eq!(line, "M0.0 63.0h0.1L1.0 3.0M360.0 33.0h0.1");
        assert_eq!(area, "M0.0 63V63.0L1.0 3.0V63Z");
        assert_eq!(paths(&[], 120.0, 0.0), (String::new(), String::new()));
    }
}
