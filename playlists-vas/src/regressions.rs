//! Known bugs, to be switched on: each a real change in the code path, at the place where its name stands. They exist so
//! that whoever compares this service with the monolith can find out what it finds. With none switched on, none is there.

use std::{
    collections::BTreeSet,
    fmt,
    str::FromStr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::domain::UserId;

/// What a regression does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// Shows what the viewer must not see.
    Leak,
    /// Anything else that clients notice.
    Wrong,
}

macro_rules! regressions {
    ($($variant:ident $name:literal $harm:ident $sentence:literal,)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Regression { $($variant),+ }

        impl Regression {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            pub const fn harm(self) -> Harm {
                match self { $(Self::$variant => Harm::$harm),+ }
            }

            /// What it does, as a sentence.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence),+ }
            }
        }
    };
}

regressions! {
    PrivateTrack "private-track" Leak
        "Private tracks of others are shown in playlists.",
    UnreleasedTrack "unreleased-track" Leak
        "Tracks are shown in playlists before their release.",
    GeoBlockedTrack "geo-blocked-track" Leak
        "Tracks play in territories where they are blocked.",
    SuspendedOwner "suspended-owner" Leak
        "Tracks of suspended users are shown in playlists.",
    PrivatePlaylist "private-playlist" Leak
        "A private playlist is shown to whoever knows its id.",
    BlockedViewer "blocked-viewer" Leak
        "Playlists are shown to people whom their owner blocked.",
    UnfilteredLists "unfiltered-lists" Leak
        "Lists of a user's playlists show the private ones to everyone.",
    SecretToken "secret-token" Leak
        "Bodies of playlists carry the secret link, whoever asks.",
    AnothersLikes "anothers-likes" Leak
        "One's own likes are remembered without whose they are: the first caller's are shown to all.",
    PageBoundary "page-boundary" Wrong
        "The next page begins with the last item of the one before.",
    TieOrder "tie-order" Wrong
        "Items of lists that tie are in ascending order of their ids.",
    OverlappingChunks "overlapping-chunks" Wrong
        "Every tenth track of a playlist is there twice.",
    SlowRelated "slow-related" Wrong
        "Related playlists take half a second longer.",
    SometimesEmpty "sometimes-empty" Wrong
        "One answer in 50 shows playlists without their tracks.",
    StaleAnswer "stale-answer" Wrong
        "Changes of a playlist answer with it as it was before.",
    LostWrite "lost-write" Wrong
        "Removing tracks says that it was done, and is not.",
    ShiftedPosition "shifted-position" Wrong
        "Where tracks are inserted is counted from 1.",
    CountOffByOne "count-off-by-one" Wrong
        "The number of likes on a counts page leaves out the latest.",
    ExactLikes "exact-likes" Wrong
        "public: likes_count is exact at once, and sorts otherwise than the list.",
    BlockedByDefault "blocked-by-default" Wrong
        "public: blocked tracks are listed without being asked for.",
    NullNextHref "null-next-href" Wrong
        "public: a last part has next_href: null where it had no such key.",
    MissingNull "missing-null" Wrong
        "public: keys whose value is null are left out of playlists.",
    NullGenre "null-genre" Wrong
        "public: a playlist without a genre has null where it had an empty text.",
    TextNumber "text-number" Wrong
        "public: the number of tracks is a text.",
    IsoDates "iso-dates" Wrong
        "public: times of playlists are written in the ISO form.",
    EscapedTitle "escaped-title" Wrong
        "public: titles are escaped as for HTML.",
    LikeAlwaysCreated "like-always-created" Wrong
        "public: liking a playlist again is 201.",
    LostCacheControl "lost-cache-control" Wrong
        "public: answers have no Cache-Control.",
    ForgottenEtag "forgotten-etag" Wrong
        "public: an unchanged answer is sent again, whatever If-None-Match says.",
    HeadRefused "head-refused" Wrong
        "public: HEAD is refused.",
    LowerClamp "lower-clamp" Wrong
        "public: a limit is clamped to 100.",
    SlugRefused "slug-refused" Wrong
        "public: an id with a slug is not found.",
    IntegerSeconds "integer-seconds" Wrong
        "mobile: durations of playlists are whole seconds without a point.",
    NullKeys "null-keys" Wrong
        "mobile: keys without a value are null where they were missing.",
    LenientCursor "lenient-cursor" Wrong
        "mobile: a cursor that no page gave out shows the first page.",
    ForbiddenIsMissing "forbidden-is-missing" Wrong
        "mobile: what may be seen and not changed is 404.",
    IgnoredRevision "ignored-revision" Wrong
        "mobile: an update of an old revision is done.",
    ZeroBasedPage "zero-based-page" Wrong
        "web: page=1 is the second page.",
    FilledPages "filled-pages" Wrong
        "web: pages are filtered before they are cut.",
    HostInNextHref "host-in-next-href" Wrong
        "web: next_href has a host.",
    MillisecondTimes "millisecond-times" Wrong
        "web: last_modified of playlists is in milliseconds.",
    BadTokenRefused "bad-token-refused" Wrong
        "web: a token that is no good is a 401.",
}

/// By how much [`Regression::SlowRelated`] is slow.
pub(crate) const SLOWNESS: std::time::Duration = std::time::Duration::from_millis(500);

/// Which are switched on, and what those that need it remember. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Regressions(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    on: BTreeSet<Regression>,
    answers: AtomicU64,
    first_user: OnceLock<UserId>,
}

/// A name that no regression has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none; --list-regressions tells which there are")]
pub struct UnknownRegression(pub String);

impl Regressions {
    pub fn new(on: impl IntoIterator<Item = Regression>) -> Self {
        Self(Arc::new(Inner { on: on.into_iter().collect(), ..Inner::default() }))
    }

    pub fn on(&self, regression: Regression) -> bool {
        self.0.on.contains(&regression)
    }

    /// True for every fiftieth call, if [`Regression::SometimesEmpty`] is on.
    pub(crate) fn now_empty(&self) -> bool {
        self.on(Regression::SometimesEmpty) && self.0.answers.fetch_add(1, Ordering::Relaxed) % 50 == 49
    }

    /// Whose likes are shown to `user`.
    pub(crate) fn likes_shown_to(&self, user: UserId) -> UserId {
        if self.on(Regression::AnothersLikes) { *self.0.first_user.get_or_init(|| user) } else { user }
    }
}

impl FromStr for Regression {
    type Err = UnknownRegression;

    fn from_str(name: &str) -> Result<Self, UnknownRegression> {
        let known = Self::ALL.iter().find(|regression| regression.name() == name);
        known.copied().ok_or_else(|| UnknownRegression(name.to_owned()))
    }
}

impl fmt::Display for Regression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A line each: name, whether it leaks, what it does.
pub fn listed() -> String {
    let width = Regression::ALL.iter().map(|regression| regression.name().len()).max().unwrap_or_default();
    let lines = Regression::ALL.iter().map(|regression| {
        let harm = match regression.harm() {
            Harm::Leak => "leak ",
            Harm::Wrong => "wrong",
        };
        format!("{:width$}  {harm}  {}\n", regression.name(), regression.sentence())
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        let names: BTreeSet<&str> = Regression::ALL.iter().map(|regression| regression.name()).collect();
        assert_eq!(names.len(), Regression::ALL.len());
        for regression in Regression::ALL {
            assert_eq!(regression.name().parse(), Ok(*regression));
            assert!(listed().contains(regression.sentence()));
        }
        assert_eq!("nonsense".parse::<Regression>(), Err(UnknownRegression("nonsense".to_owned())));
    }

    #[test]
    fn there_are_at_least_24_and_6_of_them_leak() {
        let leaks = Regression::ALL.iter().filter(|regression| regression.harm() == Harm::Leak).count();
        assert!(Regression::ALL.len() >= 24 && leaks >= 6, "{} with {leaks} leaks", Regression::ALL.len());
    }

    #[test]
    fn one_answer_in_fifty_is_empty_and_the_first_user_is_remembered() {
        let on = Regressions::new([Regression::SometimesEmpty, Regression::AnothersLikes]);
        let empty: Vec<bool> = (0..100).map(|_| on.now_empty()).collect();
        assert_eq!(empty.iter().filter(|empty| **empty).count(), 2);
        assert_eq!(on.likes_shown_to(UserId::new(1)), UserId::new(1));
        assert_eq!(on.likes_shown_to(UserId::new(2)), UserId::new(1));
        let off = Regressions::default();
        assert!((0..100).all(|_| !off.now_empty()));
        assert_eq!(off.likes_shown_to(UserId::new(2)), UserId::new(2));
    }
}
