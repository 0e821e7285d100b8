//! What a black box cannot show: a storage that fails, too much at once, clients that do not play
//! by the rules, and the way down.

mod clients;
mod faults;
mod limits;
mod support;
