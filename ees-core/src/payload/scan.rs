//! JSON as text: where its elements end, how deep it is nested, and what it escapes.

use memchr::memchr2;

use super::error::PayloadError;

/// The elements of a JSON array that is known to be one.
pub(crate) struct Elements<'a> {
    rest: &'a str,
}

impl<'a> Elements<'a> {
    pub(super) fn of(array: &'a str) -> Self {
        let inside = array
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        Self {
            rest: inside.unwrap_or_default(),
        }
    }

    /// The elements from where so many bytes of the same array were left.
    pub(super) fn at(array: &'a str, left: usize) -> Self {
        let Self { rest } = Self::of(array);
        let at = rest.len().checked_sub(left);
        Self {
            rest: at.and_then(|at| rest.get(at..)).unwrap_or_default(),
        }
    }

    /// How many bytes are left.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let end = end_of_element(self.rest);
        let (element, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.strip_prefix(',').unwrap_or_default();
        let element = element.trim_ascii();
        // Only an empty array has no text in the position of an element.
        (!element.is_empty()).then_some(element)
    }
}

/// Where the first element of a list ends: at the comma behind it, or at the list's end.
fn end_of_element(list: &str) -> usize {
    let bytes = list.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => break,
            b'"' => at = end_of_string(bytes, at + 1),
            _ => {}
        }
        at += 1;
    }
    at.min(bytes.len())
}

/// From the first byte of a string's content to its closing quote.
fn end_of_string(json: &[u8], mut at: usize) -> usize {
    while let Some(rest) = json.get(at..) {
        match memchr2(b'"', b'\\', rest) {
            Some(found) if rest.get(found) == Some(&b'"') => return at + found,
            // An escape has one byte more at least, which may be a quote.
            Some(found) => at += found + 2,
            None => break,
        }
    }
    json.len()
}

/// Checks that serde does not make on a raw value: nesting, and escapes of lone surrogates.
pub(super) fn check(json: &str, max_depth: usize) -> Result<(), PayloadError> {
    let bytes = json.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                if depth > max_depth {
                    return Err(PayloadError::TooDeep);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => at = check_string(json, at + 1)?,
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// From the first byte of a string's content to its closing quote, looking for lone surrogates.
fn check_string(json: &str, mut at: usize) -> Result<usize, PayloadError> {
    let bytes = json.as_bytes();
    loop {
        match bytes.get(at) {
            None | Some(b'"') => return Ok(at),
            Some(b'\\') => match surrogate(json, at) {
                None => at += 2,
                Some(first) if first < 0xdc00 && is_low(surrogate(json, at + 6)) => at += 12,
                Some(_) => return Err(PayloadError::LoneSurrogate(json[at + 2..at + 6].into())),
            },
            Some(_) => at += 1,
        }
    }
}

/// The UTF-16 surrogate that a `\uXXXX` escape at this position encodes, if it encodes one.
fn surrogate(json: &str, at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
    let unit = u16::from_str_radix(digits, 16).ok()?;
    (0xd800..=0xdfff).contains(&unit).then_some(unit)
}

fn is_low(unit: Option<u16>) -> bool {
    unit.is_some_and(|unit| unit >= 0xdc00)
}
