//! The commands behind the pages.

use maud::{Markup, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::asked::Asked;

/// What is encoded in a part of a path: everything but unreserved characters (RFC 3986).
const PART: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A part of a path, so that a URL and a shell leave it as it is.
pub(crate) fn encoded(part: &str) -> String {
    utf8_percent_encode(part, PART).to_string()
}

/// A text as one word of a shell.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A call of the server.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Curl<'a> {
    /// The path and the query, whose parts are encoded.
    pub(crate) path: &'a str,
    /// Further options.
    pub(crate) options: &'a str,
}

impl Curl<'_> {
    /// The command. With keys it takes the key from a variable.
    pub(crate) fn text(&self, asked: &Asked) -> String {
        let key = match asked.viewer.caller {
            Some(_) => " -H \"Authorization: Bearer $EES_KEY\"",
            None => "",
        };
        let url = quoted(&format!("{}{}", asked.server, self.path));
        let separator = if self.options.is_empty() { "" } else { " " };
        format!("curl {url}{key}{separator}{}", self.options)
    }
}

/// A command with a button that copies it.
pub(crate) fn command(text: &str) -> Markup {
    html! {
        div.command {
            pre tabindex="0" { code { (text) } }
            button.quiet-button type="button" data-copy hidden { "Copy" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_id_cannot_leave_its_place_in_a_command() {
        assert_eq!(encoded("a/b'$(x)\n é"), "a%2Fb%27%24%28x%29%0A%20%C3%A9");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
