//! Who is there.

use super::*;
use crate::{
    domain::{Plan, Role, User},
    seed::insert::plain_user,
};

pub(super) fn all() -> Vec<User> {
    let at = time("2012-03-04T05:06:07Z");
    let plain = |id, permalink| plain_user(id, permalink, at);
    vec![
        User {
            username: "Ada Example".to_owned(),
            first_name: Some("Ada".to_owned()),
            last_name: Some("Example".to_owned()),
            city: Some("Berlin".to_owned()),
            country: Some("Germany".to_owned()),
            description: Some("Records everything.\nSells some of it.".to_owned()),
            avatar_url: Some("https://img.example/avatars/1-large.jpg".to_owned()),
            website: Some("https://ada.example/".to_owned()),
            website_title: Some("Ada's site".to_owned()),
            discogs_name: Some("ada".to_owned()),
            plan: Plan::ProUnlimited,
            upload_seconds_used: 54_321,
            ..plain(ADA, "ada")
        },
        User { city: Some("Paris".to_owned()), country: Some("France".to_owned()), ..plain(FAN, "fan") },
        User { plan: Plan::Pro, ..plain(OTHER, "other") },
        plain(OUTCAST, "outcast"),
        User { role: Role::Moderator, ..plain(MOD, "mod") },
        User { suspended: true, ..plain(GHOST, "ghost") },
        plain(MUTER, "muter"),
        User {
            username: "Zoë <b>\"Ünïcödé\"</b> 🎧 عربى".to_owned(),
            first_name: Some("Zoë".to_owned()),
            last_name: Some("O'Nëill & Søn".to_owned()),
            description: Some("<script>alert('x')</script> \u{2028} \\ / é = e\u{301}".to_owned()),
            city: Some("東京".to_owned()),
            locale: "ja".to_owned(),
            ..plain(UNICODE, "unicode")
        },
        User {
            username: String::new(),
            first_name: Some(String::new()),
            city: Some(String::new()),
            description: Some(String::new()),
            website: Some(String::new()),
            primary_email_confirmed: false,
            ..plain(BLANK, "blank")
        },
        User { username: "Label Records".to_owned(), plan: Plan::Pro, ..plain(LABEL, "label") },
    ]
}
