//! Which adapter a URL names.

use crate::OpenError;

/// An adapter of this project, whether this build has it or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Adapter {
    /// `dynamodb://TABLE`.
    Dynamodb,
    /// `memory:`.
    Memory,
    /// `postgres://USER@HOST/DATABASE`.
    Postgres,
    /// `sqlite:PATH`.
    Sqlite,
}

impl Adapter {
    /// The adapter that a storage's URL names by its scheme.
    ///
    /// # Errors
    /// [`OpenError::Url`] if there is no such adapter.
    pub fn of(url: &str) -> Result<Self, OpenError> {
        match scheme(url) {
            "dynamodb" => Ok(Self::Dynamodb),
            "memory" => Ok(Self::Memory),
            "postgres" | "postgresql" => Ok(Self::Postgres),
            "sqlite" => Ok(Self::Sqlite),
            _ => Err(unknown(url)),
        }
    }

    /// The scheme of its URLs, which is the name of its cargo feature too.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Dynamodb => "dynamodb",
            Self::Memory => "memory",
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }
}

/// The part of a URL before its first colon.
pub(crate) fn scheme(url: &str) -> &str {
    url.split_once(':').map_or("", |(scheme, _)| scheme)
}

fn unknown(url: &str) -> OpenError {
    let file = if url.is_empty() || url.contains(':') {
        String::new()
    } else {
        format!(" (for the file of that name: `sqlite:{url}`)")
    };
    OpenError::url(
        url,
        format!(
            "it names no storage{file}; known are `sqlite:PATH`, \
             `postgres://USER@HOST/DATABASE`, `dynamodb://TABLE` and `memory:`"
        ),
    )
}
