//! SDK-HMAC-SHA256, the vendor's request signature, as pure functions (not in the reference).

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

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

/// An access key pair, permanent or temporary.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    /// The public half.
    pub access_key: &'a str,
    /// The signing key.
    pub secret_key: &'a SecretString,
    /// Goes with a temporary pair.
    pub security_token: Option<&'a SecretString>,
}

/// All headers to send: those given, and `host`, `x-sdk-date`, `x-security-token` and `authorization`.
///
/// `headers` have lower-case names; all of them are signed.
pub fn sign(
    method: &str,
    target: &Target,
    headers: &BTreeMap<String, String>,
    body: &[u8],
    key: Key<'_>,
    time: Timestamp,
) -> BTreeMap<String, String> {
    let Key {
        access_key,
        secret_key,
        security_token,
    } = key;
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

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    fn target(authority: &str, segments: &[&str], query: &[(&str, &str)]) -> Target {
        let own = |text: &&str| (*text).to_owned();
        Target {
            authority: authority.to_owned(),
            segments: segments.iter().map(own).collect(),
            query: query.iter().map(|(key, value)| (own(key), own(value))).collect(),
        }
    }

    fn key(secret_key: &SecretString) -> Key<'_> {
        Key {
            access_key: "AccessKey",
            secret_key,
            security_token: None,
        }
    }

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    const PROJECT: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_read_is_signed_like_the_vendors_sdk_signs_it() {
        let target = target("service.endpoint.myhuaweicloud.com", &["resources"], &[("size", "1")]);
        let at = time("2020-06-08T02:39:00Z");
        let signed = sign("GET", &target, &BTreeMap::new(), b"", key(&"SecretKey".into()), at);
        assert_eq!(
            signed["authorization"],
            "SDK-HMAC-SHA256 Access=AccessKey, SignedHeaders=host;x-sdk-date, \
             Signature=cfb4171acec81de07d50e53d57eb77edd537414d66ddb1d7d780f128e12cd842"
        );
        assert_eq!(signed["x-sdk-date"], "20200608T023900Z");
        let headers = BTreeMap::from([
            ("host".to_owned(), target.authority.clone()),
            ("x-sdk-date".to_owned(), "20200608T023900Z".to_owned()),
        ]);
        let canonical = canonical_request("GET", &target, &headers, b"");
        assert_eq!(
            canonical,
            "GET\n/resources/\nsize=1\nhost:service.endpoint.myhuaweicloud.com\nx-sdk-date:20200608T023900Z\n\n\
             host;x-sdk-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        let hash = hex::encode(Sha256::digest(canonical.as_bytes()));
        assert_eq!(
            string_to_sign(&canonical, at),
            format!("SDK-HMAC-SHA256\n20200608T023900Z\n{hash}")
        );
    }

    #[test]
    fn a_body_counts() {
        let target = target("service.endpoint.myhuaweicloud.com", &["resources"], &[("size", "1")]);
        let body = br#"{"name":"test","id":1}"#;
        let at = time("2020-06-08T02:39:00Z");
        let signed = sign("POST", &target, &BTreeMap::new(), body, key(&"SecretKey".into()), at);
        assert!(signed["authorization"].ends_with("=436b1ac0a1ae03705934bb70ef2f2e09f7bfed2117d731a38235053199323a1f"));
    }

    #[test]
    fn a_token_and_an_awkward_name_are_signed() {
        let target = target(
            "dms.cn-north-4.myhuaweicloud.com",
            &["v2", PROJECT, "instances", "i-1", "topics", "%RETRY%g:x"],
            &[("offset", "0"), ("limit", "200")],
        );
        let headers = BTreeMap::from([
            ("content-type".to_owned(), "application/json".to_owned()),
            ("x-project-id".to_owned(), PROJECT.to_owned()),
        ]);
        let (secret_key, token) = ("SKEXAMPLE".into(), "tok+en/=".into());
        let credentials = Key {
            access_key: "AKEXAMPLE",
            secret_key: &secret_key,
            security_token: Some(&token),
        };
        let at = time("2026-01-01T00:00:00Z");
        let signed = sign("POST", &target, &headers, br#"{"name":"t"}"#, credentials, at);
        assert_eq!(
            signed["authorization"],
            "SDK-HMAC-SHA256 Access=AKEXAMPLE, \
             SignedHeaders=content-type;host;x-project-id;x-sdk-date;x-security-token, \
             Signature=3fcd684ed7521109d79cd09fde863d12f92b9fa6ecfd5767b1e520c2ba205a46"
        );
        assert_eq!(signed["x-security-token"], "tok+en/=");
        let canonical = canonical_request("POST", &target, &headers, b"");
        assert!(
            canonical.contains("/topics/%25RETRY%25g%3Ax/\nlimit=200&offset=0\n"),
            "{canonical}"
        );
    }

    proptest! {
        #[test]
        fn what_is_encoded_once_decodes_to_itself(
            segments in prop::collection::vec(".{1,12}", 1..5),
            query in prop::collection::vec((".{1,8}", ".{0,8}"), 0..4),
        ) {
            let target = Target { authority: "h".to_owned(), segments: segments.clone(), query: query.clone() };
            let decode = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
            let path = target.path();
            prop_assert_eq!(path.split('/').skip(1).map(decode).collect::<Vec<_>>(), segments);
            let pairs = target.query();
            let pairs = pairs.split('&').filter(|pair| !pair.is_empty());
            let pairs: Vec<_> = pairs.map(|pair| pair.split_once('=').unwrap()).map(|(k, v)| (decode(k), decode(v))).collect();
            let mut sorted = query;
            sorted.sort();
            prop_assert_eq!(pairs, sorted);
            let unreserved = |c: char| c.is_ascii_alphanumeric() || "-_.~/%".contains(c);
            prop_assert!(path.chars().all(unreserved), "{}", path);
            let (canonical, start) = (canonical_request("GET", &target, &BTreeMap::new(), b""), format!("GET\n{path}/\n"));
            prop_assert!(canonical.starts_with(&start));
        }
    }
}
