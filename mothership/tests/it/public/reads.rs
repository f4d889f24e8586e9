//! How many queries a page takes: the same, however long it is.

use mothership::{
    domain::{PlaylistId, UserId, Viewer},
    public::{Caller, Links, Of, Query, playlist_list, playlist_page},
    seed::cast,
    store::{KindFilter, Order, PlaylistList},
};

use crate::support::{Database, now, user};

fn caller(viewer: Viewer, query: &str) -> Caller {
    let links = Links { api: "http://test".to_owned() };
    Caller { viewer, query: Query::parse(query), links, path: "/".to_owned() }
}

#[tokio::test]
async fn a_playlist_takes_as_many_queries_with_five_hundred_tracks_as_with_four() {
    let database = Database::fresh();
    let store = database.store();
    let queries = async |id: PlaylistId, viewer: Viewer| {
        let counted = store.read(move |reader| {
            let page = playlist_page(reader, &caller(viewer, "access=playable,preview,blocked"), id);
            let shown = page.unwrap()["tracks"].as_array().unwrap().len();
            Ok((reader.queries(), shown))
        });
        counted.await.unwrap()
    };
    for (viewer, most) in [(user(cast::FAN), 14), (Viewer::anonymous(now()), 3)] {
        let (four, few) = queries(cast::ALBUM, viewer.clone()).await;
        let (fifty, _) = queries(cast::FIFTY, viewer.clone()).await;
        let (full, many) = queries(cast::FULL, viewer.clone()).await;
        assert!(few >= 3 && many > 400, "{few} and {many} tracks were shown");
        assert_eq!((four, fifty), (full, full), "{viewer:?}");
        assert!(full <= most, "{full} queries for {viewer:?}");
    }
}

#[tokio::test]
async fn a_list_takes_as_many_queries_with_fifty_playlists_as_with_three() {
    let database = Database::fresh();
    let store = database.store();
    let queries = async |query: &'static str| {
        let counted = store.read(move |reader| {
            let list = PlaylistList::All(Order::Newest);
            let caller = caller(user(cast::FAN), query);
            let page = playlist_list(reader, &caller, Of::Everything, &list, KindFilter::Any).unwrap();
            Ok((reader.queries(), page.as_array().unwrap().len()))
        });
        counted.await.unwrap()
    };
    let (of_three, of_fifty) = (queries("limit=3").await, queries("limit=50").await);
    assert_eq!((of_three.1, of_fifty.1), (3, 50));
    assert_eq!(of_three.0, of_fifty.0);
    let missing = store.read(|reader| {
        let (list, nobody) = (PlaylistList::LikedBy(cast::GHOST), user(UserId::new(10)));
        Ok(playlist_list(reader, &caller(nobody, ""), Of::User(cast::GHOST), &list, KindFilter::Any).is_err())
    });
    assert!(missing.await.unwrap(), "the likes of a hidden user were listed");
}
