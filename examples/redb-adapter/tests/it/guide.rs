//! The code in the guide and in the reference is the code of the project.

use std::fs;
use std::path::Path;

use ees_conformance::adapter_cases::ADAPTER_CASES;
use ees_conformance::cases::CASES;
use ees_conformance::fault_cases::FAULT_CASES;

const GUIDE: &str = "../../docs/write-an-adapter.md";
const REFERENCE: &str = "../../docs/adapter-reference.md";

/// The files that the guide shows parts of: those of this crate by their name in the guide, and files
/// of other crates that are tested there.
const FILES: &[&str] = &[
    "Cargo.toml",
    "src/lib.rs",
    "src/checkpoints.rs",
    "src/database.rs",
    "src/error.rs",
    "src/identity.rs",
    "src/opening.rs",
    "src/rows.rs",
    "src/schema.rs",
    "src/statistics.rs",
    "src/storage.rs",
    "src/writer.rs",
    "tests/it/crash.rs",
    "tests/it/main.rs",
    "../fjall-adapter/src/keys.rs",
    "../fjall-adapter/src/opening.rs",
    "../fjall-adapter/src/statistics.rs",
    "../fjall-adapter/src/writer.rs",
    "../../ees-cli/tests/it/conformance.rs",
    "../../ees-http/README.md",
    "../../ees-workers/README.md",
];

/// The files that the reference quotes signatures of.
const QUOTED: &[&str] = &[
    "../../conformance-tests/src/harness.rs",
    "../../ees-core/src/adapter/group_commit/judge.rs",
    "../../ees-core/src/adapter/group_commit/writer.rs",
    "../../ees-core/src/adapter/page_builder.rs",
    "../../ees-core/src/adapter/stored.rs",
    "../../ees-core/src/changeset.rs",
    "../../ees-core/src/commit.rs",
    "../../ees-core/src/concurrency.rs",
    "../../ees-core/src/identity.rs",
    "../../ees-core/src/page.rs",
    "../../ees-core/src/ports/checkpoint_store.rs",
    "../../ees-core/src/ports/news.rs",
    "../../ees-core/src/ports/statistics.rs",
    "../../ees-core/src/ports/storage.rs",
    "../../ees-core/src/query.rs",
    "../../ees-core/src/set.rs",
    "../../ees-core/src/set/commit_set.rs",
    "../../ees-core/src/statistics.rs",
    "../../ees-core/src/storage_error.rs",
];

/// The traits that an author of an adapter implements.
const TRAITS: &[&str] = &[
    "Storage",
    "StatisticsStore",
    "CheckpointStore",
    "BatchStore",
    "Harness",
    "AdapterHarness",
    "WriteFaults",
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

/// Rust code on one line, however it was broken into lines, without comments, attributes and
/// `crate::`.
fn code(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let code = lines.filter(|line| !line.starts_with("//") && !line.starts_with("#["));
    let words: Vec<_> = code.flat_map(str::split_whitespace).collect();
    let code = words.join(" ").replace("crate::", "");
    code.replace("( ", "(")
        .replace(", )", ")")
        .replace(", }", " }")
}

/// The items of a block, each as [`code`]. An item ends with a line that is not indented and ends
/// with `}` or `;`.
fn items(block: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut item = String::new();
    for line in block.lines() {
        item.push_str(line);
        item.push('\n');
        if !line.starts_with(' ') && line.ends_with(['}', ';']) {
            items.push(code(&item));
            item.clear();
        }
    }
    let rest = code(&item);
    items.extend((!rest.is_empty()).then_some(rest));
    items
}

/// The trait at the beginning of a source, without the bodies of its methods.
fn without_bodies(source: &str) -> String {
    let (mut depth, mut text) = (0, String::new());
    for character in source.chars() {
        if character == '{' {
            depth += 1;
            if depth == 2 {
                text.truncate(text.trim_end().len());
                text.push(';');
            }
        }
        if depth < 2 {
            text.push(character);
        }
        if character == '}' {
            depth -= 1;
            if depth == 0 {
                break;
            }
        }
    }
    text
}

/// Whether an item is in the source: as a whole, or as the signature of a function with a body. The
/// reference may leave out the bodies of a trait's provided methods.
fn declares(source: &str, item: &str) -> bool {
    if item.starts_with("pub trait")
        && let Some((head, _)) = item.split_once(" {")
        && let Some(start) = source.find(head)
    {
        return source.contains(item) || without_bodies(&source[start..]) == item;
    }
    let signature = item.strip_suffix(';').map(|item| format!("{item} {{"));
    source.contains(item) || signature.is_some_and(|signature| source.contains(&signature))
}

#[test]
fn every_block_of_the_guide_stands_in_the_crate() {
    let files: Vec<String> = FILES.iter().map(|file| read(file)).collect();
    let blocks = blocks(&read(GUIDE));
    assert!(blocks.len() >= 8, "a whole guide, not {}", blocks.len());
    for block in blocks {
        let found = files.iter().any(|file| holds(file, &block));
        assert!(found, "the guide shows what is in no file:\n{block}");
    }
}

#[test]
fn every_signature_of_the_reference_stands_in_the_source() {
    let sources: Vec<String> = QUOTED.iter().map(|file| code(&read(file))).collect();
    let blocks = blocks(&read(REFERENCE));
    let items: Vec<String> = blocks.iter().flat_map(|block| items(block)).collect();
    for name in TRAITS {
        let begin = format!("pub trait {name}:");
        let quoted = items.iter().any(|item| item.starts_with(&begin));
        assert!(quoted, "the reference does not quote `{name}`");
    }
    for item in items {
        let found = sources.iter().any(|source| declares(source, &item));
        assert!(found, "the reference quotes what is in no file:\n{item}");
    }
}

#[test]
fn the_guide_has_a_place_for_every_group_of_cases() {
    let guide = read(GUIDE);
    let (_, order) = guide
        .split_once("\n## 9. Turn the suite green\n")
        .expect("a section");
    let order = order.split("\n## ").next().unwrap_or_default();
    for case in CASES.iter().chain(ADAPTER_CASES).chain(FAULT_CASES) {
        let group = case.group();
        let filter = format!("{group}::");
        let named = order
            .split([' ', '`'])
            .any(|word| word == filter || word == group);
        assert!(named, "the guide does not say when to run `{group}`");
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

#[test]
fn a_signature_must_stand_as_it_is() {
    let file = "/// A trait.\n#[async_trait]\npub trait A: Send {\n    /// B.\n    \
                fn b(&self, c: crate::C);\n\n    fn d(&self);\n}\n\
                impl E {\n    pub fn f(\n        &self,\n    ) -> u64 {\n        1\n    }\n}\n";
    let file = code(file);
    let all_stand = |block: &str| items(block).iter().all(|item| declares(&file, item));
    assert!(all_stand(
        "pub trait A: Send {\n    // Ours.\n    fn b(&self, c: C);\n    fn d(&self);\n}"
    ));
    assert!(!all_stand("pub trait A: Send {\n    fn b(&self, c: C);\n}"));
    assert!(!all_stand(
        "pub trait A: Send {\n    fn d(&self);\n    fn b(&self, c: C);\n}"
    ));
    assert!(all_stand("pub fn f(\n    &self,\n) -> u64;"));
    assert!(all_stand("pub fn f(&self) -> u64;"));
    assert!(!all_stand("pub fn f(\n    &self,\n) -> u32;"));
    let two = "pub fn f(\n    &self,\n) -> u64;\npub fn g(&self);";
    assert_eq!(items(two).len(), 2);
    assert!(!all_stand(two));
    assert!(!all_stand("pub fn h(&self)"));
}
