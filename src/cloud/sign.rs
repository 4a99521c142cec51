//! SDK-HMAC-SHA256, the vendor's request signature, as pure functions (not in the reference).

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use super::Credentials;

/// Where a request goes, not yet encoded. What is signed and what is sent are both made from it, so each part is
/// encoded exactly once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The `Host` header.
    pub authority: String,
    /// The parts of the path.
    pub segments: Vec<String>,
    /// The query's pairs, in any order.
    pub query: Vec<(String, String)>,
}

impl Target {
    /// The path as it goes over the wire.
    pub fn path(&self) -> String {
        self.segments
            .iter()
            .map(|segment| format!("/{}", encode(segment)))
            .collect()
    }

    /// The query as it goes over the wire, sorted, without the question mark.
    pub fn query(&self) -> String {
        let mut pairs: Vec<_> = self.query.iter().collect();
        pairs.sort();
        let pairs: Vec<String> = pairs
            .into_iter()
            .map(|(k, v)| format!("{}={}", encode(k), encode(v)))
            .collect();
        pairs.join("&")
    }
}

/// All headers to send: those given, and `host`, `x-sdk-date`, `x-security-token` and `authorization`.
///
/// `headers` have lower-case names; all of them are signed.
pub fn sign(
    method: &str,
    target: &Target,
    headers: &BTreeMap<String, String>,
    body: &[u8],
    credentials: &Credentials,
    time: Timestamp,
) -> BTreeMap<String, String> {
    let Credentials::AccessKey {
        access_key,
        secret_key,
        security_token,
    } = credentials;
    let mut headers = headers.clone();
    headers.insert("host".into(), target.authority.clone());
    headers.insert("x-sdk-date".into(), date(time));
    if let Some(token) = security_token {
        headers.insert("x-security-token".into(), token.expose_secret().into());
    }
    let text = string_to_sign(&canonical_request(method, target, &headers, body), time);
    let mut mac = Hmac::<Sha256>::new_from_slice(secret_key.expose_secret().as_bytes()).expect("any length is a key");
    mac.update(text.as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    let authorization = format!(
        "SDK-HMAC-SHA256 Access={access_key}, SignedHeaders={}, Signature={signature}",
        names(&headers)
    );
    headers.insert("authorization".into(), authorization);
    headers
}

/// The request in its one canonical form. Unlike the path that is sent, the signed one always ends in a slash.
pub fn canonical_request(method: &str, target: &Target, headers: &BTreeMap<String, String>, body: &[u8]) -> String {
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{}\n", value.trim()))
        .collect();
    let (path, query, names, hash) = (
        target.path(),
        target.query(),
        names(headers),
        hex::encode(Sha256::digest(body)),
    );
    format!("{method}\n{path}/\n{query}\n{lines}\n{names}\n{hash}")
}

/// What the key is applied to.
pub fn string_to_sign(canonical_request: &str, time: Timestamp) -> String {
    format!(
        "SDK-HMAC-SHA256\n{}\n{}",
        date(time),
        hex::encode(Sha256::digest(canonical_request))
    )
}

/// RFC 3986's unreserved characters stay, all else is encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

fn names(headers: &BTreeMap<String, String>) -> String {
    headers.keys().map(String::as_str).collect::<Vec<_>>().join(";")
}

fn date(time: Timestamp) -> String {
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}
