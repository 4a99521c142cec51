//! Who we are to the cloud.

use std::fmt;

use secrecy::SecretString;

/// A way to authenticate. Its secrets show neither in `Debug` nor anywhere else.
#[derive(Clone)]
pub enum Credentials {
    /// An access key pair (AK/SK), permanent or temporary.
    AccessKey {
        /// The public half, sent with each request.
        access_key: String,
        /// The signing key, never sent.
        secret_key: SecretString,
        /// Goes with a temporary pair; sent as `X-Security-Token`.
        security_token: Option<SecretString>,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::AccessKey { security_token, .. } = self;
        f.debug_struct("AccessKey")
            .field("temporary", &security_token.is_some())
            .finish_non_exhaustive()
    }
}
