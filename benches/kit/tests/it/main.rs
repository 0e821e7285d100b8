//! The charts of the benchmarks.

use benches_kit::chart::{Chart, Panel};
use benches_kit::report::{Comparison, spread};

#[test]
fn a_chart_of_two_bars_has_their_labels_and_values() {
    let figures = [1_190.0, 21_234.4, 41_000.0];
    let compared = Comparison {
        ratio: spread([2.0, 2.126, 3.0].into_iter()),
        measured: spread(figures.into_iter()),
        baseline: spread(figures.iter().map(|figure| figure / 20.0)),
    };
    let mut panel = Panel::new("Appends a second");
    panel.add("16 clients", ["this & that", "the peer"], &compared);
    let mut chart = Chart::new("A title", "medians of 3 rounds");
    chart.add(panel);
    let svg = chart.svg();
    let texts = texts(&svg);
    let expected = [
        "A title",
        "medians of 3 rounds",
        "Appends a second",
        "16 clients: 2.13x",
        "this &amp; that",
        "21,234",
        "the peer",
        "1,062",
    ];
    assert_eq!(texts, expected, "{svg}");
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    // Each bar is as long as its value, where the largest round of the panel has the full length.
    let lengths: Vec<i32> = bars(&svg);
    assert_eq!(lengths, [249, 12], "{svg}");
}

#[test]
fn a_panel_without_comparisons_is_not_drawn() {
    let mut chart = Chart::new("A title", "a note");
    chart.add(Panel::new("Appends a second"));
    assert_eq!(texts(&chart.svg()), ["A title", "a note"]);
}

/// The texts of a chart, from above.
fn texts(svg: &str) -> Vec<&str> {
    let texts = svg.split("<text").skip(1);
    let inner = texts.filter_map(|text| text.split(['>', '<']).nth(1));
    inner.map(str::trim).collect()
}

/// The lengths of the bars: the rectangles of their height.
fn bars(svg: &str) -> Vec<i32> {
    let bars = svg
        .split("<rect")
        .filter(|rectangle| rectangle.contains(r#"height="18""#));
    let widths = bars.filter_map(|bar| bar.split_once(r#"width=""#)?.1.split('"').next());
    widths.filter_map(|width| width.parse().ok()).collect()
}
