//! Server-sent events, by the rules of the HTML standard, section "Server-sent events".
//!
//! The text of each event is looked at once, in however many pieces it arrives.

/// An event that is complete.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) name: String,
    pub(crate) data: String,
}

/// Cuts the bytes of a stream into events. An event counts when its empty line has arrived.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// The id of the last complete event.
    pub(crate) last_id: Option<String>,
    /// A line that is not complete yet.
    line: Vec<u8>,
    /// Whether the last byte was a carriage return, which a line feed may follow.
    after_return: bool,
    /// The event that is not complete yet.
    name: String,
    data: Option<String>,
    id: Option<String>,
}

impl Frames {
    /// The events of a stream that goes on after an event with this id.
    pub(crate) fn after(last_id: Option<String>) -> Self {
        Self {
            last_id,
            ..Self::default()
        }
    }

    /// The events that these bytes complete.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) -> Vec<Frame> {
        let mut complete = Vec::new();
        while let Some(&first) = bytes.first() {
            if std::mem::take(&mut self.after_return) && first == b'\n' {
                bytes = bytes.split_at(1).1;
                continue;
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) else {
                self.line.extend_from_slice(bytes);
                break;
            };
            let (line, rest) = bytes.split_at(end);
            self.after_return = rest.first() == Some(&b'\r');
            bytes = rest.split_at(1).1;
            if self.line.is_empty() {
                complete.extend(self.take(line));
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                complete.extend(self.take(&whole));
            }
        }
        complete
    }

    /// Takes a line. An empty one completes the event.
    fn take(&mut self, line: &[u8]) -> Option<Frame> {
        if line.is_empty() {
            if self.id.is_some() {
                self.last_id = self.id.take();
            }
            let name = std::mem::take(&mut self.name);
            let data = self.data.take()?;
            return Some(Frame { name, data });
        }
        let line = String::from_utf8_lossy(line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "id" => self.id = Some(value.to_owned()),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STREAM: &str = "\u{feff}: comment\r\n\r\nevent: changeset\nid: 7\ndata: {\"ü\":1}\n\n\
                          event:checkpoint\rid\rdata:a\rdata: b\r\rdata: €\r\n\r\nid: 9\ndata: half\n";

    fn read(pieces: &[&[u8]]) -> (Vec<(String, String)>, Option<String>) {
        let mut frames = Frames::default();
        let found = pieces.iter().flat_map(|piece| frames.feed(piece));
        let found = found.map(|frame| (frame.name, frame.data)).collect();
        (found, frames.last_id)
    }

    #[test]
    fn line_breaks_of_each_kind_end_a_line() {
        let (found, last_id) = read(&[STREAM.as_bytes()]);
        let expected = [
            ("changeset", "{\"ü\":1}"),
            ("checkpoint", "a\nb"),
            ("", "€"),
        ];
        let expected = expected.map(|(name, data)| (name.to_owned(), data.to_owned()));
        assert_eq!(found, expected);
        assert_eq!(last_id.as_deref(), Some(""));
    }

    proptest! {
        /// Where the pieces are cut makes no difference, not even inside a character.
        #[test]
        fn pieces_make_no_difference(cuts in prop::collection::vec(0..STREAM.len(), 0..8)) {
            let mut cuts = cuts;
            cuts.extend([0, STREAM.len()]);
            cuts.sort_unstable();
            let bytes = STREAM.as_bytes();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect();
            prop_assert_eq!(read(&pieces), read(&[bytes]));
        }
    }
}
