//! Reads values out of the text of the metrics.

/// The values of a metric, with its labels as they are written.
pub(crate) fn values<'a>(text: &'a str, name: &str) -> impl Iterator<Item = (&'a str, f64)> {
    text.lines().filter_map(move |line| {
        let rest = line.strip_prefix(name)?;
        let (labels, value) = match rest.strip_prefix('{') {
            Some(rest) => rest.rsplit_once('}')?,
            None => ("", rest),
        };
        // Another name may begin with this one.
        let value = value.strip_prefix(' ')?.parse().ok()?;
        Some((labels, value))
    })
}

/// The sum of a metric over all labels that have a text.
pub(crate) fn sum(text: &str, name: &str, label: &str) -> f64 {
    let values = values(text, name).filter(|(labels, _)| labels.contains(label));
    values.map(|(_, value)| value).sum()
}

/// The value of a label.
pub(crate) fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    labels.split(',').find_map(|label| {
        let value = label.trim().strip_prefix(name)?.strip_prefix("=\"")?;
        value.strip_suffix('"')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# HELP a_total What it counts
# TYPE a_total counter
a_total{outcome=\"committed\"} 3
a_total{outcome=\"conflict\",storage=\"x\"} 4
a_total_other 100
b 0.5
";

    #[test]
    #[allow(clippy::float_cmp)] // these sums are exact
    fn values_are_summed_by_name_and_label() {
        assert_eq!(sum(TEXT, "a_total", ""), 7.0);
        assert_eq!(sum(TEXT, "a_total", "outcome=\"committed\""), 3.0);
        assert_eq!(sum(TEXT, "b", ""), 0.5);
        assert_eq!(sum(TEXT, "c", ""), 0.0);
        let (labels, _) = values(TEXT, "a_total").last().unwrap_or_default();
        assert_eq!(label(labels, "storage"), Some("x"));
        assert_eq!(label(labels, "stor"), None);
    }
}
