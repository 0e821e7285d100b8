//! Reads the Prometheus text that this program writes.

/// The samples of one metric.
#[derive(Debug, PartialEq)]
pub(super) struct Family<'a> {
    pub(super) name: &'a str,
    pub(super) help: &'a str,
    /// `counter`, `gauge` or `histogram`.
    pub(super) kind: &'a str,
    pub(super) samples: Vec<Sample<'a>>,
}

/// One line with a value.
#[derive(Debug, PartialEq)]
pub(super) struct Sample<'a> {
    pub(super) name: &'a str,
    pub(super) labels: Vec<Label<'a>>,
    pub(super) value: f64,
}

/// The name and the value of a label.
pub(super) type Label<'a> = (&'a str, String);

/// The metrics of a text. Lines of another form are passed by.
pub(super) fn families(text: &str) -> Vec<Family<'_>> {
    let mut families: Vec<Family<'_>> = Vec::new();
    let mut help = ("", "");
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("# HELP ") {
            help = line.split_once(' ').unwrap_or((line, ""));
        } else if let Some(line) = line.strip_prefix("# TYPE ") {
            let Some((name, kind)) = line.split_once(' ') else {
                continue;
            };
            families.push(Family {
                name,
                help: if help.0 == name { help.1 } else { "" },
                kind,
                samples: Vec::new(),
            });
        } else if let (Some(family), Some(sample)) = (families.last_mut(), sample(line)) {
            family.samples.push(sample);
        }
    }
    families
}

/// `NAME{LABEL="VALUE",...} VALUE`, or the same without labels.
fn sample(line: &str) -> Option<Sample<'_>> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = Vec::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        while let Some((name, value)) = rest.split_once("=\"") {
            let (value, after) = quoted(value)?;
            labels.push((name, value));
            rest = after.strip_prefix(',').unwrap_or(after);
            if rest.starts_with('}') {
                break;
            }
        }
        rest = rest.strip_prefix('}')?;
    }
    let value = rest.trim().parse().ok()?;
    Some(Sample {
        name,
        labels,
        value,
    })
}

/// The value of a label up to its closing quote, and what follows that.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => value.push(match chars.next()? {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# HELP ees_a_total What it is
# TYPE ees_a_total counter
ees_a_total 3
ees_a_total{of="a \"b\" \\ {c},d=\n",to=""} 0.5

# TYPE ees_b gauge
ees_b{x="1"} NaN
ees_b{x="1} 2
ees_b
"#;

    #[test]
    fn lines_are_read() {
        let read = families(TEXT);
        let counter = Family {
            name: "ees_a_total",
            help: "What it is",
            kind: "counter",
            samples: vec![
                Sample {
                    name: "ees_a_total",
                    labels: Vec::new(),
                    value: 3.0,
                },
                Sample {
                    name: "ees_a_total",
                    labels: vec![
                        ("of", "a \"b\" \\ {c},d=\n".to_owned()),
                        ("to", String::new()),
                    ],
                    value: 0.5,
                },
            ],
        };
        assert_eq!(read[0], counter);
        assert_eq!(
            (read[1].name, read[1].help, read[1].kind),
            ("ees_b", "", "gauge")
        );
        assert_eq!(read[1].samples.len(), 1, "the others are cut short");
        assert!(read[1].samples[0].value.is_nan());
    }
}
