use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::*;

const KNOWN: &[&str] = &["max_changeset_bytes", "password", "readers", "region"];

fn parse(settings: &str) -> Result<Settings, SettingsError> {
    Settings::parse(settings, KNOWN)
}

fn error(settings: &str) -> String {
    parse(settings).unwrap_err().to_string()
}

#[test]
fn a_scheme_is_one_of_those_that_the_adapter_takes() {
    assert_eq!(strip_scheme("a:b:c", &["b:", "a:"]), Ok("b:c"));
    let strip = |schemes| strip_scheme("c:secret", schemes).unwrap_err().to_string();
    assert_eq!(strip(&["a:"]), "the URL does not begin with `a:`");
    assert_eq!(
        strip(&["a:", "b:"]),
        "the URL does not begin with `a:` or `b:`"
    );
}

#[test]
fn a_url_has_a_rest_and_settings() {
    let (rest, settings) = Settings::split("file?readers=8&region=", KNOWN).unwrap();
    assert_eq!(rest, "file");
    assert_eq!(settings.text("readers"), Some("8"));
    assert_eq!(settings.text("region"), Some(""));
    assert_eq!(settings.text("password"), None);
    let (rest, settings) = Settings::split("file", KNOWN).unwrap();
    assert_eq!((rest, settings), ("file", parse("").unwrap()));
}

#[test]
fn an_unknown_setting_is_named_with_the_known_ones() {
    assert_eq!(
        error("color=red"),
        "unknown setting `color`. The known settings are `max_changeset_bytes`, `password`, \
         `readers` and `region`"
    );
    for (found, meant) in [
        ("reader", "readers"),
        ("Readers", "readers"),
        ("raeders", "readers"),
        ("aws-region", "region"),
        ("max-changeset-bytes", "max_changeset_bytes"),
        ("maxChangesetBytes", "max_changeset_bytes"),
        ("max_changeset", "max_changeset_bytes"),
    ] {
        let said = error(&format!("{found}=1"));
        let expected = format!("unknown setting `{found}`: did you mean `{meant}`? The known");
        assert!(said.starts_with(&expected), "{said}");
    }
}

#[test]
fn a_setting_is_given_once() {
    let said = "the setting `readers` is given twice; give it once";
    assert_eq!(error("readers=1&region=x&readers=2"), said);
    assert_eq!(
        error("readers=1&reader%73=1"),
        said,
        "however it is written"
    );
}

#[test]
fn values_have_types() {
    let settings = parse("readers=65&region=yes").unwrap();
    let said = |error: SettingsError| error.to_string();
    assert_eq!(settings.number("readers", 1..=65), Ok(Some(65)));
    assert_eq!(settings.number("max_changeset_bytes", 1..=65), Ok(None));
    assert_eq!(
        settings.number("readers", 1..=64).map_err(said),
        Err("`readers=65`: expected an integer from 1 to 64".to_owned())
    );
    assert_eq!(
        settings.number("region", 1..=64).map_err(said),
        Err("`region=yes`: expected an integer from 1 to 64".to_owned())
    );
    assert_eq!(
        settings.flag("region").map_err(said),
        Err("`region=yes`: expected `true` or `false`".to_owned())
    );
    assert_eq!(parse("region=true").unwrap().flag("region"), Ok(Some(true)));
}

#[test]
fn nobody_sees_a_password() {
    let settings = parse("password=secret&readers=1").unwrap();
    assert_eq!(settings.text("password"), Some("secret"));
    assert_eq!(
        format!("{settings:?}"),
        r#"Settings(["password", "readers"])"#
    );
    for told in [
        "pasword=secret",
        "password=a&secret",
        "secret&b@h",
        "password=secret&b",
    ] {
        let error = parse(told).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
    let cut = parse("readers=secret@h").unwrap();
    let error = cut.number("readers", 1..=2).unwrap_err();
    assert!(
        error.to_string().starts_with("`readers=***@h`: "),
        "{error}"
    );
}

/// Some of the known names, in any order, each with any value.
fn settings() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let names = subsequence(KNOWN, 1..=KNOWN.len()).prop_shuffle();
    let values = prop::collection::vec(any::<String>(), KNOWN.len());
    (names, values).prop_map(|(names, values)| names.into_iter().zip(values).collect())
}

fn written(settings: &[(&'static str, String)]) -> String {
    encode(settings.iter().map(|(name, value)| (*name, value.as_str())))
}

proptest! {
    #[test]
    fn what_was_written_is_read(settings in settings(), rest in "[^?]*") {
        let url = format!("{rest}?{}", written(&settings));
        let (found, read) = Settings::split(&url, KNOWN).unwrap();
        prop_assert_eq!(found, rest);
        for name in KNOWN {
            let given = settings.iter().find(|(given, _)| given == name);
            prop_assert_eq!(read.text(name), given.map(|(_, value)| value.as_str()));
        }
    }

    #[test]
    fn a_doubled_name_is_refused(
        mut settings in settings(),
        doubled: Index,
        value: String,
        at: Index,
    ) {
        let (name, _) = *doubled.get(&settings);
        settings.insert(at.index(settings.len() + 1), (name, value));
        prop_assert_eq!(parse(&written(&settings)), Err(SettingsError::Twice(name)));
    }

    #[test]
    fn a_near_miss_is_suggested(name in select(KNOWN), left_out: Index, upper: bool) {
        let mut found = name.to_owned();
        found.remove(left_out.index(name.len()));
        if upper {
            found = found.to_uppercase();
        }
        let Err(SettingsError::Unknown { nearest, .. }) = parse(&format!("{found}=1")) else {
            panic!("`{found}` is not a known setting");
        };
        prop_assert_eq!(nearest, Some(name));
    }

    #[test]
    fn what_is_read_is_written_again(text in "((readers|region|password|x)(=.{0,4})?&){0,3}") {
        if let Ok(settings) = parse(&text) {
            prop_assert_eq!(parse(&encode(settings.given())), Ok(settings));
        }
    }
}
