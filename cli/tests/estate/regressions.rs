//! Every known bug of the service, switched on alone, against the service without it, over one monolith: a few requests
//! that show it. What has no bug answers them alike; whether traffic finds the bugs by itself is for others to show.

use std::time::Instant;

use diff_harness::{
    compare::{Comparator, Limits},
    comparison::Judgement,
    divergence::Severity,
    exchange::{CapturedBody, Observation, Request},
    rules::Rules,
};
use estate_traffic::{ask::Ask, client::Client, endpoint::Endpoint};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use playlists_vas::regressions::{Harm, Regression, Regressions};

use crate::estate::{Estate, ask, services};

/// A request that shows a bug.
struct Try {
    method: Method,
    target: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    body: &'static str,
}

fn get(target: &'static str) -> Try {
    send(Method::GET, target)
}

fn send(method: Method, target: &'static str) -> Try {
    Try { method, target, headers: vec![("x-country", "US")], body: "" }
}

impl Try {
    /// With the token of one of the cast.
    fn by(mut self, authorization: &'static str) -> Self {
        self.headers.push(("authorization", authorization));
        self
    }

    fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    fn body(mut self, json: &'static str) -> Self {
        self.body = json;
        self.with("content-type", "application/json")
    }

    /// So that one side's change is not seen by the other.
    fn dry(self) -> Self {
        self.with("x-dry-run", "true")
    }

    fn ask(&self) -> Ask {
        let mut headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("api.example"))]);
        for (name, value) in &self.headers {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        ask(self.method.clone(), self.target, headers, self.body)
    }
}

const ADA: &str = "Bearer tok-ada";
const FAN: &str = "Bearer tok-fan";
const OTHER: &str = "Bearer tok-other";
const OUTCAST: &str = "Bearer tok-outcast";
const LABEL: &str = "Bearer tok-label";

fn shows(regression: Regression) -> Vec<Try> {
    use Regression as R;
    let one = match regression {
        R::PrivateTrack => get("/playlists/214"),
        R::UnreleasedTrack | R::SuspendedOwner => get("/playlists/201").by(LABEL),
        R::GeoBlockedTrack | R::BlockedByDefault => get("/playlists/203").with("x-country", "DE"),
        R::SometimesEmpty => return (0..50).map(|_| get("/playlists/203")).collect(),
        R::PrivatePlaylist => get("/playlists/202").by(LABEL),
        R::BlockedViewer => get("/mobile/playlists/mothership:playlists:201").by(OUTCAST),
        R::UnfilteredLists => get("/users/1/playlists"),
        R::AnothersLikes => {
            return vec![get("/me/likes/playlists").by(FAN), get("/me/likes/playlists").by(OTHER)];
        }
        R::PageBoundary => get("/playlists?limit=2&offset=2"),
        R::TieOrder => get("/users/2/likes/playlists"),
        R::OverlappingChunks => get("/playlists/218/tracks"),
        R::SlowRelated => get("/playlists/201/related"),
        R::StaleAnswer => {
            send(Method::PUT, "/playlists/203").by(ADA).body(r#"{"playlist":{"title":"New"}}"#).dry()
        }
        // Lost, so the other side finds the track still there.
        R::LostWrite => {
            return vec![
                send(Method::DELETE, "/playlists/218/tracks/1001").by(ADA),
                get("/playlists/218/tracks").by(ADA),
            ];
        }
        R::ShiftedPosition => {
            send(Method::POST, "/playlists/203/tracks").by(ADA).body(r#"{"tracks":[127],"position":2}"#).dry()
        }
        R::CountOffByOne => get("/playlists/201/counts"),
        // The search index does not see one like more.
        R::ExactLikes => {
            let like = send(Method::PUT, "/mobile/likes/playlists/mothership:playlists:203").by(OTHER);
            return vec![like, get("/playlists/203")];
        }
        R::NullNextHref => get("/users/1/playlists?linked_partitioning=true&limit=200"),
        R::MissingNull => get("/playlists/205"),
        R::NullGenre => get("/playlists/210"),
        R::SecretToken | R::TextNumber | R::IsoDates | R::LostCacheControl => get("/playlists/203"),
        R::EscapedTitle => get("/playlists/208"),
        R::LikeAlwaysCreated => send(Method::POST, "/likes/playlists/201").by(FAN).dry(),
        R::ForgottenEtag => get("/playlists/203").with("if-none-match", "*"),
        R::HeadRefused => send(Method::HEAD, "/playlists/203"),
        R::LowerClamp => get("/playlists?limit=150&show_tracks=false"),
        R::SlugRefused => get("/playlists/203-album"),
        R::IntegerSeconds => get("/mobile/playlists/mothership:playlists:203"),
        R::NullKeys => get("/mobile/playlists/mothership:playlists:210"),
        R::LenientCursor => get("/mobile/playlists?cursor=zz"),
        R::ForbiddenIsMissing => {
            send(Method::PUT, "/mobile/playlists/mothership:playlists:203").by(LABEL).body(r#"{"title":"x"}"#)
        }
        R::IgnoredRevision => send(Method::PUT, "/mobile/playlists/mothership:playlists:203")
            .by(ADA)
            .body(r#"{"title":"x","revision":99}"#)
            .dry(),
        R::ZeroBasedPage => get("/web/playlists?page=1"),
        R::FilledPages => get("/web/users/1/playlists?per_page=3"),
        R::HostInNextHref => get("/web/playlists"),
        R::MillisecondTimes => get("/web/playlists/203"),
        R::BadTokenRefused => get("/web/playlists/203").by("Bearer nonsense"),
    };
    vec![one]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_known_bug_is_a_real_one_and_every_leak_an_exposure() {
    let estate = Estate::control().await;
    let healthy = services(estate.address, &Regressions::default()).await;
    let healthy_address = healthy.playlists().unwrap();
    let rules = Rules::parse(include_str!("../../../suites/estate/rules.toml"), "rules.toml").unwrap();
    let comparator = Comparator::new(rules, Limits::default());
    let mut wrong = Vec::new();
    for regression in Regression::ALL {
        let candidate = services(estate.address, &Regressions::new([*regression])).await;
        let address = candidate.playlists().unwrap();
        let mut worst: Option<Severity> = None;
        let started = Instant::now();
        let mut theirs = Vec::new();
        for request in shows(*regression) {
            theirs.push(Client::new(address).ask(&request.ask()).await);
        }
        let took = started.elapsed();
        for (request, theirs) in shows(*regression).iter().zip(&theirs) {
            let ours = Client::new(healthy_address).ask(&request.ask()).await;
            worst = worst.max(severity(&comparator, &request.ask(), &ours, theirs));
        }
        let found = match regression {
            // Nothing but time tells. It cannot have taken less.
            Regression::SlowRelated => worst.is_none() && took.as_millis() >= 500,
            _ if regression.harm() == Harm::Leak => worst == Some(Severity::Exposure),
            _ => worst.is_some(),
        };
        if !found {
            wrong.push((regression.name(), worst));
        }
    }
    assert!(wrong.is_empty(), "these do not show themselves as they should: {wrong:?}");
    estate.stop().await;
}

fn severity(
    comparator: &Comparator,
    ask: &Ask,
    control: &Observation,
    candidate: &Observation,
) -> Option<Severity> {
    let request = Request {
        method: ask.method.clone(),
        target: ask.target.clone(),
        headers: ask.headers.clone(),
        body: CapturedBody::Whole(ask.body.clone()),
    };
    match comparator.compare(&Endpoint::all()[0].id, &request, control, candidate) {
        Judgement::Compared(comparison) => comparison.severity(),
        Judgement::Skipped(reason) => panic!("{} {} was skipped: {reason:?}", ask.method, ask.target),
    }
}
