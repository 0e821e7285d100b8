//! JSON for people: one member on each line, as it was committed.

use ees_http::pretty_json;
use maud::{Markup, html};

use super::format::bytes;
use super::shown::shown;

/// JSON that is laid out over lines, with its names apart. What is larger than `most` bytes is cut,
/// and says so.
pub(crate) fn json(text: &str, most: usize) -> Markup {
    if let Some(lines) = pretty_json(text.as_bytes(), 0, most) {
        let lines = String::from_utf8_lossy(&lines);
        return html! {
            pre.json tabindex="0" { @for line in lines.lines() { (member(line)) "\n" } }
        };
    }
    let end = (0..=most.min(text.len())).rev();
    let end = end.into_iter().find(|at| text.is_char_boundary(*at));
    let begin = &text[..end.unwrap_or_default()];
    let size = |of: &str| bytes(u64::try_from(of.len()).unwrap_or(u64::MAX));
    html! {
        pre.json tabindex="0" { (shown(begin)) }
        @if begin.len() < text.len() {
            p.note { "The first " (size(begin)) " of " (size(text)) ". The command has the rest." }
        }
    }
}

/// A line of JSON: at most one name, and what follows it.
fn member(line: &str) -> Markup {
    let text = line.trim_start_matches(' ');
    let indent = &line[..line.len() - text.len()];
    let (name, rest) = text.split_at(name_length(text).unwrap_or_default());
    html! {
        (indent)
        @if !name.is_empty() { span.name { (shown(name)) } }
        (value(rest))
    }
}

fn value(text: &str) -> Markup {
    let plain = text.trim_start_matches([':', ' ']);
    let before = &text[..text.len() - plain.len()];
    let (plain, after) = match plain.strip_suffix(',') {
        Some(plain) => (plain, ","),
        None => (plain, ""),
    };
    let kind = plain.as_bytes().first();
    let class = match kind {
        Some(b'"') => "text",
        Some(b'[' | b']' | b'{' | b'}') | None => "bracket",
        Some(_) => "number",
    };
    html! { (before) span class=(class) { (shown(plain)) } (after) }
}

/// Where the name ends that a line begins with.
fn name_length(text: &str) -> Option<usize> {
    let rest = text.strip_prefix('"')?;
    let mut is_escaped = false;
    let end = rest.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })?;
    let after = end + 2;
    text.get(after..)?.starts_with(": ").then_some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_values() {
        assert_eq!(name_length(r#""a\"b": 1"#), Some(6));
        assert_eq!(name_length(r#""a: b""#), None);
        assert_eq!(name_length("1"), None);
        let markup = json(r#"{"a<b":"<script>"}"#, 1000).into_string();
        assert!(
            !markup.contains("<script>") && markup.contains("&lt;script&gt;"),
            "{markup}"
        );
    }

    #[test]
    fn what_is_large_is_cut_between_characters_and_says_so() {
        let large = format!("\"{}\"", "é".repeat(5000));
        let markup = json(&large, 100).into_string();
        assert!(markup.contains("The first 99 bytes of 9.8 KiB"), "{markup}");
        assert!(markup.len() < 1000);
        let deep = format!("{}{}", "[".repeat(90), "]".repeat(90));
        assert!(json(&deep, 200).into_string().len() < 2000);
    }
}
