//! The secrets of keys.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// Marks a secret, so that scanners find it where it does not belong.
const MARK: &str = "ees_";

/// The digits of secrets.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The random digits of a secret: 256 bits.
const RANDOM: usize = 43;

/// The check digits of a secret: a CRC-32 of what precedes them.
const CHECK: usize = 6;

/// The secret of a key. It is never written to a log, nor to the file of keys.
pub(super) struct Secret(String);

impl Secret {
    /// A new secret.
    pub(super) fn generate() -> Result<Self, getrandom::Error> {
        let mut text = String::from(MARK);
        while text.len() < MARK.len() + RANDOM {
            let mut byte = [0];
            getrandom::fill(&mut byte)?;
            // 248 is four times 62: each digit is equally probable.
            let digit = DIGITS.get(usize::from(byte[0] % 62));
            text.extend(
                digit
                    .filter(|_| byte[0] < 248)
                    .map(|digit| char::from(*digit)),
            );
        }
        text.push_str(&check_digits(&text));
        Ok(Self(text))
    }

    /// A secret that a client sends; `None` if it was cut or mistyped, or is something else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (checked, check) = text.split_at_checked(MARK.len() + RANDOM)?;
        let is_sound = checked.starts_with(MARK) && check == check_digits(checked);
        is_sound.then(|| Self(text.to_owned()))
    }

    pub(super) fn hash(&self) -> Hash {
        Hash(Sha256::digest(&self.0).into())
    }

    /// The secret, to be shown once to whoever made it.
    pub(super) fn reveal(self) -> String {
        self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

fn check_digits(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let digits = (0..CHECK).map(|_| {
        let digit = rest % 62;
        rest /= 62;
        usize::try_from(digit)
            .ok()
            .and_then(|digit| DIGITS.get(digit))
    });
    digits.flatten().map(|digit| char::from(*digit)).collect()
}

/// The SHA-256 of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hash([u8; 32]);

impl Hash {
    /// Reads `sha256:` and 64 hexadecimal digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("sha256:")?;
        let is_hash = digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            let digits = digits.get(at..at + 2).filter(|_| is_hash)?;
            *byte = u8::from_str_radix(digits, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// Compares in constant time.
    pub(super) fn matches(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_recognised_and_a_damaged_one_is_not() {
        let secret = Secret::generate().unwrap();
        assert_eq!(format!("{secret:?}"), "Secret");
        let hash = secret.hash();
        let text = secret.reveal();
        assert_eq!(text.len(), 53);
        let read = Secret::parse(&text).expect("a sound secret");
        assert!(bool::from(read.hash().matches(&hash)));
        for at in 0..text.len() {
            let mut damaged = text.clone().into_bytes();
            damaged[at] = if damaged[at] == b'x' { b'y' } else { b'x' };
            let damaged = String::from_utf8(damaged).unwrap();
            assert!(Secret::parse(&damaged).is_none(), "digit {at}");
            assert!(Secret::parse(&text[..at]).is_none(), "cut at {at}");
        }
        assert!(Secret::parse(&format!("{text}x")).is_none());
        let others = Secret::generate().unwrap();
        assert!(!bool::from(others.hash().matches(&hash)));
    }

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        let hash = Secret::generate().unwrap().hash();
        assert_eq!(Hash::parse(&hash.to_string()), Some(hash.clone()));
        let text = hash.to_string();
        for wrong in [
            "",
            "sha256:",
            &text[7..],
            &text[..70],
            &text.replace(':', ":+"),
        ] {
            assert_eq!(Hash::parse(wrong), None, "{wrong}");
        }
    }
}
