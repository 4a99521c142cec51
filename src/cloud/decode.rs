//! Tolerant decoding. The service prints numbers and booleans as strings, JSON inside strings, and leaves fields out:
//! what is absent, null, or of no use is `None`, never an error and never a default (API reference, examples of 5.1.3,
//! 5.5.3, 5.9.1, 5.12.2).

use std::str::FromStr;

use jiff::Timestamp;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A string; numbers and booleans become one.
pub(super) fn text<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    Ok(as_text(&value(input)?))
}

/// A string without which the whole answer makes no sense.
pub(super) fn required<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    as_text(&value(input)?)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| D::Error::custom("an identifier is missing"))
}

/// A whole number, also as a string.
pub(super) fn number<'de, D: Deserializer<'de>, T: TryFrom<i64>>(input: D) -> Result<Option<T>, D::Error> {
    Ok(as_number(&value(input)?).and_then(|number| T::try_from(number).ok()))
}

/// A boolean, also as a string in any case.
pub(super) fn flag<'de, D: Deserializer<'de>>(input: D) -> Result<Option<bool>, D::Error> {
    Ok(as_flag(&value(input)?))
}

/// A moment: ISO 8601, or milliseconds since 1970 as a number or a string.
pub(super) fn time<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Timestamp>, D::Error> {
    let value = value(input)?;
    let moment = match as_number(&value) {
        Some(millis) => Timestamp::from_millisecond(millis).ok(),
        None => as_text(&value).and_then(|text| text.parse().ok()),
    };
    Ok(moment)
}

/// A structure, also as JSON in a string.
pub(super) fn embedded<'de, D: Deserializer<'de>, T: DeserializeOwned>(input: D) -> Result<Option<T>, D::Error> {
    let decoded = match value(input)? {
        Value::String(json) => serde_json::from_str(&json).ok(),
        value => serde_json::from_value(value).ok(),
    };
    Ok(decoded)
}

/// A word of the service's vocabulary.
pub(super) fn word<'de, D: Deserializer<'de>, T: FromStr>(input: D) -> Result<Option<T>, D::Error> {
    Ok(as_text(&value(input)?)
        .filter(|text| !text.is_empty())
        .and_then(|text| text.parse().ok()))
}

fn value<'de, D: Deserializer<'de>>(input: D) -> Result<Value, D::Error> {
    Value::deserialize(input)
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn as_number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// What the references call a Number may be written with a point (not in their examples).
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

fn as_flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}
