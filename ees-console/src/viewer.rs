//! Who looks at the console.

use ees_core::{Filter, StreamId};
use ees_http::{Caller, Right};

use crate::fault::Fault;

/// Who looks at the console.
#[derive(Debug, Clone)]
pub(crate) struct Viewer {
    /// `None`: the server has no keys, and everybody may do everything.
    pub(crate) caller: Option<Caller>,
    /// The id of the browser's session, or of its forms before there is one.
    pub(crate) id: String,
    /// The token of the forms that the viewer is shown.
    pub(crate) token: String,
}

impl Viewer {
    pub(crate) fn has(&self, right: Right) -> bool {
        self.caller.as_ref().is_none_or(|caller| caller.has(right))
    }

    /// Whether the viewer may reach every stream.
    pub(crate) fn reaches_all(&self) -> bool {
        self.prefixes().is_none()
    }

    /// The name of the viewer's key.
    pub(crate) fn name(&self) -> Option<&str> {
        self.caller.as_ref().map(Caller::name)
    }

    /// Refuses a viewer whose key lacks a right.
    pub(crate) fn needs(&self, right: Right) -> Result<(), Fault> {
        if self.has(right) {
            return Ok(());
        }
        Err(Fault::lacks(self.name().unwrap_or_default(), right))
    }

    /// Refuses a viewer who may not read a stream.
    pub(crate) fn reads(&self, stream_id: &StreamId) -> Result<(), Fault> {
        self.needs(Right::Read)?;
        self.reaches(&[stream_id.as_str()], "this stream has another")
    }

    /// Refuses a viewer who may not read every stream. `lack` tells what the streams are all needed for.
    pub(crate) fn reads_all(&self, lack: &str) -> Result<(), Fault> {
        self.needs(Right::Read)?;
        if self.reaches_all() {
            return Ok(());
        }
        Err(Fault::Forbidden(format!(
            "the key is limited to some streams, and {lack}"
        )))
    }

    /// A filter for the viewer, within the key's prefixes. Without a prefix of its own it has these.
    pub(crate) fn filter(
        &self,
        prefix: Option<&str>,
        event_type: Option<&str>,
    ) -> Result<Filter, Fault> {
        self.needs(Right::Read)?;
        let filter = match (prefix, self.prefixes()) {
            (Some(prefix), _) => {
                self.reaches(&[prefix], "this prefix goes beyond it")?;
                Filter::default().stream_prefix(prefix)
            }
            (None, own) => {
                let own = own.into_iter().flatten();
                own.fold(Filter::default(), Filter::stream_prefix)
            }
        };
        Ok(event_type.into_iter().fold(filter, Filter::event_type))
    }

    fn prefixes(&self) -> Option<&[String]> {
        self.caller.as_ref().and_then(Caller::stream_prefixes)
    }

    fn reaches(&self, prefixes: &[&str], lack: &str) -> Result<(), Fault> {
        let Some(caller) = &self.caller else {
            return Ok(());
        };
        if caller.reaches(prefixes) {
            return Ok(());
        }
        let own = caller.stream_prefixes().unwrap_or_default().join("`, `");
        let name = caller.name();
        Err(Fault::Forbidden(format!(
            "the key `{name}` is limited to streams with the prefix `{own}`, and {lack}"
        )))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn limited() -> Viewer {
        let caller = Caller::new("shop", [Right::Read]);
        Viewer {
            caller: Some(caller.with_stream_prefixes(["order-".to_owned()])),
            id: String::new(),
            token: String::new(),
        }
    }

    #[test]
    fn a_viewer_stays_within_the_prefixes_of_the_key() {
        let viewer = limited();
        let own = viewer.filter(None, Some("paid")).unwrap();
        assert_eq!(own.stream_prefixes(), ["order-"]);
        assert_eq!(own.event_types(), ["paid"]);
        let narrower = viewer.filter(Some("order-7"), None).unwrap();
        assert_eq!(narrower.stream_prefixes(), ["order-7"]);
        for beyond in ["o", "cart-"] {
            let refused = viewer.filter(Some(beyond), None);
            assert!(matches!(refused, Err(Fault::Forbidden(_))), "{beyond}");
        }
        assert!(viewer.reads(&"order-7".parse().unwrap()).is_ok());
        assert!(viewer.reads(&"cart-7".parse().unwrap()).is_err());
    }

    #[test]
    fn a_viewer_needs_the_right_to_read() {
        let caller = Caller::new("scrape", [Right::Metrics]);
        let viewer = Viewer {
            caller: Some(caller),
            id: String::new(),
            token: String::new(),
        };
        assert!(viewer.filter(None, None).is_err());
        assert!(viewer.reads(&"s".parse().unwrap()).is_err());
        assert!(viewer.has(Right::Metrics));
    }
}
