//! The console of a server.

use ees_console::{Console, Settings};
use ees_core::EventStore;
use ees_http::Options;
use ees_storage::redacted;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use crate::args::{ServeArgs, Switch};

/// Adds the console to what a server offers. Returns its work in the background, which ends when the
/// server closes.
pub(super) fn add(
    args: &ServeArgs,
    store: &EventStore,
    options: &mut Options,
    scheme: &str,
    is_sealing: bool,
) -> BoxFuture<'static, ()> {
    if args.console == Switch::Off {
        return ready(()).boxed();
    }
    let mut settings = Settings::new(redacted(&args.storage.url));
    settings.authorizer.clone_from(&options.authorizer);
    settings.metrics.clone_from(&options.metrics);
    settings.closing = options.closing.clone();
    settings.is_sealing = is_sealing;
    settings.is_tls = scheme == "https";
    let console = Console::new(store.clone(), settings);
    options.pages = Some(console.pages());
    console.keep_history().boxed()
}
