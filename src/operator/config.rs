//! What can be set about a running operator.

use std::time::Duration;

/// Everything but the clients. The defaults are the design's.
#[derive(Clone, Debug)]
pub struct Config {
    /// How often an object at rest is compared with the cloud.
    pub resync: Duration,
    /// How often something that ends by itself is looked at.
    pub poll: Duration,
    /// How long searches must find nothing before a create whose answer was lost is sent again.
    pub search_window: Duration,
    /// Hosts that a ProviderConfig may point to: `*.example.com`, `host`, or `host:port`.
    pub allowed_endpoints: Vec<String>,
    /// Leader election; without it, the caller guarantees that only one operator runs.
    pub lease: Option<LeaseConfig>,
}

/// Leader election.
#[derive(Clone, Debug)]
pub struct LeaseConfig {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Who we are; unique among replicas.
    pub identity: String,
    /// How long a Lease holds without being renewed.
    pub duration: Duration,
    /// How often it is renewed.
    pub renew: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            resync: Duration::from_secs(600),
            poll: Duration::from_secs(15),
            search_window: Duration::from_secs(600),
            allowed_endpoints: vec!["*.myhuaweicloud.com".into(), "*.myhuaweicloud.eu".into()],
            lease: None,
        }
    }
}

impl LeaseConfig {
    /// A Lease that holds for 15 s and is renewed every 5.
    pub fn new(namespace: impl Into<String>, identity: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: "dms-operator".into(),
            identity: identity.into(),
            duration: Duration::from_secs(15),
            renew: Duration::from_secs(5),
        }
    }
}

impl Config {
    /// Whether a ProviderConfig may use this endpoint.
    pub fn allows(&self, endpoint: &str) -> bool {
        let Ok(uri) = endpoint.parse::<http::Uri>() else {
            return false;
        };
        let Some(authority) = uri.authority().filter(|a| !a.as_str().contains('@')) else {
            return false;
        };
        let host = authority.host().to_ascii_lowercase();
        let with_port = authority.as_str().to_ascii_lowercase();
        self.allowed_endpoints.iter().any(|pattern| {
            let pattern = pattern.trim().to_ascii_lowercase();
            match pattern.strip_prefix('*') {
                // `*.example.com` stands for one host or more below it, on the usual port.
                Some(suffix) => {
                    suffix.starts_with('.') && host.ends_with(suffix) && host.len() > suffix.len() && with_port == host
                }
                None => pattern == with_port || (pattern == host && with_port == host),
            }
        })
    }
}
