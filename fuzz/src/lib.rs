//! What must hold for any input. Each property takes a text and panics if the text breaks it.
//!
//! The fuzz targets call the properties with texts that libFuzzer finds; the tests of this crate
//! call them with a bounded number of random texts.

mod checkpoint;
mod oracle;
mod payload;
mod replay;
mod url;

pub use checkpoint::checkpoint;
pub use payload::payload;
pub use replay::replay;
pub use url::url;
