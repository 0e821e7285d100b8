//! The variables that the template sets are those that the functions read.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ees_aws_testkit::template::Template;

use super::{Findings, holds};

/// The store's variables that are named in a text.
fn named(text: &str) -> BTreeSet<String> {
    let is_part = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
    let name = |rest: &str| {
        let (name, _) = rest.split_once('"')?;
        let is_name = !name.is_empty() && name.bytes().all(is_part);
        is_name.then(|| format!("EES_{name}"))
    };
    text.split("\"EES_").skip(1).filter_map(name).collect()
}

/// The functions' sources.
pub(super) fn sources() -> impl Iterator<Item = String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = fs::read_dir(folder).expect("the sources");
    let files = files.map(|file| file.expect("a file").path());
    let files = files.filter(|path| path.is_file());
    files.map(|file| fs::read_to_string(file).expect("a source"))
}

/// Who publishes is told the topics, and who redrives the bucket.
fn check(template: &Template) -> Findings {
    let mut findings = Findings::new();
    let mut set = BTreeSet::new();
    for function in template.functions().expect("functions") {
        let mut wanted = vec!["EES_LOG", "EES_STORAGE"];
        match function.handler.as_str() {
            "publisher" | "redrive" => wanted.extend(["EES_FAILURES", "EES_PUBLISH"]),
            _ => {}
        }
        wanted.sort_unstable();
        let found: Vec<_> = function.environment.keys().map(String::as_str).collect();
        if found != wanted {
            findings.push(format!(
                "{} is told {found:?}, not {wanted:?}",
                function.handler
            ));
        }
        set.extend(function.environment.into_keys());
    }
    let read = sources().flat_map(|source| named(&source)).collect();
    for (of, other, what) in [(&set, &read, "read"), (&read, &set, "set")] {
        findings.extend(
            of.difference(other)
                .map(|name| format!("{name} is not {what}")),
        );
    }
    findings
}

#[test]
fn functions_are_told_what_they_read() {
    let faults = [
        ("EES_LOG:", "EES_LOGS:"),
        ("EES_STORAGE:", "STORAGE:"),
        ("EES_PUBLISH:", "EES_PUBLISHER:"),
        ("EES_FAILURES:", "FAILURES:"),
    ];
    holds(check, &faults);
}

#[test]
fn names_are_found_in_sources() {
    let source =
        r#"variable("EES_LOG") /// EES_NOT "EES_lower" "AWS_REGION" wanted("EES_A_B", "EES_"#;
    assert_eq!(Vec::from_iter(named(source)), ["EES_A_B", "EES_LOG"]);
}
