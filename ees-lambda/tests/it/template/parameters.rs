//! Parameters are explained and used; what people need is told when the stack stands.

use ees_aws_testkit::template::{Settings, Template};

use super::{TEXT, with};

/// The lines of one section, without its indentation.
fn section(name: &str) -> Vec<&'static str> {
    let start = format!("{name}:");
    let lines = TEXT.lines().skip_while(|line| *line != start).skip(1);
    let lines = lines.take_while(|line| line.starts_with("  ") || line.is_empty());
    lines.filter_map(|line| line.strip_prefix("  ")).collect()
}

/// The names in a section.
pub(super) fn names(of: &str) -> Vec<&'static str> {
    let names = section(of).into_iter();
    names
        .filter(|line| !line.starts_with([' ', '#']))
        .filter_map(|line| line.split_once(':').map(|(name, _)| name))
        .collect()
}

#[test]
fn every_parameter_is_explained_limited_offered_and_used() {
    let parameters = names("Parameters");
    assert!(parameters.len() >= 6, "{parameters:?}");
    for parameter in parameters {
        let lines = section("Parameters");
        let of_it = lines
            .into_iter()
            .skip_while(|line| *line != format!("{parameter}:"));
        let of_it: Vec<_> = of_it
            .skip(1)
            .take_while(|line| line.starts_with(' '))
            .collect();
        let says = |what: &str| of_it.iter().any(|line| line.trim_start().starts_with(what));
        assert!(says("Description:"), "{parameter} is not explained");
        assert!(says("Default:"), "{parameter} has no default");
        assert!(
            says("AllowedValues:") || says("AllowedPattern:"),
            "{parameter} has no limits"
        );
        let used = TEXT.contains(&format!("!Ref {parameter}"));
        assert!(used, "nobody uses {parameter}");
        let groups = TEXT.split("Parameters:\n").next().unwrap_or_default();
        assert!(groups.contains(parameter), "{parameter} is in no group");
        let values = include_str!("../../../samconfig.toml.example");
        assert!(
            values.contains(parameter),
            "samconfig.toml.example leaves out {parameter}"
        );
    }
}

#[test]
fn a_stack_tells_where_it_is_and_what_belongs_to_it() {
    let template = Template::parse(TEXT, &Settings::default()).unwrap();
    let outputs: Vec<_> = template.outputs().keys().map(String::as_str).collect();
    let wanted = [
        "AnalysisTable",
        "ApiEndpoint",
        "ApiFunction",
        "ApiId",
        "ApiRole",
        "ApiStageArn",
        "ChangesetsTopic",
        "DeadLetters",
        "EventsStream",
        "EventsTable",
        "EventsTopic",
        "FailuresBucket",
        "IndexerFunction",
        "IndexerRole",
        "ProjectorFunction",
        "ProjectorRole",
        "PublisherFunction",
        "PublisherRole",
        "ReadPolicy",
        "RedriveFunction",
        "RedriveRole",
        "SweepFunction",
        "SweepRole",
        "WritePolicy",
    ];
    assert_eq!(outputs, wanted);
    let endpoint = template.outputs()["ApiEndpoint"].as_str().unwrap();
    assert!(
        endpoint.ends_with(".execute-api.us-east-1.amazonaws.com/Prod/"),
        "{endpoint}"
    );
    let url = with(&[("Endpoint", "function-url")]);
    let endpoint = url.outputs()["ApiEndpoint"].as_str().unwrap();
    assert!(
        endpoint.ends_with(".lambda-url.us-east-1.on.aws/"),
        "{endpoint}"
    );
    let own = ["ApiId", "ApiStageArn", "ReadPolicy", "WritePolicy"];
    assert!(own.iter().all(|name| !url.outputs().contains_key(*name)));
    assert!(url.outputs().contains_key("CallPolicy"));
}
