//! A caller: who sent a request, and what he may do.

use std::fmt;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

/// A right of a caller. None of them contains another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Right {
    /// Read streams, the global order and statistics.
    Read,
    /// Append to streams.
    Append,
    /// Take part in consumers.
    Consume,
    /// Read the metrics.
    Metrics,
    /// Define and repair consumers.
    Admin,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 5] = [
        Self::Read,
        Self::Append,
        Self::Consume,
        Self::Metrics,
        Self::Admin,
    ];

    /// Its name, as in a file of keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Append => "append",
            Self::Consume => "consume",
            Self::Metrics => "metrics",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A caller whom an [`Authorizer`](super::Authorizer) has recognised. Clones share their content.
#[derive(Debug, Clone)]
pub struct Caller {
    name: Arc<str>,
    rights: Arc<[Right]>,
    stream_prefixes: Option<Arc<[String]>>,
    ended: CancellationToken,
}

impl Caller {
    /// A caller with rights on every stream. The name appears in logs and in errors: it must not be
    /// a secret.
    pub fn new(name: impl Into<Arc<str>>, rights: impl Into<Arc<[Right]>>) -> Self {
        Self {
            name: name.into(),
            rights: rights.into(),
            stream_prefixes: None,
            ended: CancellationToken::new(),
        }
    }

    /// Limits the caller to the streams that have one of these prefixes.
    #[must_use]
    pub fn with_stream_prefixes(self, prefixes: impl Into<Arc<[String]>>) -> Self {
        Self {
            stream_prefixes: Some(prefixes.into()),
            ..self
        }
    }

    /// Ends the caller's waiting calls when the token is cancelled: his key was revoked or has
    /// expired.
    #[must_use]
    pub fn ended_by(self, ended: CancellationToken) -> Self {
        Self { ended, ..self }
    }

    /// His name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether he has a right.
    pub fn has(&self, right: Right) -> bool {
        self.rights.contains(&right)
    }

    /// The prefixes of the streams that he is limited to; `None`: he is not limited.
    pub fn stream_prefixes(&self) -> Option<&[String]> {
        self.stream_prefixes.as_deref()
    }

    /// Whether every stream that has one of these prefixes, or none if there is no prefix, is within
    /// his own prefixes. A stream id is the narrowest prefix.
    pub fn reaches<T: AsRef<str>>(&self, prefixes: &[T]) -> bool {
        let Some(own) = self.stream_prefixes() else {
            return true;
        };
        let is_within = |prefix: &T| own.iter().any(|own| prefix.as_ref().starts_with(own));
        !prefixes.is_empty() && prefixes.iter().all(is_within)
    }

    /// Waits until the caller is no longer allowed to call.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_reaches_what_is_within_his_prefixes() {
        let free = Caller::new("free", [Right::Read]);
        assert!(free.reaches::<&str>(&[]) && free.reaches(&["", "a"]));
        let own = ["order-".to_owned(), "cart-".to_owned()];
        let limited = free.with_stream_prefixes(own);
        assert!(limited.reaches(&["order-"]) && limited.reaches(&["order-7", "cart-"]));
        for beyond in [&[][..], &[""], &["order"], &["cart-1", "other-"]] {
            assert!(!limited.reaches(beyond), "{beyond:?}");
        }
    }
}
