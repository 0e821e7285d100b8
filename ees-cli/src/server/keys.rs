//! The keys of a server, and the file that they are in.

use std::sync::Arc;

use ees_http::Authorizer;
use tokio_util::sync::CancellationToken;

use crate::Failure;
use crate::args::ServeArgs;
use crate::keys::KeyRing;
use crate::watched::Watched;

/// The keys of a server, if it has any.
pub(super) struct Keys(Option<(Arc<KeyRing>, Watched)>);

impl Keys {
    /// Reads the file of `--keys`.
    pub(super) fn read(args: &ServeArgs) -> Result<Self, Failure> {
        let Some(path) = &args.keys else {
            return Ok(Self(None));
        };
        let wrong = |wrong: String| {
            let path = path.display();
            Failure::Usage(format!(
                "`--keys {path}`: {wrong}; `ees keys add --file {path}` makes a key"
            ))
        };
        let file = Watched::read("--keys", vec![path.clone()]).map_err(wrong)?;
        let ring = KeyRing::of(&file.texts().concat()).map_err(wrong)?;
        Ok(Self(Some((Arc::new(ring), file))))
    }

    pub(super) fn authorizer(&self) -> Option<Arc<dyn Authorizer>> {
        let Self(keys) = self;
        keys.as_ref().map(|(ring, _)| Arc::clone(ring) as _)
    }

    /// Reads the file again when it changes, until the server closes.
    pub(super) async fn follow(self, closing: CancellationToken) {
        let Self(Some((ring, file))) = self else {
            return;
        };
        let accept = |texts: &[String]| {
            let count = ring.replace(&texts.concat())?;
            Ok(format!("{count} keys"))
        };
        file.follow(closing, accept, || ring.end_expired()).await;
    }
}
