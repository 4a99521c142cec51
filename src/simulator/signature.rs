//! The gateway's side of SDK-HMAC-SHA256, written apart from any client's.
//!
//! Not in the API reference, which points to a separate guide: the algorithm is the one of the vendor's SDKs.

use axum::body::Bytes;
use axum::http::{HeaderMap, request::Parts};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// How far a request's date may be from the gateway's.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Checks a request against the one known key; the error is what the gateway tells the caller.
pub(crate) fn verify(
    access_key: &str,
    secret_key: &SecretString,
    parts: &Parts,
    body: &Bytes,
    now: Timestamp,
) -> Result<(), &'static str> {
    let authorization = Authorization::read(&parts.headers)?;
    if authorization.access_key != access_key {
        return Err("ak not exist");
    }
    let date = header(&parts.headers, "x-sdk-date");
    let signed_at = timestamp(&date).ok_or("x-sdk-date is missing or not yyyyMMddTHHmmssZ")?;
    if now.duration_since(signed_at).abs() > WINDOW {
        return Err("signature expired, the request time and the server time differ by more than 15 minutes");
    }
    for required in ["host", "x-sdk-date"] {
        if !authorization.signed.iter().any(|name| name == required) {
            return Err("host and x-sdk-date must be signed");
        }
    }
    let canonical = canonical_request(parts, body, &authorization.signed);
    let to_sign = format!("SDK-HMAC-SHA256\n{date}\n{}", hex::encode(Sha256::digest(canonical)));
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret_key.expose_secret().as_bytes()).expect("any key length will do");
    mac.update(to_sign.as_bytes());
    let given = hex::decode(&authorization.signature).map_err(|_| "signature is not hexadecimal")?;
    mac.verify_slice(&given).map_err(|_| "verify aksk signature fail")
}

struct Authorization {
    access_key: String,
    signed: Vec<String>,
    signature: String,
}

impl Authorization {
    fn read(headers: &HeaderMap) -> Result<Self, &'static str> {
        let header = header(headers, "authorization");
        let fields = header
            .strip_prefix("SDK-HMAC-SHA256 ")
            .ok_or("authorization header is missing or of another algorithm")?;
        let field = |name: &str| {
            let mut pairs = fields.split(',').filter_map(|pair| pair.trim().split_once('='));
            pairs
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.to_owned())
                .ok_or("authorization header is incomplete")
        };
        let signed: Vec<_> = field("SignedHeaders")?.split(';').map(str::to_owned).collect();
        if !signed.is_sorted() || signed.iter().any(|name| *name != name.to_lowercase()) {
            return Err("signed headers must be lower case and sorted");
        }
        Ok(Self {
            access_key: field("Access")?,
            signed,
            signature: field("Signature")?,
        })
    }
}

fn canonical_request(parts: &Parts, body: &Bytes, signed: &[String]) -> String {
    // Decoding first makes `:` and `%3A` the same; the trailing slash belongs to the text that is signed only.
    let encode = |text: &str| percent_encode(&percent_decode_str(text).collect::<Vec<u8>>(), UNRESERVED).to_string();
    let mut path = parts.uri.path().split('/').map(encode).collect::<Vec<_>>().join("/");
    if !path.ends_with('/') {
        path.push('/');
    }
    let query = parts
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty());
    let mut query: Vec<_> = query
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(k, v)| (encode(k), encode(v)))
        .collect();
    query.sort();
    let query: Vec<_> = query.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    let headers: String = signed
        .iter()
        .map(|name| format!("{name}:{}\n", header(&parts.headers, name)))
        .collect();
    let body = hex::encode(Sha256::digest(body));
    format!(
        "{}\n{path}\n{}\n{headers}\n{}\n{body}",
        parts.method,
        query.join("&"),
        signed.join(";")
    )
}

fn header(headers: &HeaderMap, name: &str) -> String {
    let values = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned());
    values.collect::<Vec<_>>().join(",")
}

fn timestamp(date: &str) -> Option<Timestamp> {
    let civil = DateTime::strptime("%Y%m%dT%H%M%SZ", date).ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    /// Vectors made with the vendor's Python SDK: (method, uri, body, further headers, signed, signature).
    #[test]
    fn accepts_what_the_vendors_sdk_signs() {
        let common = [
            ("host", "service.endpoint.myhuaweicloud.com"),
            ("x-sdk-date", "20200608T023900Z"),
        ];
        let list = "cfb4171acec81de07d50e53d57eb77edd537414d66ddb1d7d780f128e12cd842";
        let post = "436b1ac0a1ae03705934bb70ef2f2e09f7bfed2117d731a38235053199323a1f";
        check(
            "GET",
            "/resources?size=1",
            "",
            &common,
            ("AccessKey", "SecretKey"),
            list,
        );
        check(
            "POST",
            "/resources?size=1",
            r#"{"name":"test","id":1}"#,
            &common,
            ("AccessKey", "SecretKey"),
            post,
        );
        check(
            "POST",
            "/v2/0123456789abcdef0123456789abcdef/instances/i-1/topics/%25RETRY%25g:x?limit=200&offset=0",
            r#"{"name":"t"}"#,
            &[
                ("content-type", "application/json"),
                ("host", "dms.cn-north-4.myhuaweicloud.com"),
                ("x-project-id", "0123456789abcdef0123456789abcdef"),
                ("x-sdk-date", "20260101T000000Z"),
                ("x-security-token", "tok+en/="),
            ],
            ("AKEXAMPLE", "SKEXAMPLE"),
            "3fcd684ed7521109d79cd09fde863d12f92b9fa6ecfd5767b1e520c2ba205a46",
        );
    }

    fn check(
        method: &str,
        uri: &str,
        body: &'static str,
        headers: &[(&str, &str)],
        key: (&str, &str),
        signature: &str,
    ) {
        let signed: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
        let authorization = format!(
            "SDK-HMAC-SHA256 Access={}, SignedHeaders={}, Signature={signature}",
            key.0,
            signed.join(";")
        );
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header("authorization", authorization);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let now = timestamp(&header(&parts.headers, "x-sdk-date")).unwrap();
        let verify = |body, at| verify(key.0, &key.1.into(), &parts, &Bytes::from_static(body), at);
        assert_eq!(verify(body.as_bytes(), now), Ok(()));
        assert_eq!(verify(body.as_bytes(), now + WINDOW), Ok(()));
        assert!(verify(body.as_bytes(), now + WINDOW + SignedDuration::from_secs(1)).is_err());
        assert!(verify(b"another body", now).is_err());
    }
}
