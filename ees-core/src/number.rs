//! The numbers of the domain: a value of one of these types is always in its range.

/// The largest id, checkpoint and count: 2^63 - 1, which every storage can hold in a signed
/// 64-bit integer.
pub const MAX_ID: u64 = i64::MAX as u64;

/// A number is outside the range that an id or a position may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} cannot be {found}")]
pub struct OutOfRange {
    pub(crate) what: &'static str,
    pub(crate) found: i128,
}

/// The text is not a number of the domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} is an integer from {first} to 2^63 - 1, in decimal digits")]
pub struct NumberError {
    pub(crate) what: &'static str,
    pub(crate) first: u64,
}

/// Defines a number of the domain: a range, and its conversions.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $what:literal, from $first:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u64);

        impl $name {
            /// The first one.
            pub const FIRST: Self = Self($first);

            /// Converts a number that is in range.
            ///
            /// # Errors
            #[doc = concat!("[`OutOfRange`](crate::OutOfRange) if it is not ", $first, " to 2^63 - 1.")]
            pub fn new(number: u64) -> Result<Self, $crate::number::OutOfRange> {
                if !($first..=$crate::number::MAX_ID).contains(&number) {
                    return Err($crate::number::OutOfRange { what: $what, found: number.into() });
                }
                Ok(Self(number))
            }

            /// The plain number.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The number as storages with signed integers store it; never negative.
            pub const fn as_i64(self) -> i64 {
                self.0.cast_signed()
            }
        }

        impl TryFrom<i64> for $name {
            type Error = $crate::number::OutOfRange;

            fn try_from(number: i64) -> Result<Self, Self::Error> {
                let found = i128::from(number);
                u64::try_from(number)
                    .map_err(|_| $crate::number::OutOfRange { what: $what, found })
                    .and_then(Self::new)
            }
        }

        impl TryFrom<u64> for $name {
            type Error = $crate::number::OutOfRange;

            fn try_from(number: u64) -> Result<Self, Self::Error> {
                Self::new(number)
            }
        }

        impl From<$name> for u64 {
            fn from(number: $name) -> Self {
                number.get()
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::number::NumberError;

            /// Decimal digits only: no sign, no space.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::number::parse_number(text)
                    .and_then(|number| Self::new(number).ok())
                    .ok_or($crate::number::NumberError { what: $what, first: $first })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u64(self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = <u64 as serde::Deserialize>::deserialize(deserializer)?;
                Self::new(number).map_err(serde::de::Error::custom)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
pub(crate) use number;

/// Reads an integer written in decimal digits only, up to 2^63 - 1.
///
/// ```
/// assert_eq!(ees_core::adapter::parse_number("042"), Some(42));
/// assert_eq!(ees_core::adapter::parse_number("+1"), None);
/// ```
pub fn parse_number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|number| *number <= MAX_ID)
}

number! {
    /// The number of a changeset in its stream: 1, 2, 3 ... without a gap.
    ChangesetId, "a changeset id", from 1
}

number! {
    /// The number of an event in its stream: 1, 2, 3 ... without a gap.
    EventId, "an event id", from 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_range() {
        assert!(ChangesetId::new(0).is_err());
        assert!(EventId::new(MAX_ID).is_ok());
        assert!(EventId::new(MAX_ID + 1).is_err());
        assert_eq!(
            ChangesetId::try_from(-1_i64).unwrap_err().to_string(),
            "a changeset id cannot be -1"
        );
    }

    #[test]
    fn a_number_passes_through_text_and_serde() {
        assert_eq!("7".parse::<EventId>().unwrap().get(), 7);
        let error = "0".parse::<EventId>().unwrap_err().to_string();
        assert_eq!(
            error,
            "an event id is an integer from 1 to 2^63 - 1, in decimal digits"
        );
        assert_eq!(serde_json::to_string(&EventId::FIRST).unwrap(), "1");
        assert!(serde_json::from_str::<EventId>("0").is_err());
        assert_eq!(serde_json::from_str::<EventId>("3").unwrap().get(), 3);
    }

    #[test]
    fn numbers_are_decimal_digits() {
        for bad in [
            "",
            " 1",
            "1 ",
            "-1",
            "1e3",
            "0x1",
            "９",
            "9223372036854775808",
        ] {
            assert_eq!(parse_number(bad), None, "{bad:?}");
        }
        assert_eq!(parse_number("9223372036854775807"), Some(MAX_ID));
    }
}
