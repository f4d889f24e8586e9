//! From what people see in a browser to what the API calls it.

use axum::{extract::State, response::Response};

use crate::{
    app::App,
    public::{
        ApiError, Caller,
        lists::{readable, visible_track, visible_user},
        respond,
    },
    store::Reader,
};

/// What a URL of the site names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Address {
    user: String,
    thing: Thing,
    /// Of a secret link: the last part of the path, or a parameter.
    secret_token: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Thing {
    User,
    Track(String),
    Playlist(String),
}

/// 302 to the thing, or 404: of what may not be known to the caller, the redirect would already tell too much.
pub(super) async fn resolve(State(app): State<App>, mut caller: Caller) -> Result<Response, ApiError> {
    let url = caller.query.filled("url");
    let missing = || ApiError::BadRequest("param is missing or the value is empty: url".to_owned());
    let address = Address::parse(url.ok_or_else(missing)?).ok_or(ApiError::NotFound)?;
    if let Some(secret_token) = &address.secret_token {
        caller.viewer.secret_token = Some(secret_token.clone());
    }
    let location = app.store.read(move |reader| Ok(locate(reader, &caller, &address))).await??;
    Ok(respond::found(&location))
}

fn locate(reader: &Reader<'_>, caller: &Caller, address: &Address) -> Result<String, ApiError> {
    let path = match &address.thing {
        Thing::User => {
            let user = reader.user_by_permalink(&address.user)?.ok_or(ApiError::NotFound)?;
            format!("/users/{}", visible_user(reader, caller, user.id)?.id)
        }
        Thing::Track(track) => {
            let track = reader.track_by_permalink(&address.user, track)?.ok_or(ApiError::NotFound)?;
            format!("/tracks/{}", visible_track(reader, caller, track.id)?.id)
        }
        Thing::Playlist(playlist) => {
            let playlist = reader.playlist_by_permalink(&address.user, playlist)?;
            format!("/playlists/{}", readable(reader, caller, playlist)?.id)
        }
    };
    let secret = address.secret_token.as_ref();
    let query = secret.map_or_else(String::new, |secret| {
        let pair = serde_urlencoded::to_string([("secret_token", secret)]);
        format!("?{}", pair.expect("a pair of strings can be encoded"))
    });
    Ok(caller.links.api(&(path + &query)))
}

impl Address {
    /// Of any host: the site had several over the years.
    fn parse(url: &str) -> Option<Self> {
        let rest = url.trim().split_once("://").map_or(url, |(_, rest)| rest);
        let rest = rest.split('#').next()?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut parts: Vec<&str> = path.split('/').skip(1).filter(|part| !part.is_empty()).collect();
        let mut secret_token = crate::public::Query::parse(query).filled("secret_token").map(str::to_owned);
        if parts.len() > 2 && parts.last()?.starts_with("s-") {
            secret_token = parts.pop().map(str::to_owned);
        }
        let thing = match parts[..] {
            [_] => Thing::User,
            [_, "sets", playlist] => Thing::Playlist(playlist.to_owned()),
            [_, track] => Thing::Track(track.to_owned()),
            _ => return None,
        };
        Some(Self { user: parts[0].to_owned(), thing, secret_token })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_site_are_understood() {
        let parse = |url: &str| Address::parse(url).map(|a| (a.user, a.thing, a.secret_token));
        let (ada, set) = ("ada".to_owned(), Thing::Playlist("x".to_owned()));
        assert_eq!(parse("https://mothership.example/ada"), Some((ada.clone(), Thing::User, None)));
        assert_eq!(
            parse("http://m.mothership.example/ada/song/?utm=1#t=1"),
            Some((ada.clone(), Thing::Track("song".to_owned()), None))
        );
        assert_eq!(parse("mothership.example/ada/sets/x"), Some((ada.clone(), set.clone(), None)));
        let secret = Some("s-abc".to_owned());
        assert_eq!(parse("https://a.b/ada/sets/x/s-abc"), Some((ada.clone(), set.clone(), secret.clone())));
        assert_eq!(parse("https://a.b/ada/sets/x?secret_token=s-abc"), Some((ada, set, secret)));
        for bad in ["", "https://a.b", "https://a.b/a/b/c", "https://a.b/a/sets/b/c"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
