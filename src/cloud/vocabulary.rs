//! Words of the service.

/// A closed list of words that the service may add to at any time: those we know, and `Other`.
macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])* $variant,)*
            /// A word that is not known.
            Other(String),
        }

        impl $name {
            /// In the service's own word.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Ok(match word.to_ascii_uppercase().as_str() {
                    $($word => Self::$variant,)*
                    _ => Self::Other(word.to_owned()),
                })
            }
        }
    };
}
pub(super) use vocabulary;
