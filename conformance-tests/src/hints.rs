//! The usual causes of failures, and the sections of the guide for adapters that explain them.

use crate::Case;

/// The guide.
pub const GUIDE: &str = "docs/write-an-adapter.md";

/// The usual cause of a broken guarantee in a group of cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// The group of cases, or `*` for all others.
    pub group: &'static str,
    /// The guarantee, or 0 for all others of the group.
    pub guarantee: u8,
    /// The usual cause.
    pub cause: &'static str,
    /// The section of the [`GUIDE`], by its heading.
    pub section: &'static str,
}

const LAYOUT: &str = "3. A layout";
const COMMITS: &str = "4. Commits: group commit";
const READS: &str = "5. Reads";
const BLOCKING: &str = "6. Blocking calls, news, close";
const ERRORS: &str = "7. Errors";
const STATISTICS: &str = "8. Statistics and checkpoints";
const OPTIONAL: &str = "Optional ports";
const MISTAKES: &str = "Common mistakes";
const CRASHES: &str = "Crash tests";

const fn hint(
    group: &'static str,
    guarantee: u8,
    cause: &'static str,
    section: &'static str,
) -> Hint {
    Hint {
        group,
        guarantee,
        cause,
        section,
    }
}

/// The table: the first row that fits a failure is shown with it.
pub const HINTS: &[Hint] = &[
    hint(
        "prefixes",
        0,
        "keys join the stream id and a number without the id's length or a terminator between them",
        LAYOUT,
    ),
    hint(
        "bounds",
        5,
        "numbers in keys are little-endian or text, so that they do not sort as numbers",
        LAYOUT,
    ),
    hint(
        "bounds",
        0,
        "a column or a key is too short, is trimmed, or is compared by a collation",
        LAYOUT,
    ),
    hint(
        "apart",
        0,
        "names are compared by a collation, trimmed or normalised, or the key of a commit is looked up without its stream",
        LAYOUT,
    ),
    hint(
        "naming",
        0,
        "stream ids are compared by a collation, trimmed or normalised",
        LAYOUT,
    ),
    hint(
        "stored_values",
        0,
        "a time is cut to milliseconds, or a column changes what it is given",
        LAYOUT,
    ),
    hint(
        "before_the_write",
        0,
        "heads or checkpoints are cached in memory and changed before the COMMIT, which may fail",
        COMMITS,
    ),
    hint(
        "after_the_write",
        0,
        "the error of a COMMIT is returned as `Written::None` although the changeset may be stored",
        ERRORS,
    ),
    hint(
        "late",
        0,
        "a commit whose caller has gone is half done, or its repeat does not find it",
        BLOCKING,
    ),
    hint(
        "client_keys",
        10,
        "a key is not looked up in its stream, or not in the transaction that writes and in its batch",
        COMMITS,
    ),
    hint(
        "outages",
        0,
        "the commit id is not stored, or it is not given back by reads",
        LAYOUT,
    ),
    hint(
        "closing",
        0,
        "close ends the writer before it has answered the accepted commits, or it closes nothing",
        BLOCKING,
    ),
    hint(
        "wake_hint",
        0,
        "a commit is not announced, it is announced before it is durable, `news()` listens only when it is polled, or `next_checkpoint` is not read anew",
        BLOCKING,
    ),
    hint(
        "page_limits",
        0,
        "pages are cut by the adapter's own count, and not by `PageBuilder`",
        READS,
    ),
    hint(
        "identity",
        0,
        "the identity is not stored, or not swapped by comparing the stored text in the same write",
        STATISTICS,
    ),
    hint(
        "checkpoint_store",
        0,
        "a checkpoint is not saved as an upsert by its exact name, the last one winning",
        STATISTICS,
    ),
    hint(
        "log_store",
        0,
        "a tile is overwritten, the head is not swapped by its revision in the same write, or bytes are stored as text",
        OPTIONAL,
    ),
    hint(
        "fence",
        0,
        "the fence is not read in the transaction that writes, or a commit that had begun is stored behind it",
        OPTIONAL,
    ),
    hint(
        "import",
        10,
        "an imported key is not entered as a commit enters it",
        OPTIONAL,
    ),
    hint(
        "import",
        0,
        "a field is made anew, void positions are not counted, or what the writer remembers is older than the import",
        OPTIONAL,
    ),
    hint(
        "import_reads",
        0,
        "a read does not pass void positions, or passes a changeset behind them",
        OPTIONAL,
    ),
    hint(
        "damaged_streams",
        0,
        "a row is answered without its checksum, or the ids of a page are not checked for gaps, also at the ends of its range",
        OPTIONAL,
    ),
    hint(
        "damaged_order",
        0,
        "a row is answered without its checksum, the positions of a page are not checked for gaps, or the end of the order is not kept beside the rows",
        OPTIONAL,
    ),
    hint(
        "damaged_filters",
        0,
        "what a filter decides by has no checksum of its own, or positions that are passed are not checked for gaps",
        OPTIONAL,
    ),
    hint(
        "after_damage",
        0,
        "a read that meets damage does not tell the writer and `check_sound`, or other reads fail with it",
        OPTIONAL,
    ),
    hint(
        "crash",
        4,
        "a commit is answered before it is written, or a start cannot continue from the state that a killed process left",
        CRASHES,
    ),
    hint(
        "*",
        1,
        "a changeset is written outside one transaction, or read outside one snapshot",
        COMMITS,
    ),
    hint(
        "*",
        2,
        "the expectation is judged outside the transaction that writes",
        COMMITS,
    ),
    hint(
        "*",
        3,
        "ids are drawn from a counter that goes on when a commit is refused or rolled back",
        COMMITS,
    ),
    hint("*", 4, "a commit is answered before its flush", COMMITS),
    hint(
        "*",
        5,
        "a range is cut at the wrong end, or a page ends without saying that more remains",
        READS,
    ),
    hint(
        "*",
        6,
        "checkpoints are not 0, 1, 2 ..., or a reader passes a hole that is filled later",
        READS,
    ),
    hint(
        "*",
        7,
        "checkpoints are given in another order than the stream's commits",
        COMMITS,
    ),
    hint(
        "*",
        8,
        "a commit does not wake the listeners, or a call never ends",
        BLOCKING,
    ),
    hint(
        "*",
        10,
        "the commit id is not stored, or it is not given back by reads",
        LAYOUT,
    ),
    hint(
        "*",
        11,
        "JSON is parsed and serialised again, or text is trimmed, folded or normalised",
        LAYOUT,
    ),
    hint(
        "*",
        12,
        "the adapter repeats a decision that the core has already made",
        ERRORS,
    ),
    hint(
        "*",
        13,
        "the version is not compared inside the transaction that writes the statistics",
        STATISTICS,
    ),
    hint(
        "*",
        15,
        "a filtered page leads past what it did not look at, or `Filter` does not decide",
        READS,
    ),
    hint("*", 0, "one of the common mistakes", MISTAKES),
];

/// The row that fits a failure.
pub(crate) fn hint_for(case: &Case, guarantee: u8) -> Option<&'static Hint> {
    HINTS.iter().find(|hint| {
        [case.group(), "*"].contains(&hint.group) && [guarantee, 0].contains(&hint.guarantee)
    })
}

/// The first guarantee that a message names, `G6: ...`.
pub(crate) fn named_in(message: &str) -> Option<u8> {
    let mut rest = message;
    while let Some((_, found)) = rest.split_once('G') {
        let digits = found.len() - found.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, behind) = found.split_at(digits);
        if let (Ok(number), true) = (number.parse(), behind.starts_with(": ")) {
            return Some(number);
        }
        rest = found;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_stands_in_the_guide() {
        let guide = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(GUIDE);
        let guide = std::fs::read_to_string(guide).expect("the guide");
        let headings: Vec<_> = guide
            .lines()
            .filter_map(|line| line.strip_prefix("## "))
            .collect();
        for hint in HINTS {
            assert!(headings.contains(&hint.section), "{}", hint.section);
        }
    }

    #[test]
    fn messages_name_their_guarantee() {
        for (message, found) in [
            ("G6: dense", Some(6)),
            ("assertion failed: G13: one winner", Some(13)),
            ("GET failed, G: no, G5 no, G10: yes", Some(10)),
            ("nothing", None),
        ] {
            assert_eq!(named_in(message), found, "{message}");
        }
    }
}
