//! Closed sets of words, each an enum with one spelling.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A word outside of its closed set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is not one of {expected}")]
pub struct UnknownWord {
    pub word: String,
    pub expected: &'static str,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "&'static str")]
        pub enum $name { $($variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord { word: word.to_owned(), expected: concat!($($word, " "),+) }),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = UnknownWord;

            fn try_from(word: String) -> Result<Self, UnknownWord> {
                word.parse()
            }
        }

        impl From<$name> for &'static str {
            fn from(word: $name) -> &'static str {
                word.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(Sharing { Public = "public", Private = "private" });

words!(
    /// What a playlist says it is. All but `Playlist` are releases.
    PlaylistKind {
        Playlist = "playlist",
        Album = "album",
        Ep = "ep",
        Single = "single",
        Compilation = "compilation",
    }
);

words!(
    /// What listeners without a special right get of a track.
    Policy { Full = "full", Preview = "preview" }
);

words!(Role { User = "user", Moderator = "moderator" });

words!(
    /// Who may embed a player.
    Embeddable { All = "all", Me = "me", None = "none" }
);

words!(License {
    NoRightsReserved = "no-rights-reserved",
    AllRightsReserved = "all-rights-reserved",
    CcBy = "cc-by",
    CcByNc = "cc-by-nc",
    CcByNd = "cc-by-nd",
    CcBySa = "cc-by-sa",
    CcByNcNd = "cc-by-nc-nd",
    CcByNcSa = "cc-by-nc-sa",
});

impl PlaylistKind {
    /// Albums, EPs, singles and compilations.
    pub const fn is_release(self) -> bool {
        !matches!(self, Self::Playlist)
    }
}
