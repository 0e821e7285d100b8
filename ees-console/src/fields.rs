//! The fields of a query or a form.

/// The fields of a query or a form, in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first field of a name that is not blank, without blanks around it.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let of_name = self.0.iter().filter(|(found, _)| found == name);
        let mut values = of_name.map(|(_, value)| value.trim());
        values.find(|value| !value.is_empty())
    }

    /// The same as it was sent, with its blanks: a stream id may have them.
    pub(crate) fn verbatim(&self, name: &str) -> Option<&str> {
        let of_name = self.0.iter().filter(|(found, _)| found == name);
        let mut values = of_name.map(|(_, value)| value.as_str());
        values.find(|value| !value.is_empty())
    }

    /// A field that is a number; `Err` with the text if it is not.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, String> {
        let text = self.get(name);
        let number = text.map(str::parse).transpose();
        number.map_err(|_| {
            let text = text.unwrap_or_default();
            format!("`{name}` is `{text}`: expected a number, 0 or larger")
        })
    }
}

/// Writes a query, with its question mark; empty without fields.
pub(crate) fn query(fields: &[(&str, &str)]) -> String {
    if fields.is_empty() {
        return String::new();
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(fields);
    format!("?{}", query.finish())
}
