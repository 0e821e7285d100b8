//! What a server seals its store's log with.

use ees_evidence::{LogKey, Sealer};
use ees_storage::OpenStore;

use crate::Failure;
use crate::args::{ServeArgs, Switch};
use crate::log::read_log_key;

/// The key of a server, if it has one.
pub(super) struct Sealing(Option<LogKey>);

impl Sealing {
    /// Reads the file of `--log-key`.
    pub(super) fn read(args: &ServeArgs) -> Result<Self, Failure> {
        let key = args.log_key.as_deref().map(read_log_key).transpose()?;
        if key.is_some() && args.seal == Switch::Off {
            return Err(unused("`--seal off`"));
        }
        Ok(Self(key))
    }

    /// The sealer of a store, if this server seals it. `others_index`: other processes do the background
    /// work.
    pub(super) fn begin(
        self,
        args: &ServeArgs,
        opened: &OpenStore,
        others_index: bool,
    ) -> Result<Option<Sealer>, Failure> {
        let Self(key) = self;
        if args.seal == Switch::Off {
            return Ok(None);
        }
        // They seal too, but none of them may have the key.
        if others_index && key.is_none() {
            return Ok(None);
        }
        let signs = key.clone();
        let sealer = Sealer::of(&opened.store, key);
        match (&sealer, &signs) {
            (None, Some(_)) => return Err(unused("the storage keeps no log")),
            (Some(_), Some(key)) => tell(key, opened),
            (_, None) => {}
        }
        Ok(sealer.map(|sealer| sealer.keeping(args.keep_heads)))
    }
}

/// Tells with what clients verify the log.
fn tell(key: &LogKey, opened: &OpenStore) {
    if let Some(store) = opened.store.store_id() {
        tracing::info!(
            "the log is signed; this key verifies it: {}",
            key.verifier_key(store)
        );
    }
}

fn unused(why: &str) -> Failure {
    Failure::Usage(format!(
        "`--log-key`: this server does not seal a log: {why}"
    ))
}
