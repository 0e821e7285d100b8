#![doc = include_str!("../README.md")]

mod function;
pub mod template;

pub use function::{Function, FunctionError, FunctionSettings};
