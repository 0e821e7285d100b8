//! What the pages are made of. Every value is escaped by `maud`, and [`shown`] makes visible what
//! would not be seen.

mod changeset;
mod curl;
mod format;
mod frame;
mod json;
pub(crate) mod metrics_text;
mod plot;
mod shown;

pub(crate) use changeset::{Detail, changeset, changeset_path, row, stream_link};
pub(crate) use curl::{Curl, command, encoded, quoted};
pub(crate) use format::{age, amount, between, bytes, span, time};
pub(crate) use frame::{Frame, Refusal, Section, page};
pub(crate) use plot::{Plot, plot};
pub(crate) use shown::{cut, shown};
