//! A request for a page: its fields, and who sent it.

use crate::fields::Fields;
use crate::viewer::Viewer;

/// A request for a page.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) fields: Fields,
    pub(crate) viewer: Viewer,
    /// The address of the server, as the browser knows it: for the commands that a page shows.
    pub(crate) server: String,
    /// The path and the query of the page.
    pub(crate) path: String,
}
