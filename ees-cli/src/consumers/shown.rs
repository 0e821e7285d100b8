//! Consumers as text for people: tables with a head.

use serde_json::Value;

/// All consumers, a line for each.
pub(super) fn list(states: &[Value]) -> String {
    let rows = states.iter().map(|state| {
        let partitions = state["partitions"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        let parked = partitions.iter().filter_map(|of| of["parked"].as_u64());
        vec![
            plain(&state["name"]),
            partitions.len().to_string(),
            plain(&state["lag"]["changesets"]),
            plain(&state["lag"]["seconds"]),
            parked.sum::<u64>().to_string(),
        ]
    });
    let head = ["CONSUMER", "PARTITIONS", "LAG", "LAG SECONDS", "PARKED"];
    table(&head, rows)
}

/// A consumer, with a line for each of its partitions.
pub(super) fn consumer(state: &Value) -> String {
    let partitions = state["partitions"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let rows = partitions.iter().map(|of| {
        let fields = [
            "partition",
            "checkpoint",
            "parked",
            "worker",
            "lease_seconds_left",
        ];
        fields.iter().map(|field| plain(&of[field])).collect()
    });
    let head = [
        "PARTITION",
        "CHECKPOINT",
        "PARKED",
        "WORKER",
        "LEASE SECONDS LEFT",
    ];
    format!(
        "{}: {} changesets behind, {} seconds\n{}\n{}",
        plain(&state["name"]),
        state["lag"]["changesets"],
        state["lag"]["seconds"],
        state["definition"],
        table(&head, rows)
    )
}

/// A page of parked streams.
pub(super) fn parked(page: &Value) -> String {
    let parked = page["parked"].as_array().map_or(&[][..], Vec::as_slice);
    let rows = parked.iter().map(|of| {
        let next = match (of["stopped"].as_bool(), of["next_try"].as_str()) {
            (Some(true), _) => "stops its partition".to_owned(),
            (_, Some(next)) => next.to_owned(),
            (_, None) => "waits for an operator".to_owned(),
        };
        vec![
            plain(&of["stream_id"]),
            plain(&of["from_changeset"]),
            plain(&of["attempts"]),
            plain(&of["since"]),
            next,
            plain(&of["error"]),
        ]
    });
    let head = ["STREAM", "CHANGESET", "TRIES", "SINCE", "NEXT TRY", "ERROR"];
    let more = page["next"].as_str();
    let more = more.map(|next| format!("more: --after {next:?}\n"));
    table(&head, rows) + &more.unwrap_or_default()
}

/// A value on one line: a worker and an error may hold control characters, which a terminal obeys.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

/// Columns, each as wide as its widest cell; the last one ends where it ends.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head = head.iter().map(ToString::to_string).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().enumerate();
        let cells = cells.map(|(column, cell)| {
            let width = width(column);
            format!("{cell:<width$}")
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
