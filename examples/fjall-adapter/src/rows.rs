//! Changesets as bytes: a version, numbers of 8 bytes, and every text after its length.

use ees_core::adapter::StoredChangeset;
use ees_core::{Changeset, StorageError};

use crate::error::corrupt;

/// The version of a row.
const VERSION: u8 = 2;

pub(crate) fn encode(changeset: &Changeset) -> Vec<u8> {
    let mut row = vec![VERSION];
    for number in [
        changeset.first_event_id.as_i64(),
        changeset.last_event_id.as_i64(),
        changeset.changeset_id.as_i64(),
        changeset.timestamp.as_micros(),
    ] {
        row.extend(number.to_be_bytes());
    }
    let set = changeset.set.map(|set| set.to_string()).unwrap_or_default();
    for text in [
        changeset.stream_id.as_str(),
        changeset.commit_id.as_str(),
        set.as_str(),
        changeset.metadata.as_str(),
        changeset.events.as_str(),
    ] {
        row.extend((text.len() as u64).to_be_bytes());
        row.extend(text.as_bytes());
    }
    row
}

pub(crate) fn decode(checkpoint: &[u8], row: &[u8]) -> Result<Changeset, StorageError> {
    let mut rest = Rest::of(row)?;
    let stored = StoredChangeset {
        checkpoint: Some(number(checkpoint)?.cast_signed()),
        first_event_id: rest.number()?,
        last_event_id: rest.number()?,
        changeset_id: rest.number()?,
        timestamp_micros: rest.number()?,
        stream_id: rest.text()?,
        commit_id: rest.text()?,
        // Without a set the text is empty.
        set: Some(rest.text()?).filter(|set| !set.is_empty()),
        metadata: rest.text()?,
        events: rest.text()?,
    };
    Changeset::try_from(stored)
}

/// The first event id of a row.
pub(crate) fn first_event_id(row: &[u8]) -> Result<u64, StorageError> {
    Ok(Rest::of(row)?.number()?.cast_unsigned())
}

/// The number that 8 bytes are.
pub(crate) fn number(bytes: &[u8]) -> Result<u64, StorageError> {
    let bytes = bytes
        .try_into()
        .map_err(|_| corrupt(&"a number has not 8 bytes"))?;
    Ok(u64::from_be_bytes(bytes))
}

/// What is not read yet of a row.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn of(row: &'a [u8]) -> Result<Self, StorageError> {
        match row.split_first() {
            Some((&VERSION, rest)) => Ok(Self(rest)),
            _ => Err(corrupt(&"a row has an unknown version")),
        }
    }

    fn take(&mut self, bytes: usize) -> Result<&'a [u8], StorageError> {
        let split = self.0.split_at_checked(bytes);
        let (taken, rest) = split.ok_or_else(|| corrupt(&"a row is too short"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<i64, StorageError> {
        Ok(number(self.take(8)?)?.cast_signed())
    }

    fn text(&mut self) -> Result<&'a str, StorageError> {
        let length = number(self.take(8)?)?;
        let length = usize::try_from(length).map_err(|error| corrupt(&error))?;
        std::str::from_utf8(self.take(length)?).map_err(|error| corrupt(&error))
    }
}
