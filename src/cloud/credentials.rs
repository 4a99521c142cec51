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
    /// An IAM user's password, exchanged for a token that is then sent with each request ("Token-based Authentication"
    /// in 3.2 of both API references).
    Password {
        /// The IAM user.
        user_name: String,
        /// Sent to IAM only.
        password: SecretString,
        /// The account that the user belongs to.
        domain_name: String,
    },
}

impl Credentials {
    /// All that must never be told.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        let (first, second) = match self {
            Self::AccessKey {
                secret_key,
                security_token,
                ..
            } => (secret_key, security_token.as_ref()),
            Self::Password { password, .. } => (password, None),
        };
        std::iter::once(first).chain(second)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AccessKey { security_token, .. } => f
                .debug_struct("AccessKey")
                .field("temporary", &security_token.is_some())
                .finish_non_exhaustive(),
            Self::Password { .. } => f.debug_struct("Password").finish_non_exhaustive(),
        }
    }
}
