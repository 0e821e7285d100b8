//! The guide shows what stands in this crate.

use std::fs;
use std::path::Path;

/// The crate's files, by their name in the guide.
const FILES: &[&str] = &[
    "Cargo.toml",
    "src/lib.rs",
    "src/checkpoints.rs",
    "src/database.rs",
    "src/error.rs",
    "src/opening.rs",
    "src/rows.rs",
    "src/schema.rs",
    "src/statistics.rs",
    "src/storage.rs",
    "src/writer.rs",
    "tests/it/crash.rs",
    "tests/it/main.rs",
];

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The blocks of code in a text, of Rust and TOML.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            continue;
        };
        let inside: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        if ["rust", "toml"].contains(&language) {
            blocks.push(inside.join("\n"));
        }
    }
    blocks
}

/// Whether lines follow one another in a file, however deep they are indented there.
fn holds(file: &str, block: &str) -> bool {
    let trimmed = |text: &str| -> Vec<String> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect()
    };
    let (file, block) = (trimmed(file), trimmed(block));
    !block.is_empty() && file.windows(block.len()).any(|window| window == block)
}

#[test]
fn every_block_of_the_guide_stands_in_the_crate() {
    let guide = read("../../docs/write-an-adapter.md");
    let files: Vec<String> = FILES.iter().map(|file| read(file)).collect();
    let blocks = blocks(&guide);
    assert!(blocks.len() >= 8, "a whole guide, not {}", blocks.len());
    for block in blocks {
        let found = files.iter().any(|file| holds(file, &block));
        assert!(found, "the guide shows what is in no file:\n{block}");
    }
}

#[test]
fn a_block_must_stand_as_it_is() {
    let file = "fn a() {\n    b();\n\n    c();\n}\n";
    assert!(holds(file, "b();\nc();"));
    assert!(!holds(file, "c();\nb();"));
    assert!(!holds(file, "b();\nd();"));
    assert!(!holds(file, ""));
}
