//! A fuzz target without libFuzzer.

/// Calls a property with the text of each file that the command line names.
///
/// # Panics
/// If a text breaks the property, or a file cannot be read.
pub fn replay(property: fn(&str)) {
    for file in std::env::args_os().skip(1) {
        match std::fs::read_to_string(&file) {
            Ok(text) => property(&text),
            Err(error) => panic!("`{}` cannot be read: {error}", file.display()),
        }
    }
}
