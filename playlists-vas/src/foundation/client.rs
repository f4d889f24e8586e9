//! The internal API, call by call. Reads may be shared ([`super::coalesce`]) and made again over a new connection;
//! commands are sent once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::Full;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::{
    domain::{Page, PlaylistId, TrackId, UserId, Viewer},
    foundation::{
        Audience, Bundle, Command, Events, FoundationError, Include, Introspection, Limits, Listed, Lookup,
        Outcome, PlaylistList, Relations, UserList,
        coalesce::Coalescing,
        connection::{Answer, Connections, Repeat},
        refusal,
        requests::{PageSpec, ViewerSpec},
    },
};

/// Ids that one call may name.
pub const IDS_MAX: usize = 1000;

/// The client of mothership's internal API. Cheap to clone.
#[derive(Clone)]
pub struct Foundation(Arc<Inner>);

struct Inner {
    connections: Connections,
    authorization: HeaderValue,
    coalescing: Coalescing,
    calls: Mutex<BTreeMap<&'static str, u64>>,
}

/// Where the monolith is, and how to speak to it.
#[derive(Debug, Clone)]
pub struct FoundationConfig {
    /// `host:port`.
    pub authority: String,
    /// What its internal API asks for.
    pub service_token: String,
    pub limits: Limits,
}

#[derive(Serialize)]
struct Batch<'a, Id> {
    ids: &'a [Id],
    viewer: ViewerSpec<'a>,
    include: &'a [Include],
}

#[derive(Serialize)]
struct List<'a, L> {
    list: &'a L,
    viewer: ViewerSpec<'a>,
    audience: Audience,
    #[serde(flatten)]
    page: PageSpec,
    records: bool,
    include: &'a [Include],
}

impl Foundation {
    /// # Errors
    /// The service token cannot stand in a header.
    pub fn new(config: FoundationConfig) -> Result<Self, header::InvalidHeaderValue> {
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", config.service_token))?;
        authorization.set_sensitive(true);
        Ok(Self(Arc::new(Inner {
            connections: Connections::new(config.authority, config.limits),
            authorization,
            coalescing: Coalescing::default(),
            calls: Mutex::default(),
        })))
    }

    pub async fn introspect(&self, token: &str) -> Result<Introspection, FoundationError> {
        self.read("/internal/v1/introspect", &json!({ "token": token })).await
    }

    /// The id that goes by this name.
    pub async fn lookup(&self, lookup: &Lookup) -> Result<Option<PlaylistId>, FoundationError> {
        #[derive(Deserialize)]
        struct Found {
            found: Option<Thing>,
        }
        #[derive(Deserialize)]
        struct Thing {
            id: PlaylistId,
        }
        let found: Found = self.read("/internal/v1/lookup", lookup).await?;
        Ok(found.found.map(|thing| thing.id))
    }

    /// In the order of the ids; unknown ones are left out.
    pub async fn playlists(
        &self,
        viewer: &Viewer,
        ids: &[PlaylistId],
        include: &[Include],
    ) -> Result<Bundle, FoundationError> {
        self.read("/internal/v1/playlists/batch", &Batch { ids, viewer: ViewerSpec::of(viewer), include })
            .await
    }

    pub async fn tracks(
        &self,
        viewer: &Viewer,
        ids: &[TrackId],
        include: &[Include],
    ) -> Result<Bundle, FoundationError> {
        self.read("/internal/v1/tracks/batch", &Batch { ids, viewer: ViewerSpec::of(viewer), include }).await
    }

    pub async fn users(
        &self,
        viewer: &Viewer,
        ids: &[UserId],
        include: &[Include],
    ) -> Result<Bundle, FoundationError> {
        self.read("/internal/v1/users/batch", &Batch { ids, viewer: ViewerSpec::of(viewer), include }).await
    }

    pub async fn relations(
        &self,
        viewer: &Viewer,
        users: &[UserId],
        playlists: &[PlaylistId],
    ) -> Result<Relations, FoundationError> {
        let call = json!({ "viewer": ViewerSpec::of(viewer), "users": users, "playlists": playlists });
        self.read("/internal/v1/relations", &call).await
    }

    /// A page of playlists with their records.
    pub async fn list_playlists(
        &self,
        viewer: &Viewer,
        list: &PlaylistList,
        audience: Audience,
        page: Page,
        include: &[Include],
    ) -> Result<Listed<PlaylistId>, FoundationError> {
        self.read("/internal/v1/playlists/list", &listing(viewer, list, audience, page, include)).await
    }

    pub async fn list_users(
        &self,
        viewer: &Viewer,
        list: &UserList,
        audience: Audience,
        page: Page,
        include: &[Include],
    ) -> Result<Listed<UserId>, FoundationError> {
        self.read("/internal/v1/users/list", &listing(viewer, list, audience, page, include)).await
    }

    /// Runs a command, or with `dry_run` everything of it but the keeping.
    ///
    /// # Errors
    /// [`FoundationError::Refused`] if the monolith does not do it. After any other error it may have been done.
    pub async fn execute(
        &self,
        viewer: &Viewer,
        command: &Command,
        dry_run: bool,
    ) -> Result<Outcome, FoundationError> {
        const PATH: &str = "/internal/v1/commands";
        let call = json!({ "viewer": ViewerSpec::of(viewer), "command": command, "dry_run": dry_run });
        let answer = self
            .0
            .ask(PATH, Method::POST, PATH.to_owned(), written(&call), Repeat::Unsent, Duration::ZERO)
            .await;
        if !dry_run {
            self.0.coalescing.start_generation();
        }
        parse(&answer?)
    }

    /// Events after `after`, waiting up to `wait` for the first.
    pub async fn events(&self, after: i64, limit: u32, wait: Duration) -> Result<Events, FoundationError> {
        let target = format!("/internal/v1/events?after={after}&limit={limit}&wait_ms={}", wait.as_millis());
        parse(
            &self
                .0
                .ask("/internal/v1/events", Method::GET, target, Bytes::new(), Repeat::Harmless, wait)
                .await?,
        )
    }

    /// Whoever asks from now on gets answers from now on.
    pub fn something_changed(&self) {
        self.0.coalescing.start_generation();
    }

    /// Calls made so far, by path.
    pub fn calls(&self) -> BTreeMap<&'static str, u64> {
        self.0.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn read<T: DeserializeOwned>(
        &self,
        path: &'static str,
        call: &impl Serialize,
    ) -> Result<T, FoundationError> {
        let body = written(call);
        let (inner, sent) = (Arc::clone(&self.0), body.clone());
        let ask = async move {
            inner.ask(path, Method::POST, path.to_owned(), sent, Repeat::Harmless, Duration::ZERO).await
        };
        parse(&self.0.coalescing.join(path, body, ask).await?)
    }
}

impl Inner {
    async fn ask(
        &self,
        path: &'static str,
        method: Method,
        target: String,
        body: Bytes,
        repeat: Repeat,
        extra: Duration,
    ) -> Result<Bytes, FoundationError> {
        *self.calls.lock().unwrap_or_else(PoisonError::into_inner).entry(path).or_default() += 1;
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header(header::AUTHORIZATION, self.authorization.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .expect("paths are literals and numbers");
        let Answer { status, body } = self.connections.ask(request, repeat, extra).await?;
        if status == StatusCode::OK { Ok(body) } else { Err(refusal::read(status, &body)) }
    }
}

fn listing<'a, L>(
    viewer: &'a Viewer,
    list: &'a L,
    audience: Audience,
    page: Page,
    include: &'a [Include],
) -> List<'a, L> {
    let viewer = ViewerSpec::of(viewer);
    List { list, viewer, audience, page: PageSpec::of(page), records: true, include }
}

fn written(call: &impl Serialize) -> Bytes {
    serde_json::to_vec(call).expect("calls have string keys and no floats").into()
}

fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, FoundationError> {
    serde_json::from_slice(body).map_err(|error| FoundationError::Unreadable(error.to_string()))
}
