//! The code in the guides is the code of this crate.

/// The files that the guides show parts of.
const FILES: &[&str] = &[
    include_str!("../../src/bills.rs"),
    include_str!("../../src/kept.rs"),
    include_str!("../../src/order.rs"),
    include_str!("../../src/personal.rs"),
    include_str!("../../src/totals.rs"),
    include_str!("commands.rs"),
    include_str!("consuming.rs"),
    include_str!("main.rs"),
    include_str!("modelling.rs"),
    include_str!("projecting.rs"),
];

const CONSUMERS: &str = include_str!("../../../../docs/consumers.md");
const SERVICES: &str = include_str!("../../../../docs/services.md");
const MODELLING: &str = include_str!("../../../../docs/modelling.md");

/// The blocks of Rust in a text.
fn blocks(text: &str) -> Vec<&str> {
    let begun = text.split("```rust\n").skip(1);
    begun
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
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
fn every_block_of_the_guides_stands_in_the_crate() {
    for (guide, least) in [(SERVICES, 4), (MODELLING, 3), (CONSUMERS, 2)] {
        let blocks = blocks(guide);
        assert!(blocks.len() >= least, "a whole guide, not {}", blocks.len());
        for block in blocks {
            let found = FILES.iter().any(|file| holds(file, block));
            assert!(found, "the guide shows what is in no file:\n{block}");
        }
    }
}

#[test]
fn a_block_must_stand_as_it_is() {
    let file = "fn a() {\n    b();\n\n    c();\n}\n";
    assert!(holds(file, "b();\nc();"));
    assert!(!holds(file, "c();\nb();"));
    assert!(!holds(file, "b();\nd();"));
}
