//! The report as text.

use std::fmt::Write;

use crate::report::{Report, Row, guarantees};

/// The maximum length of a failure's message in the table. The JSON report has the whole message.
const MESSAGE_CHARS: usize = 2000;

/// The table by guarantee, and the failures.
pub(crate) fn render(report: &Report) -> String {
    let mut text = format!("\n{}\n\n", report.url);
    line(
        &mut text,
        &["", "guarantee", "passed", "failed", "not run"],
        "",
    );
    for row in report.rows() {
        let counts = row.counts;
        let [passed, failed, not_run] =
            [counts.passed, counts.failed, counts.not_run].map(|count| count.to_string());
        let cells = [&*row.guarantee, row.title, &passed, &failed, &not_run];
        line(&mut text, &cells, &remark(&row));
    }
    for (case, message) in report.failures() {
        let held = guarantees(case);
        let _ = write!(
            text,
            "\nFAILED {} {held}\n{}\n",
            case.name,
            indented(message)
        );
    }
    let counts = report.counts();
    let _ = writeln!(
        text,
        "\n{} cases passed, {} failed, {} not run",
        counts.passed, counts.failed, counts.not_run
    );
    text
}

fn line(text: &mut String, cells: &[&str; 5], remark: &str) {
    let [number, title, passed, failed, not_run] = cells;
    let line = format!("{number:<4}{title:<24}{passed:>8}{failed:>8}{not_run:>9}  {remark}");
    let _ = writeln!(text, "{}", line.trim_end());
}

fn remark(row: &Row) -> String {
    let failed = (row.counts.failed > 0).then_some("BROKEN");
    let parts = failed.into_iter().chain(row.why.as_deref());
    parts.collect::<Vec<_>>().join("; ")
}

/// A message, cut to the maximum length.
fn indented(message: &str) -> String {
    let mut cut: String = message.chars().take(MESSAGE_CHARS).collect();
    if cut.len() < message.len() {
        cut.push_str(" ... (--json prints the whole message)");
    }
    let lines: Vec<String> = cut.lines().map(|line| format!("    {line}")).collect();
    lines.join("\n")
}
