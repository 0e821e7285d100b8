//! The exit codes of the process.

/// Every exit code and what it means, as `ees --help` lists them.
pub(crate) const EXIT_CODES: [(u8, &str); 5] = [
    (
        0,
        "done, or stopped by a signal after every accepted request was answered",
    ),
    (1, "something failed while running"),
    (2, "the command line is wrong"),
    (
        3,
        "the storage cannot be opened (in use, not ours, newer, not writable)",
    ),
    (4, "the address cannot be listened on"),
];
