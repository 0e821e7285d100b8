//! Text of others, as people can read it: nothing in it is invisible, or moves what stands around it.

use std::borrow::Cow;

use maud::{Markup, html};

/// A text, in a box of its own writing direction. Characters that would not be seen are shown as their
/// numbers.
pub(crate) fn shown(text: &str) -> Markup {
    html! {
        bdi {
            @for part in parts(text) {
                @match part {
                    Part::Plain(text) => { (text) }
                    Part::Hidden(hidden) => {
                        span.hidden-character { (number(hidden)) }
                    }
                }
            }
        }
    }
}

/// The same where there can be no markup, such as in the title of a page.
pub(crate) fn visible(text: &str) -> String {
    let part = |part| match part {
        Part::Plain(text) => text.to_owned(),
        Part::Hidden(hidden) => number(hidden),
    };
    parts(text).map(part).collect()
}

/// A character as its number.
fn number(hidden: char) -> String {
    format!("\\u{{{:04x}}}", u32::from(hidden))
}

/// A text of at most so many characters. A longer one ends with three dots.
pub(crate) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => text.into(),
        Some((end, _)) => format!("{}...", &text[..end]).into(),
    }
}

enum Part<'a> {
    Plain(&'a str),
    Hidden(char),
}

fn parts(mut rest: &str) -> impl Iterator<Item = Part<'_>> {
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        if is_hidden(first) {
            rest = &rest[first.len_utf8()..];
            return Some(Part::Hidden(first));
        }
        let end = rest.find(is_hidden).unwrap_or(rest.len());
        let (plain, after) = rest.split_at(end);
        rest = after;
        Some(Part::Plain(plain))
    })
}

/// Whether a character is not seen, or changes the direction of what follows.
fn is_hidden(character: char) -> bool {
    let is_space = matches!(character, '\n' | '\t');
    let is_control = character.is_control() && !is_space;
    is_control
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_invisible_and_nothing_is_markup() {
        let markup = shown("<b>\u{202e}\0a\u{200b}\n</bdi>").into_string();
        assert_eq!(
            markup,
            "<bdi>&lt;b&gt;<span class=\"hidden-character\">\\u{202e}</span>\
             <span class=\"hidden-character\">\\u{0000}</span>a\
             <span class=\"hidden-character\">\\u{200b}</span>\n&lt;/bdi&gt;</bdi>"
        );
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöü", 2), "äö...");
    }
}
