//! The lists cannot forget a case: each function that takes a harness is on one of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ees_conformance::Case;
use ees_conformance::adapter_cases::ADAPTER_CASES;
use ees_conformance::cases::CASES;
use ees_conformance::consumer_cases::CONSUMER_CASES;
use ees_conformance::damage_cases::DAMAGE_CASES;
use ees_conformance::evidence_cases::EVIDENCE_CASES;
use ees_conformance::fault_cases::FAULT_CASES;

/// `group::case` of every public function in a folder that takes a harness.
fn written_in(folder: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src")
        .join(folder);
    let mut found = BTreeSet::new();
    for file in fs::read_dir(folder).expect("the cases' folder") {
        let path = file.expect("a file").path();
        let group = path.file_stem().expect("a name").to_string_lossy();
        let text = fs::read_to_string(&path).expect("a file to read");
        for function in text.split("pub async fn ").skip(1) {
            let (name, rest) = function.split_once('(').expect("a case");
            assert!(rest.starts_with("harness: &mut dyn "), "{group}::{name}");
            found.insert(format!("{group}::{name}"));
        }
    }
    found
}

fn listed(list: &[Case]) -> BTreeSet<String> {
    let names: BTreeSet<String> = list.iter().map(|case| case.name.to_owned()).collect();
    assert_eq!(names.len(), list.len(), "each case once");
    names
}

#[test]
fn every_case_is_on_its_list() {
    assert_eq!(listed(CASES), written_in("cases"));
    assert_eq!(listed(ADAPTER_CASES), written_in("adapter_cases"));
    assert_eq!(listed(FAULT_CASES), written_in("fault_cases"));
    assert_eq!(listed(CONSUMER_CASES), written_in("consumer_cases"));
    assert_eq!(listed(EVIDENCE_CASES), written_in("evidence_cases"));
    assert_eq!(listed(DAMAGE_CASES), written_in("damage_cases"));
    #[cfg(feature = "http")]
    {
        use ees_conformance::http_cases::HTTP_CASES;
        assert_eq!(listed(HTTP_CASES), written_in("http_cases"));
    }
}

#[test]
fn no_two_groups_share_a_name() {
    let groups = |list: &[Case]| -> BTreeSet<String> {
        let names = list.iter().filter_map(|case| case.name.split_once("::"));
        names.map(|(group, _)| group.to_owned()).collect()
    };
    let lists = [groups(CASES), groups(ADAPTER_CASES), groups(FAULT_CASES)];
    let together: BTreeSet<_> = lists.iter().flatten().collect();
    let apart: usize = lists.iter().map(BTreeSet::len).sum();
    assert_eq!(together.len(), apart, "one module cannot be both");
}

#[test]
fn every_guarantee_that_a_store_can_show_has_cases() {
    // G9 and G14 are held by those who publish and those who move data.
    let held = CASES.iter().flat_map(|case| case.guarantees).copied();
    let held: BTreeSet<u8> = held.collect();
    let expected = (1..=13).filter(|number| *number != 9).chain([15]);
    let expected: BTreeSet<u8> = expected.collect();
    assert_eq!(held, expected);
}

/// A runner that cannot restart a store leaves out G4, and nothing else.
#[test]
fn who_restarts_a_store_holds_what_is_durable() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cases");
    for case in CASES {
        let (group, name) = case.name.split_once("::").expect("a group");
        let file = folder.join(format!("{group}.rs"));
        let text = fs::read_to_string(file).expect("a file to read");
        let mut functions = text.split("pub async fn ");
        let function = functions.find(|text| text.starts_with(&format!("{name}(")));
        let restarts = function.expect("the case").contains(".restart()");
        assert_eq!(restarts, case.guarantees.contains(&4), "{}", case.name);
    }
}

/// The cases that an adapter is held to in its own process.
fn of_adapters() -> Vec<Case> {
    [
        CASES,
        ADAPTER_CASES,
        FAULT_CASES,
        CONSUMER_CASES,
        EVIDENCE_CASES,
        DAMAGE_CASES,
    ]
    .concat()
}

/// The cases of every list.
fn all() -> Vec<Case> {
    let lists = of_adapters();
    #[cfg(feature = "http")]
    let lists = [&lists[..], ees_conformance::http_cases::HTTP_CASES].concat();
    lists
}

/// The README's tables have a row for every group of cases that an adapter is held to.
#[test]
fn the_readme_names_every_group() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).expect("the README");
    for case in of_adapters() {
        let row = format!("| `{}` |", case.group());
        let found = readme.lines().any(|line| line.starts_with(&row));
        assert!(found, "no row of {}", case.group());
    }
}

/// The page that strangers read tells of every group under each guarantee that it holds.
#[test]
fn the_guarantees_page_names_every_group() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guarantees.md");
    let page = fs::read_to_string(page).expect("the page");
    for case in all() {
        let (group, _) = case.name.split_once("::").expect("a group");
        for number in case.guarantees {
            let section = page
                .split("\n## ")
                .find(|text| text.starts_with(&format!("G{number} ")));
            let section = section.unwrap_or_else(|| panic!("no section for G{number}"));
            assert!(
                section.contains(&format!("`{group}`")),
                "G{number}: `{group}`"
            );
        }
    }
}
