//! Where the service lives.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The two services that the client talks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Distributed Message Service.
    pub dms: Endpoint,
    /// Identity and Access Management.
    pub iam: Endpoint,
}

/// A scheme, a host and perhaps a port, as in `https://dms.eu-west-101.myhuaweicloud.eu`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    scheme: &'static str,
    host: String,
    port: Option<u16>,
}

/// What cannot be an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is not an endpoint: it must be http(s)://host[:port] without a path")]
pub struct InvalidEndpoint(String);

impl Endpoints {
    /// The vendor's public endpoints of a region (not in the reference; "Regions and Endpoints" has them).
    ///
    /// # Errors
    /// If no host name can be made of `region`.
    pub fn of_region(region: &str) -> Result<Self, InvalidEndpoint> {
        let domain = if region == "eu-west-101" {
            "myhuaweicloud.eu"
        } else {
            "myhuaweicloud.com"
        };
        Ok(Self {
            dms: format!("https://dms.{region}.{domain}").parse()?,
            iam: format!("https://iam.{region}.{domain}").parse()?,
        })
    }
}

impl Endpoint {
    /// `http` or `https`.
    pub fn scheme(&self) -> &str {
        self.scheme
    }

    /// The host without the port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, also where the scheme implies it.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(if self.scheme == "https" { 443 } else { 80 })
    }

    /// `host[:port]` as the `Host` header has it: without the scheme's own port.
    pub fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }
}

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        let invalid = || InvalidEndpoint(text.chars().take(128).collect());
        let uri: http::Uri = text.parse().map_err(|_| invalid())?;
        let (scheme, default_port) = match uri.scheme_str() {
            Some("https") => ("https", 443),
            Some("http") => ("http", 80),
            _ => return Err(invalid()),
        };
        let authority = uri.authority().ok_or_else(invalid)?;
        if authority.as_str().contains('@') || !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(invalid());
        }
        let port = authority.port_u16().filter(|port| *port != default_port);
        Ok(Self {
            scheme,
            host: authority.host().to_ascii_lowercase(),
            port,
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority())
    }
}
