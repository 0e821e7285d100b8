//! Reads values of properties by type. An error names the location.

use std::time::Duration;

use serde_json::Value;

use super::TemplateError;

/// A value, or an error.
pub(super) type Read<T> = Result<T, TemplateError>;

/// A value and its location.
#[derive(Clone)]
pub(super) struct At<'a> {
    pub(super) value: &'a Value,
    pub(super) path: String,
}

impl<'a> At<'a> {
    pub(super) fn new(value: &'a Value, path: impl Into<String>) -> Self {
        let path = path.into();
        Self { value, path }
    }

    /// A member of an object; null if it is missing.
    pub(super) fn get(&self, name: &str) -> Self {
        Self::new(&self.value[name], format!("{}.{name}", self.path))
    }

    pub(super) fn wrong(&self, expected: &str) -> TemplateError {
        let found = if self.value.is_null() {
            "nothing".to_owned()
        } else {
            self.value.to_string()
        };
        TemplateError::new(&self.path, format!("{found}, but expected {expected}"))
    }

    pub(super) fn is_missing(&self) -> bool {
        self.value.is_null()
    }

    /// A text. Numbers and booleans count as text.
    pub(super) fn text(&self) -> Result<String, TemplateError> {
        match self.value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(_) | Value::Bool(_) => Ok(self.value.to_string()),
            _ => Err(self.wrong("text")),
        }
    }

    /// An integer, as a number or as text; `None` if it is missing.
    pub(super) fn number(&self) -> Result<Option<i64>, TemplateError> {
        if self.is_missing() {
            return Ok(None);
        }
        let number = self.text()?.parse();
        number.map(Some).map_err(|_| self.wrong("a whole number"))
    }

    /// An integer that is not negative.
    pub(super) fn count(&self) -> Result<Option<u32>, TemplateError> {
        let number = self.number()?.map(u32::try_from);
        number.transpose().map_err(|_| self.wrong("0 or more"))
    }

    /// A number of seconds.
    pub(super) fn seconds(&self) -> Result<Option<Duration>, TemplateError> {
        let seconds = self.count()?;
        Ok(seconds.map(|seconds| Duration::from_secs(seconds.into())))
    }

    /// A boolean; false if it is missing.
    pub(super) fn flag(&self) -> Result<bool, TemplateError> {
        match self.value {
            Value::Null => Ok(false),
            _ => self
                .text()?
                .parse()
                .map_err(|_| self.wrong("true or false")),
        }
    }

    /// The items of a list; none if it is missing.
    pub(super) fn items(&self) -> Result<Vec<At<'a>>, TemplateError> {
        match self.value {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) => {
                let at = |(index, item)| At::new(item, format!("{}[{index}]", self.path));
                Ok(items.iter().enumerate().map(at).collect())
            }
            _ => Err(self.wrong("a list")),
        }
    }

    /// The members of an object by name; none if it is missing.
    pub(super) fn members(&self) -> Result<Vec<(&'a str, At<'a>)>, TemplateError> {
        match self.value {
            Value::Null => Ok(Vec::new()),
            Value::Object(members) => {
                let at = |(name, value): (&'a String, _)| {
                    (
                        name.as_str(),
                        At::new(value, format!("{}.{name}", self.path)),
                    )
                };
                Ok(members.iter().map(at).collect())
            }
            _ => Err(self.wrong("an object")),
        }
    }
}
