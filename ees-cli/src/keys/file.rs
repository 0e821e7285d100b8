//! The file of keys.

use std::collections::HashSet;
use std::fmt;

use ees_http::Right;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::Deserialize;
use toml_edit::Datetime;

use super::secret::Hash;

/// The longest name of a key, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// A key, as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(super) name: String,
    pub(super) hash: Hash,
    pub(super) rights: Vec<Right>,
    /// The prefixes that it is limited to; `None`: it is not limited.
    pub(super) stream_prefixes: Option<Vec<String>>,
    pub(super) expires: Option<Timestamp>,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rights: Vec<_> = self.rights.iter().map(|right| right.as_str()).collect();
        write!(f, "{}: {}", self.name, rights.join(", "))?;
        if let Some(prefixes) = &self.stream_prefixes {
            write!(f, "; streams with the prefix {}", prefixes.join(", "))?;
        }
        match self.expires {
            Some(expires) if expires <= Timestamp::now() => write!(f, "; expired on {expires}"),
            Some(expires) => write!(f, "; expires on {expires}"),
            None => Ok(()),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    key: Vec<Written>,
}

/// A key as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    hash: String,
    rights: Vec<String>,
    stream_prefixes: Option<Vec<String>>,
    expires: Option<Datetime>,
}

/// Reads a file of keys; an error is for people.
pub(crate) fn parse(text: &str) -> Result<Vec<Key>, String> {
    if text.trim().is_empty() {
        return Err("the file is empty; a file without keys has a comment at least".to_owned());
    }
    let file: File = toml_edit::de::from_str(text).map_err(|error| told(text, &error))?;
    let (mut names, mut hashes) = (HashSet::new(), HashSet::new());
    let mut keys = Vec::new();
    for written in file.key {
        let name = written.name.clone();
        let key = check(written).map_err(|wrong| format!("key `{name}`: {wrong}"))?;
        if !names.insert(name.clone()) || !hashes.insert(key.hash.to_string()) {
            return Err(format!("key `{name}`: its name or its hash is given twice"));
        }
        keys.push(key);
    }
    Ok(keys)
}

/// What is wrong with the file, without its lines: somebody may have written a secret there.
fn told(text: &str, error: &toml_edit::de::Error) -> String {
    let before = error.span().and_then(|place| text.get(..place.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    format!("line {line}: {}", error.message().trim())
}

fn check(written: Written) -> Result<Key, String> {
    check_name(&written.name)?;
    let hash = Hash::parse(&written.hash);
    let hash = hash.ok_or("`hash` is not `sha256:` and 64 hexadecimal digits")?;
    let rights = written.rights.iter().map(|right| parse_right(right));
    let rights: Vec<_> = rights.collect::<Result<_, _>>()?;
    if rights.is_empty() {
        return Err("it has no rights".to_owned());
    }
    if let Some(prefixes) = &written.stream_prefixes {
        check_prefixes(prefixes)?;
    }
    let expires = written.expires.map(|time| parse_time(&time.to_string()));
    Ok(Key {
        name: written.name,
        hash,
        rights,
        stream_prefixes: written.stream_prefixes,
        expires: expires.transpose()?,
    })
}

/// Checks the name of a key.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let is_sound = (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(is_name);
    is_sound.then_some(()).ok_or_else(|| {
        format!("a name has 1 to {MAX_NAME_BYTES} letters, digits, dots, underscores and hyphens")
    })
}

/// Reads the name of a right.
pub(crate) fn parse_right(text: &str) -> Result<Right, String> {
    let found = Right::ALL.into_iter().find(|right| right.as_str() == text);
    let names = Right::ALL.map(Right::as_str).join(", ");
    found.ok_or_else(|| format!("`{text}` is not a right; the rights are {names}"))
}

/// An empty prefix would mean every stream, and an empty list could mean every stream or none.
fn check_prefixes(prefixes: &[String]) -> Result<(), String> {
    if prefixes.is_empty() || prefixes.iter().any(String::is_empty) {
        let wrong =
            "`stream_prefixes` is empty or has an empty prefix; leave it out for all streams";
        return Err(wrong.to_owned());
    }
    Ok(())
}

/// Reads a time, or the beginning of a day in UTC.
pub(crate) fn parse_time(text: &str) -> Result<Timestamp, String> {
    let wrong =
        || format!("`{text}` is not a time as 2027-01-31T12:00:00Z, nor a day as 2027-01-31");
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let day: Date = text.parse().map_err(|_| wrong())?;
    // A date is also read from a time without an offset, which says too little.
    let is_day = day.to_string() == text;
    let begin = Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok();
    begin.filter(|_| is_day).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(more: &str) -> String {
        let hash = "00".repeat(32);
        format!("[[key]]\nname = \"a\"\nhash = \"sha256:{hash}\"\n{more}")
    }

    #[test]
    fn a_key_is_read() {
        let text = file("rights = [\"read\"]\nstream_prefixes = [\"o-\"]\nexpires = 2027-01-31\n");
        let keys = parse(&text).unwrap();
        let shown = keys[0].to_string();
        let expected = "a: read; streams with the prefix o-; expires on 2027-01-31T00:00:00Z";
        assert!(
            shown.replace("expired on", "expires on") == expected,
            "{shown}"
        );
        assert_eq!(parse("# none\n").unwrap(), []);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let sound = file("rights = [\"read\"]\n");
        for (text, expected) in [
            ("", "is empty"),
            ("[[key]\n", "line 1"),
            ("[[keys]]\n", "unknown field `keys`"),
            (
                "# one\n[[key]]\nhash = ees_TELLTALE\n",
                "line 3: string values must be quoted",
            ),
            ("[[key]]\nsecret = \"TELLTALE\"\n", "line 2: unknown field"),
            (
                "[[key]]\nname = \"a\"\nrights = []\nhash = \"TELLTALE\"\n",
                "key `a`: `hash` is not",
            ),
            (&file("rights = []\n"), "key `a`: it has no rights"),
            (
                &file("rights = [\"write\"]\n"),
                "`write` is not a right; the rights are read, append,",
            ),
            (
                &file("rights = [\"read\"]\nstream_prefix = [\"a\"]\n"),
                "unknown field `stream_prefix`",
            ),
            (
                &file("rights = [\"read\"]\nstream_prefixes = []\n"),
                "leave it out for all streams",
            ),
            (
                &file("rights = [\"read\"]\nstream_prefixes = [\"\"]\n"),
                "leave it out for all streams",
            ),
            (
                &file("rights = [\"read\"]\nexpires = 2027-01-31T10:00:00\n"),
                "is not a time",
            ),
            (&sound.replace("00", "x0"), "`hash` is not"),
            (&sound.replace("\"a\"", "\"a b\""), "a name has 1 to 64"),
            (&format!("{sound}{sound}"), "given twice"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("TELLTALE"), "no secret is shown: {error}");
        }
    }
}
