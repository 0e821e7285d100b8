//! The verifiable log, as far as a viewer may see it.

use ees_evidence::Log;

use crate::app::App;
use crate::fault::Fault;
use crate::view::amount;
use crate::viewer::Viewer;

/// The log of the store, for a viewer who may read everything.
pub(crate) fn log(app: &App, viewer: &Viewer) -> Result<Log, Fault> {
    viewer.reads_all("the verifiable log is over all")?;
    let none = || Fault::Missing("this storage keeps no verifiable log".to_owned());
    Log::of(&app.store).ok_or_else(none)
}

/// What keeps the log behind the end of the order.
pub(crate) fn holds(app: &App, left: u64) -> String {
    match left {
        0 => "nothing: all changesets are sealed".to_owned(),
        left if app.settings.is_sealing => format!("{} changesets to seal", amount(left)),
        left => format!(
            "{} changesets to seal, and this server does not seal",
            amount(left)
        ),
    }
}
