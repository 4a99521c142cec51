//! Bodies and queries, read as strictly as the reference types them.
//!
//! The service is not known to refuse unknown names; this one does, since a misspelt field is a client's mistake
//! that would otherwise pass in silence.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::codes::{self, ApiError};

/// The body of a request, which must be a JSON object.
pub(crate) fn object(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    if body.is_empty() {
        return Err(codes::EMPTY_BODY.error());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(codes::NOT_JSON.error()),
    }
}

/// A JSON object's typed fields; `null` is absent, a wrong type is `DMS.00400085`.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), ApiError> {
        match self.0.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(codes::PARAMETER.about(format_args!("Unknown field {key}."))),
            None => Ok(()),
        }
    }

    pub(crate) fn text(&self, key: &str) -> Result<Option<&'a str>, ApiError> {
        self.typed(key, Value::as_str)
    }

    pub(crate) fn integer(&self, key: &str) -> Result<Option<i64>, ApiError> {
        self.typed(key, Value::as_i64)
    }

    /// An integer where the table has a "Number", which the vendor's SDK may send as `8.0`.
    pub(crate) fn whole(&self, key: &str) -> Result<Option<i64>, ApiError> {
        self.typed(key, |value| {
            let float = || value.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 1e9);
            value.as_i64().or_else(|| float().map(|float| float as i64))
        })
    }

    /// A boolean; the examples of Kafka's 5.5.2 send it as a string as well.
    pub(crate) fn flag(&self, key: &str) -> Result<Option<bool>, ApiError> {
        self.typed(key, |value| match value {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => text.parse().ok(),
            _ => None,
        })
    }

    /// A string; the examples print some as bare numbers.
    pub(crate) fn text_or_number(&self, key: &str) -> Result<Option<String>, ApiError> {
        self.typed(key, |value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    }

    pub(crate) fn texts(&self, key: &str) -> Result<Option<Vec<&'a str>>, ApiError> {
        self.typed(key, |value| value.as_array()?.iter().map(Value::as_str).collect())
    }

    pub(crate) fn integers(&self, key: &str) -> Result<Option<Vec<i64>>, ApiError> {
        self.typed(key, |value| value.as_array()?.iter().map(Value::as_i64).collect())
    }

    pub(crate) fn objects(&self, key: &str) -> Result<Option<Vec<Fields<'a>>>, ApiError> {
        self.typed(key, |value| {
            value
                .as_array()?
                .iter()
                .map(|item| item.as_object().map(Fields))
                .collect()
        })
    }

    fn typed<T>(&self, key: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Result<Option<T>, ApiError> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| codes::FIELD.about(key)),
        }
    }
}

/// A query string, decoded.
#[derive(Debug, Default)]
pub(crate) struct Query(BTreeMap<String, String>);

impl Query {
    pub(crate) fn parse(query: &str) -> Self {
        let decode = |text: &str| {
            percent_decode_str(&text.replace('+', " "))
                .decode_utf8_lossy()
                .into_owned()
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(k, v)| (decode(k), decode(v)))
                .collect(),
        )
    }

    pub(crate) fn only(&self, known: &[&str]) -> Result<(), ApiError> {
        match self.0.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(codes::PARAMETER.about(format_args!("Unknown query parameter {key}."))),
            None => Ok(()),
        }
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    pub(crate) fn flag(&self, key: &str) -> Result<bool, ApiError> {
        match self.text(key) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(codes::PARAMETER.about(key)),
        }
    }

    pub(crate) fn number(&self, key: &str) -> Result<Option<usize>, ApiError> {
        self.text(key)
            .map(|text| text.parse().map_err(|_| codes::PARAMETER.about(key)))
            .transpose()
    }

    /// `offset` and `limit` as most lists have them: from 0, and 1 to 50 with 10 as the default.
    pub(crate) fn page(&self) -> Result<(usize, usize), ApiError> {
        let limit = self.number("limit")?.unwrap_or(10);
        if !(1..=50).contains(&limit) {
            return Err(codes::PARAMETER.about("limit"));
        }
        Ok((self.number("offset")?.unwrap_or(0), limit))
    }
}
