//! The properties, with a bounded number of random texts.

use proptest::prelude::*;

/// Texts that are made of parts: mostly wrong, but wrong in ways that matter.
fn soup(parts: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(parts), 0..24).prop_map(|parts| parts.concat())
}

const JSON: &[&str] = &[
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "\"",
    "\\",
    "\\\\",
    "\\\"",
    "\\u",
    "\\u0041",
    "\\uD83d",
    "\\ude00",
    "\\ud83d\\ude00",
    "\"a\":",
    "\"\\ude00\":",
    "\"\"",
    "0",
    "-1.5",
    "1e400",
    "null",
    "true",
    " ",
    "\n",
    "é",
    "\u{c}",
    "[[",
    "]]",
];

const CHECKPOINT: &[&str] = &[
    "0",
    "7",
    "00",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    ".",
    "+",
    "-",
    " ",
    "e",
    "９",
];

/// JSON that is always right, but for its depth and its surrogates.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => any::<i64>().prop_map(|number| number.to_string()),
        4 => any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
        1 => Just(r#""\ud83d""#.to_owned()),
        1 => Just(r#""\ud83d\ude00[""#.to_owned()),
        1 => (95_usize..105).prop_map(|levels| "[".repeat(levels) + &"]".repeat(levels)),
        1 => (95_usize..105).prop_map(|levels| "{\"a\": ".repeat(levels) + "1" + &"}".repeat(levels)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|values| format!("[ {}\n]", values.join(" , "))),
            prop::collection::vec((soup(&["k", "\\\"", "\\u00e9", "{"]), inner), 0..4).prop_map(
                |members| {
                    let members = members
                        .iter()
                        .map(|(key, value)| format!("\"{key}\":{value}"));
                    format!("{{{}}}", members.collect::<Vec<_>>().join(",\t"))
                }
            ),
        ]
    })
}

/// Settings that exist, and values that are possible, so that many URLs are accepted.
fn settings() -> impl Strategy<Value = String> {
    let setting = prop::sample::select(&[
        "readers=4",
        "max_changeset_bytes=4096",
        "schema=shop",
        "connect_timeout=7",
        "allow_fsync_off=true",
        "sslmode=disable",
        "application_name=a%26b",
        "analysis=other",
        "endpoint=http://h:1/%3f",
        "region=eu-west-1",
        "region=%2B+",
        "enumeration_index=E%3D",
        "first_event_index=F",
        "last_event_index=L",
        "head_cache=1",
        "commits=off",
        "changesets=arn:aws:sns:eu-west-1:1:c.fifo",
        "events=arn:aws:sns:eu-west-1:1:e.fifo",
        "max_message_bytes=8192",
        "%72eaders=5",
        "unknown=1",
        "readers",
        "",
    ]);
    prop::collection::vec(setting, 0..4).prop_map(|settings| settings.join("&"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_payload_or_is_not(text: String) {
        ees_fuzz::payload(&text);
    }

    #[test]
    fn parts_of_json_are_a_payload_or_are_not(text in soup(JSON)) {
        ees_fuzz::payload(&text);
    }

    #[test]
    fn json_is_a_payload_unless_it_breaks_a_limit(text in json()) {
        ees_fuzz::payload(&text);
        ees_fuzz::payload(&format!(" [{text}, {text}] "));
    }

    #[test]
    fn any_text_is_a_checkpoint_or_an_id_or_is_not(text: String) {
        ees_fuzz::checkpoint(&text);
    }

    #[test]
    fn ids_have_a_longest(text in "[ -~]{254,257}|[ -~]{1022,1024}é?|!!!RESERVE.?") {
        ees_fuzz::checkpoint(&text);
    }

    #[test]
    fn parts_of_checkpoints_are_one_or_are_not(text in soup(CHECKPOINT)) {
        ees_fuzz::checkpoint(&text);
    }

    #[test]
    fn any_text_is_a_url_or_is_not(text: String) {
        ees_fuzz::url(&text);
    }

    #[test]
    fn settings_are_accepted_once(
        start in prop::sample::select(&["", "sqlite:x?", "postgres://u:p@h:1/d?", "dynamodb://abc?", "sns:"]),
        settings in settings(),
    ) {
        ees_fuzz::url(&format!("{start}{settings}"));
    }
}
