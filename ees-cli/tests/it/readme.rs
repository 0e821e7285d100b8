//! The tours of the README and of the guide to AWS, and the reference of the contract: what they show
//! is what one gets.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use ees_conformance::tokens;

use crate::serving;

/// Where a tour is.
const HEADING: &str = "## A tour with curl";

/// The least that it shows.
const LEAST_BLOCKS: usize = 2;

/// A block of commands, and the answer that the README shows below it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) commands: String,
    pub(crate) answer: Option<String>,
}

/// The fenced blocks of a text, with their languages, and whether something stands before them.
fn blocks(text: &str) -> Vec<(&str, String, bool)> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    let mut follows_text = true;
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let inside: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((language, inside.join("\n"), follows_text));
            follows_text = false;
        } else if !line.trim().is_empty() {
            follows_text = true;
        }
    }
    blocks
}

/// The part of a text that is a tour.
fn tour(text: &str) -> &str {
    let (_, tour) = text.split_once(HEADING).expect("a tour");
    tour.split("\n## ").next().unwrap_or_default()
}

/// What a text shows, step by step.
pub(crate) fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (language, text, follows_text) in blocks(text) {
        match (language, steps.last_mut()) {
            ("sh", _) => steps.push(Step {
                commands: text,
                answer: None,
            }),
            ("json" | "text", Some(step)) if !follows_text => step.answer = Some(text),
            _ => {}
        }
    }
    steps
}

/// JSON with its times taken out, which no two runs share.
fn without_times(json: &str) -> String {
    let json = tokens(json);
    let mut parts = json.split(r#"timestamp":""#);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (_, rest) = part.split_once('"').expect("a time's end");
        out.push_str(r#"timestamp":"..""#);
        out.push_str(rest);
    }
    out
}

/// Runs a step as a reader would, in a shell where this was said before; what it printed.
fn run(before: &str, step: &Step, url: &str) -> String {
    let mut bash = Command::new("bash");
    let commands = format!("{before}\n{}", step.commands);
    bash.args(["-euo", "pipefail", "-c", &commands]);
    // As AWS's tools set it; nobody looks at it here.
    bash.envs(["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(|name| (name, "x")));
    let output = bash.env("EES_URL", url).output().expect("bash runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{stderr}", step.commands);
    String::from_utf8(output.stdout).expect("text")
}

pub(crate) fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    fs::read_to_string(path).expect("the file")
}

/// Takes the steps on an empty store; this is said before each.
pub(crate) async fn take(steps: Vec<Step>, before: String) {
    assert!(
        steps.len() >= LEAST_BLOCKS,
        "a whole tour, not {}",
        steps.len()
    );
    let server = serving::start("memory:").await;
    let url = serving::url(&server);
    let toured = tokio::task::spawn_blocking(move || {
        for step in &steps {
            let printed = run(&before, step, &url);
            if let Some(answer) = &step.answer {
                let (printed, answer) = (without_times(&printed), without_times(answer));
                assert_eq!(printed, answer, "{}", step.commands);
            }
        }
    });
    toured.await.expect("the tour shows what one gets");
    server.stop().await.expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_shows_what_one_gets() {
    take(steps(tour(&read("README.md"))), String::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_of_the_package_shows_what_one_gets() {
    take(steps(&read("ees-cli/README.md")), String::new()).await;
}

/// Its first step defines how to call; what it signs is not looked at here.
#[tokio::test(flavor = "multi_thread")]
async fn the_tour_of_aws_shows_what_one_gets() {
    let mut steps = steps(tour(&read("docs/aws.md")));
    let before = steps.remove(0).commands;
    take(steps, before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_shows_what_one_gets() {
    take(steps(&read("docs/rest-api.md")), String::new()).await;
}

/// The words of a text that are codes: capitals between backticks.
fn codes(text: &str) -> BTreeSet<&str> {
    let is_code = |word: &&str| {
        let mut letters = word.chars();
        !word.is_empty() && letters.all(|letter| letter == '_' || letter.is_ascii_uppercase())
    };
    text.split('`').filter(is_code).collect()
}

#[test]
fn the_reference_and_the_description_tell_every_error() {
    let description = ees_http::openapi_json();
    let reference = read("docs/rest-api.md");
    let all: BTreeSet<&str> = ees_http::ERROR_CODES.iter().copied().collect();
    assert_eq!(codes(&reference), all, "docs/rest-api.md");
    assert_eq!(codes(&description), all, "the OpenAPI description");
}

#[test]
fn an_answer_belongs_to_the_commands_right_above() {
    let readme = "x\n## A tour with curl\n```sh\na\nb\n```\n\n```json\n{}\n```\ntext\n```json\n1\n```\n\
                  ```sh\nc\n```\ntext\n```json\n2\n```\n## Next\n```sh\nd\n```\n";
    let step = |commands: &str, answer: Option<&str>| Step {
        commands: commands.to_owned(),
        answer: answer.map(str::to_owned),
    };
    assert_eq!(
        steps(tour(readme)),
        [step("a\nb", Some("{}")), step("c", None)]
    );
}

#[test]
fn times_do_not_count() {
    let one = r#"{"timestamp": "2026-01-01T00:00:00Z", "last_timestamp":"x","a":1}"#;
    let other = r#"{"timestamp":"y","last_timestamp":"","a":1}"#;
    assert_eq!(without_times(one), without_times(other));
    assert_ne!(without_times(one), without_times(r#"{"timestamp":"y"}"#));
}
