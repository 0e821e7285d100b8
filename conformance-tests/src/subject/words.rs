//! The calls to a store, as text for messages.

use std::fmt;

use super::{Expect, Read};

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changeset(0) => f.write_str("no changeset"),
            Self::Event(0) => f.write_str("no event"),
            Self::Changeset(last) => write!(f, "changeset {last} to be the last"),
            Self::Event(last) => write!(f, "event {last} to be the last"),
        }
    }
}

impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.to) {
            (None, None) => f.write_str("of the whole range"),
            (Some(from), None) => write!(f, "from {from} on"),
            (None, Some(to)) => write!(f, "up to {to}"),
            (Some(from), Some(to)) => write!(f, "from {from} to {to}"),
        }?;
        if let Some(limit) = self.limit {
            write!(f, ", at most {limit}")?;
        }
        f.write_str(if self.backward { ", newest first" } else { "" })
    }
}
