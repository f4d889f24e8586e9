//! Lists: the SQL filters against the pure rules, paging, search, and the number of queries.

use std::collections::BTreeSet;

use mothership::{
    domain::{Block, PlaylistId, Territory, Track, TrackId, UserId, Viewer},
    seed::cast,
    store::{
        ActivityKind, Audience, Cursor, FeedItem, FeedOf, KindFilter, ListedId, Order, Page, Paged,
        PlaylistList, Position, Reader, StoreError, TrackFilter, TrackList, UserList,
    },
    visibility::{Access, AccessSet, listed_playlist, listed_track, listed_user},
};

use crate::support::{Database, moderator, now, user};

/// Anonymous, the cast, some generated users, in several territories, with secrets and a role that must not matter.
fn viewers() -> Vec<Viewer> {
    let de = Some(Territory::new(*b"DE"));
    let us = Some(Territory::new(*b"US"));
    let mut viewers = vec![Viewer::anonymous(now()), Viewer { territory: us, ..Viewer::anonymous(now()) }];
    for id in [cast::ADA, cast::OUTCAST, cast::GHOST, cast::MUTER, cast::OTHER] {
        viewers.push(Viewer { territory: de, ..user(id) });
        viewers.push(Viewer { territory: us, ..user(id) });
    }
    viewers.push(Viewer { territory: us, ..moderator(cast::MOD) });
    let secret = Some(cast::playlist_secret(cast::PRIVATE_PLAYLIST));
    viewers.push(Viewer { secret_token: secret, territory: us, ..user(cast::FAN) });
    viewers.extend((1..=40).map(|n| Viewer { territory: us, ..user(UserId::new(1000 + n)) }));
    viewers
}

#[tokio::test]
async fn sql_lists_exactly_the_playlists_that_the_rules_list() {
    let database = Database::fresh();
    for viewer in viewers() {
        let store = database.store();
        let check = move |reader: &Reader<'_>| {
            let all = whole(|page| {
                reader.playlist_ids(&all_playlists(), KindFilter::Any, &Audience::Everything, page)
            })?;
            let playlists = reader.playlists(&all)?;
            let owners: Vec<UserId> = playlists.iter().map(|playlist| playlist.user_id).collect();
            let blocks = reader.blocks(viewer.user_id(), &owners)?;
            let by_rules: Vec<PlaylistId> = playlists
                .iter()
                .filter(|playlist| listed_playlist(playlist, blocks.block(playlist.user_id), &viewer).visible)
                .map(|playlist| playlist.id)
                .collect();
            let audience = Audience::listed(viewer.clone());
            let by_sql =
                whole(|page| reader.playlist_ids(&all_playlists(), KindFilter::Any, &audience, page))?;
            assert_eq!(by_sql, by_rules, "for {viewer:?}");
            assert!(by_sql.len() < all.len(), "something is hidden from everyone");
            let counted = reader.count_playlists(&all_playlists(), KindFilter::Any, &audience)?;
            assert_eq!(counted, i64::try_from(by_sql.len()).unwrap());
            Ok(())
        };
        store.read(check).await.unwrap();
    }
}

#[tokio::test]
async fn sql_lists_exactly_the_tracks_that_the_rules_list_at_every_access_level() {
    let database = Database::fresh();
    let levels: [&[Access]; 5] = [
        &Access::ALL,
        &[Access::Playable, Access::Preview],
        &[Access::Playable],
        &[Access::Preview, Access::Blocked],
        &[],
    ];
    for viewer in viewers() {
        let store = database.store();
        let check = move |reader: &Reader<'_>| {
            let filter = TrackFilter::default();
            let all = whole(|page| reader.track_ids(&TrackList::All, &filter, &Audience::Everything, page))?;
            let tracks = reader.tracks(&all)?;
            let owners: Vec<UserId> = tracks.iter().map(|track| track.user_id).collect();
            let blocks = reader.blocks(viewer.user_id(), &owners)?;
            for level in levels {
                let access: AccessSet = level.iter().copied().collect();
                let by_rules: Vec<TrackId> = tracks
                    .iter()
                    .filter(|track| {
                        let seen = listed_track(track, blocks.block(track.user_id), &viewer).access;
                        seen.is_some_and(|seen| access.contains(seen))
                    })
                    .map(|track| track.id)
                    .collect();
                let audience = Audience::Collection { viewer: viewer.clone(), access };
                let by_sql = whole(|page| reader.track_ids(&TrackList::All, &filter, &audience, page))?;
                assert_eq!(by_sql, by_rules, "{level:?} for {viewer:?}");
            }
            Ok(())
        };
        store.read(check).await.unwrap();
    }
}

#[tokio::test]
async fn sql_lists_exactly_the_users_that_the_rules_list() {
    let database = Database::fresh();
    for viewer in viewers() {
        let store = database.store();
        let check = move |reader: &Reader<'_>| {
            let all = whole(|page| reader.user_ids(&UserList::All, &Audience::Everything, page))?;
            let blocks = reader.blocks(viewer.user_id(), &all)?;
            let users = reader.users(&all)?;
            let listed = users.iter().filter(|user| listed_user(user, blocks.block(user.id), &viewer));
            let by_rules: Vec<UserId> = listed.map(|user| user.id).collect();
            let audience = Audience::listed(viewer.clone());
            let by_sql = whole(|page| reader.user_ids(&UserList::All, &audience, page))?;
            assert_eq!(by_sql, by_rules, "for {viewer:?}");
            Ok(())
        };
        store.read(check).await.unwrap();
    }
}

#[tokio::test]
async fn cursors_and_offsets_give_the_same_pages_even_where_the_order_ties() {
    let database = Database::fresh();
    let store = database.store();
    let check = |reader: &Reader<'_>| {
        let lists = [
            PlaylistList::All(Order::Newest),
            PlaylistList::All(Order::Updated),
            PlaylistList::All(Order::Popular),
            PlaylistList::Search("summer".to_owned(), Order::Newest),
            PlaylistList::Search("summer".to_owned(), Order::Popular),
            PlaylistList::Search(String::new(), Order::Newest),
            PlaylistList::OfUser(cast::ADA, Order::Newest),
            PlaylistList::LikedBy(cast::FAN),
            PlaylistList::RepostedBy(cast::FAN),
            PlaylistList::Containing(cast::PUBLIC),
            PlaylistList::Related(cast::EVERYTHING),
        ];
        for list in lists {
            for audience in [Audience::Everything, Audience::listed(user(cast::OTHER))] {
                let page = |page| reader.playlist_ids(&list, KindFilter::Any, &audience, page);
                let by_cursor = whole_by(7, page)?;
                let mut by_offset = Vec::new();
                loop {
                    let position = Position::Offset(by_offset.len() as u64);
                    let paged = page(Page { limit: 7, position })?;
                    by_offset.extend(paged.ids());
                    if paged.next.is_none() {
                        break;
                    }
                }
                assert_eq!(by_cursor, by_offset, "{list:?}");
                let distinct: BTreeSet<PlaylistId> = by_cursor.iter().copied().collect();
                assert_eq!(distinct.len(), by_cursor.len(), "{list:?} repeats an item");
                let counted = reader.count_playlists(&list, KindFilter::Any, &audience)?;
                assert_eq!(counted, i64::try_from(by_cursor.len()).unwrap(), "{list:?}");
                assert!(!by_cursor.is_empty(), "{list:?} finds something");
            }
        }
        Ok(())
    };
    store.read(check).await.unwrap();
}

#[tokio::test]
async fn tied_likes_are_ordered_by_id() {
    let store = Database::fresh().store();
    let check = |reader: &Reader<'_>| {
        let list = PlaylistList::LikedBy(cast::FAN);
        let page = reader.playlist_ids(
            &list,
            KindFilter::Any,
            &Audience::listed(user(cast::FAN)),
            Page::first(3),
        )?;
        let ties: Vec<PlaylistId> = cast::TIES.into_iter().rev().collect();
        assert_eq!(page.ids(), ties);
        assert!(page.items.iter().all(|item| item.key == page.items[0].key), "they tie");
        let next = page.next.expect("there are more likes");
        assert_eq!(next, Cursor { key: page.items[2].key, id: page.items[2].id.get() });
        Ok(())
    };
    store.read(check).await.unwrap();
}

#[tokio::test]
async fn no_search_text_is_a_syntax_error() {
    let store = Database::fresh().store();
    let check = |reader: &Reader<'_>| {
        for text in [
            "",
            "\"",
            "a OR",
            "NOT",
            "(",
            "*",
            "title:x",
            "🎧",
            "\u{0}",
            "x'; DROP",
            "नमस्ते",
            "-",
            "a\"b",
            "^x",
            "NEAR(a b)",
        ] {
            let list = PlaylistList::Search(text.to_owned(), Order::Newest);
            reader.playlist_ids(&list, KindFilter::Any, &Audience::Everything, Page::first(5))?;
            let tracks = TrackList::Search(text.to_owned());
            reader.track_ids(&tracks, &TrackFilter::default(), &Audience::Everything, Page::first(5))?;
            reader.user_ids(&UserList::Search(text.to_owned()), &Audience::Everything, Page::first(5))?;
        }
        let list = PlaylistList::Search("ÜNÏCÖDÉ".to_owned(), Order::Newest);
        let found = reader.playlist_ids(&list, KindFilter::Any, &Audience::Everything, Page::first(5))?;
        assert_eq!(found.ids(), [cast::UNICODE_PLAYLIST]);
        Ok(())
    };
    store.read(check).await.unwrap();
}

#[tokio::test]
async fn a_feed_merges_tracks_and_playlists_by_time_without_gaps() {
    let store = Database::fresh().store();
    let check = |reader: &Reader<'_>| {
        for of in
            [FeedOf::Followings(cast::FAN), FeedOf::User(cast::ADA), FeedOf::Followings(UserId::new(1001))]
        {
            let audience = Audience::listed(user(cast::FAN));
            let once = reader.feed(of, ActivityKind::TracksAndPlaylists, &audience, Page::first(1000))?;
            assert!(once.next.is_none());
            assert!(once.items.is_sorted_by(|a, b| a.at >= b.at));
            let mut paged = Vec::new();
            let mut page = Page::first(3);
            loop {
                let part = reader.feed(of, ActivityKind::TracksAndPlaylists, &audience, page)?;
                paged.extend(part.items);
                let Some(next) = part.next else { break };
                page.position = Position::After(next);
            }
            assert_eq!(paged, once.items);
            let tracks = reader.feed(of, ActivityKind::TracksOnly, &audience, Page::first(1000))?;
            let of_tracks = once.items.iter().filter(|activity| matches!(activity.item, FeedItem::Track(_)));
            assert_eq!(tracks.items, of_tracks.copied().collect::<Vec<_>>());
        }
        Ok(())
    };
    store.read(check).await.unwrap();
}

#[tokio::test]
async fn batches_keep_the_order_asked_for_and_skip_the_unknown() {
    let store = Database::fresh().store();
    let check = |reader: &Reader<'_>| {
        let asked = [cast::EMPTY, PlaylistId::new(9_999_999), cast::FULL, cast::EMPTY];
        let found: Vec<PlaylistId> = reader.playlists(&asked)?.iter().map(|playlist| playlist.id).collect();
        assert_eq!(found, [cast::EMPTY, cast::FULL, cast::EMPTY]);
        assert!(reader.playlists(&[])?.is_empty());
        let tracks = reader.tracks_of(&[cast::FULL, cast::EMPTY, cast::EVERYTHING], 30)?;
        assert_eq!(tracks[&cast::FULL].len(), 30);
        assert!(!tracks.contains_key(&cast::EMPTY));
        let ids: Vec<TrackId> = tracks[&cast::EVERYTHING].iter().map(|track| track.id).collect();
        assert_eq!(ids, cast::TRACKS);
        assert_eq!(reader.track_ids_of(&[cast::FULL])?[&cast::FULL].len(), 500);
        Ok(())
    };
    store.read(check).await.unwrap();
}

#[tokio::test]
async fn a_page_of_fifty_tracks_takes_as_many_queries_as_a_page_of_one() {
    let store = Database::fresh().store();
    let check = |reader: &Reader<'_>| {
        let page = |first: u32| -> Result<u32, StoreError> {
            let before = reader.queries();
            let playlists = reader.playlists(&[cast::FIFTY, cast::EVERYTHING])?;
            let ids: Vec<PlaylistId> = playlists.iter().map(|playlist| playlist.id).collect();
            let tracks: Vec<Track> = reader.tracks_of(&ids, first)?.into_values().flatten().collect();
            let owners: Vec<UserId> = tracks.iter().map(|track| track.user_id).collect();
            let track_ids: Vec<TrackId> = tracks.iter().map(|track| track.id).collect();
            reader.users(&owners)?;
            reader.relations(Some(cast::FAN), &owners, &track_ids, &ids)?;
            assert!(track_ids.len() >= first as usize);
            Ok(reader.queries() - before)
        };
        let (short, long) = (page(1)?, page(50)?);
        assert_eq!((short, long), (11, 11));
        Ok(())
    };
    store.read(check).await.unwrap();
}

#[tokio::test]
async fn relations_tell_both_directions() {
    let store = Database::fresh().store();
    let check = |reader: &Reader<'_>| {
        let of = reader.relations(
            Some(cast::FAN),
            &[cast::ADA, cast::GHOST],
            &[cast::PUBLIC],
            &[cast::ALBUM, cast::EMPTY],
        )?;
        assert!(of.user(cast::ADA).follows && !of.user(cast::ADA).followed_by);
        assert!(of.track(cast::PUBLIC).liked && of.track(cast::PUBLIC).reposted);
        assert!(of.playlist(cast::ALBUM).liked && of.playlist(cast::ALBUM).reposted);
        assert!(!of.playlist(cast::EMPTY).liked);
        let outcast = reader.relations(Some(cast::OUTCAST), &[cast::ADA], &[], &[])?;
        assert_eq!(outcast.block(cast::ADA), Block { by_owner: true, by_viewer: false });
        let muter = reader.blocks(Some(cast::MUTER), &[cast::ADA])?;
        assert_eq!(muter.block(cast::ADA), Block { by_owner: false, by_viewer: true });
        assert_eq!(reader.blocks(None, &[cast::ADA])?.block(cast::ADA), Block::default());
        Ok(())
    };
    store.read(check).await.unwrap();
}

#[tokio::test]
async fn no_list_sorts_in_memory_where_an_index_gives_the_order() {
    let database = Database::fresh();
    let conn = database.connection();
    let plan = |sql: &str| -> String {
        let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let lines = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
        lines.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    };
    for sql in [
        "SELECT p.id FROM playlists p CROSS JOIN users o ON o.id = p.user_id ORDER BY p.created_at DESC, p.id DESC LIMIT 9",
        "SELECT p.id FROM playlists p CROSS JOIN users o ON o.id = p.user_id WHERE p.user_id = 1 ORDER BY p.created_at DESC, p.id DESC LIMIT 9",
        "SELECT e.playlist_id FROM playlist_likes e CROSS JOIN playlists p ON p.id = e.playlist_id WHERE e.user_id = 2 \
         ORDER BY e.created_at DESC, e.playlist_id DESC LIMIT 9",
        "SELECT e.user_id FROM playlist_likes e CROSS JOIN users u ON u.id = e.user_id WHERE e.playlist_id = 201 \
         ORDER BY e.created_at DESC, e.user_id DESC LIMIT 9",
        "SELECT p.id FROM playlists p CROSS JOIN users o ON o.id = p.user_id WHERE p.genre = 'Pop' AND p.id <> 5 \
         ORDER BY p.indexed_likes_count DESC, p.id DESC LIMIT 9",
    ] {
        let plan = plan(sql);
        assert!(!plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
}

fn all_playlists() -> PlaylistList {
    PlaylistList::All(Order::Newest)
}

fn whole<Id>(page: impl Fn(Page) -> Result<Paged<ListedId<Id>>, StoreError>) -> Result<Vec<Id>, StoreError>
where
    Id: Copy,
{
    whole_by(1000, page)
}

/// All pages one after the other, by cursor.
fn whole_by<Id: Copy>(
    limit: u32,
    page: impl Fn(Page) -> Result<Paged<ListedId<Id>>, StoreError>,
) -> Result<Vec<Id>, StoreError> {
    let mut ids = Vec::new();
    let mut next = Page::first(limit);
    loop {
        let paged = page(next)?;
        assert!(paged.items.len() <= limit as usize);
        ids.extend(paged.ids());
        let Some(cursor) = paged.next else { return Ok(ids) };
        next.position = Position::After(cursor);
    }
}
