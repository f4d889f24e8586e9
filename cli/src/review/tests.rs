use strangler_proxy::admin::wire::{GroupDetail, GroupView, ShapeView};

use super::machine::{Effect, Key, Mode, Page, Review, Wish};
use super::screen::{Size, screen};

const SIZE: Size = Size { width: 100, height: 24 };

fn group(id: &str, severity: &str) -> GroupView {
    GroupView {
        id: id.to_owned(),
        endpoint: "GET /a".to_owned(),
        kind: "value".to_owned(),
        severity: severity.to_owned(),
        location: "$.title".to_owned(),
        detail: None,
        count: 7,
        exchanges: 5,
        first_seen: String::new(),
        last_seen: String::new(),
        control: Some("\"old\"".to_owned()),
        candidate: Some("\"new\"".to_owned()),
        state: "new".to_owned(),
        open: true,
        decision: None,
        part: None,
        newest_entry: 0,
    }
}

fn sitting() -> Review {
    let groups = vec![group("v1-a", "exposure"), group("v1-b", "changed"), group("v1-c", "changed")];
    Review::new(groups, "grace", None)
}

fn loaded(review: &mut Review) {
    let group = review.here().unwrap().clone();
    let shapes = vec![ShapeView { shape: "2xx auth ?limit json[..]".to_owned(), count: 7, exchanges: 5 }];
    review.page = Some(Page {
        detail: GroupDetail {
            group,
            shapes,
            compared: 50,
            decisions: vec![],
            parts: vec![],
            samples: vec![],
        },
        diff: (0..40).map(|n| format!("{}line {n}", ["-", "+", " "][n % 3])).collect(),
        gate: Some(Effect { to: "canary:1%".to_owned(), answer: "fail".to_owned(), open: 3 }),
    });
}

fn typed(review: &mut Review, text: &str) {
    for c in text.chars() {
        assert!(review.press(Key::Char(c)).is_none(), "{c}");
    }
}

fn shown(review: &Review) -> String {
    screen(review, SIZE, false)
}

#[test]
fn a_bug_takes_one_key_and_a_reason() {
    let mut review = sitting();
    typed(&mut review, "b");
    assert!(review.press(Key::Enter).is_none(), "a reason is asked for");
    assert!(shown(&review).contains("has to be filled in"));
    typed(&mut review, "wrnog");
    (0..3).for_each(|_| drop(review.press(Key::Backspace)));
    typed(&mut review, "ong");
    let Some(Wish::Decide { group, request }) = review.press(Key::Enter) else { panic!() };
    assert_eq!((group.as_str(), request.call.as_str(), request.reason.as_str()), ("v1-a", "bug", "wrong"));
    assert_eq!((request.owner.as_str(), request.expires, request.expected), ("", None, Some(0)));
    review.decided(4, Some(GroupView { state: "bug".to_owned(), ..group_of(&review) }));
    assert_eq!((review.at, review.made.as_slice()), (1, &[(0, 4)][..]));
    assert!(shown(&review).contains("v1-a is bug; u takes it back"));
}

fn group_of(review: &Review) -> GroupView {
    review.here().unwrap().clone()
}

#[test]
fn a_waiver_asks_for_all_it_takes_and_offers_what_was_said_last() {
    let mut review = sitting();
    review.press(Key::Char('s'));
    typed(&mut review, "e");
    typed(&mut review, "agreed");
    assert!(review.press(Key::Enter).is_none() && review.press(Key::Enter).is_none());
    (0..3).for_each(|_| drop(review.press(Key::Backspace)));
    typed(&mut review, "6w");
    let Some(Wish::Decide { request, .. }) = review.press(Key::Enter) else { panic!() };
    assert_eq!((request.call.as_str(), request.owner.as_str()), ("expected", "grace"));
    assert_eq!(request.expires.as_deref(), Some("6w"));
    review.decided(1, None);
    typed(&mut review, "n");
    let form = shown(&review);
    for line in ["> reason   agreed_", "owner    grace", "expires  6w"] {
        assert!(form.contains(line), "{line} is missing in\n{form}");
    }
    review.press(Key::Escape);
    assert_eq!(review.mode, Mode::Look);
}

#[test]
fn a_refusal_is_shown_and_what_was_typed_stays() {
    let mut review = sitting();
    typed(&mut review, "b");
    typed(&mut review, "quite wrong");
    assert!(review.press(Key::Enter).is_some());
    review.refused("somebody was faster");
    let form = shown(&review);
    assert!(form.contains("somebody was faster") && form.contains("quite wrong_"), "{form}");
}

#[test]
fn an_exposure_is_never_offered_as_noise() {
    let mut review = sitting();
    typed(&mut review, "n");
    assert_eq!(review.mode, Mode::Look);
    assert!(shown(&review).contains("never noise"));
}

#[test]
fn undo_takes_back_what_this_sitting_did_in_reverse() {
    let mut review = sitting();
    assert!(review.press(Key::Char('u')).is_none());
    assert!(shown(&review).contains("nothing was decided in this sitting"));
    for entry in [8, 9] {
        typed(&mut review, "b");
        typed(&mut review, "x");
        assert!(review.press(Key::Enter).is_some());
        review.decided(entry, None);
    }
    for (id, entry, at) in [("v1-b", 9, 1), ("v1-a", 8, 0)] {
        let Some(Wish::Undo { group, expected }) = review.press(Key::Char('u')) else { panic!() };
        assert_eq!((group.as_str(), expected), (id, entry));
        review.undone(None);
        assert_eq!(review.at, at);
    }
    assert!(review.made.is_empty());
}

#[test]
fn one_goes_on_and_back_and_begins_where_one_stopped() {
    let mut review = sitting();
    review.press(Key::Char('s'));
    review.press(Key::Char(' '));
    assert_eq!(review.here().unwrap().id, "v1-c");
    review.press(Key::Char('s'));
    assert!(shown(&review).contains("all 3 groups looked at, 0 decisions"));
    assert!(review.press(Key::Char('b')).is_none(), "there is nothing to decide on");
    assert_eq!(review.mode, Mode::Look);
    review.press(Key::Char('p'));
    assert_eq!(review.at, 2);
    assert!(matches!(review.press(Key::Char('q')), Some(Wish::Quit)));
    assert!(matches!(review.press(Key::Interrupt), Some(Wish::Quit)));
    let again = Review::new(review.groups, "grace", Some("v1-b"));
    assert_eq!(again.at, 1);
}

#[test]
fn a_screen_says_how_often_in_which_requests_and_what_the_gate_makes_of_it() {
    let mut review = sitting();
    loaded(&mut review);
    let text = shown(&review);
    for part in [
        "group 1 of 3",
        "exposure value of GET /a",
        "at $.title",
        "in this epoch in 5 of 50 comparisons",
        "2xx auth ?limit json[..]",
        "gate to canary:1%: fail; 3 open groups, this is one of them",
        "- control    \"old\"",
        "+ candidate  \"new\"",
        "-line 0",
        "b bug",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert_eq!(text.lines().count(), SIZE.height);
    review.press(Key::Down);
    assert!(!shown(&review).contains("-line 0\r"), "it scrolls");
    review.press(Key::Char('?'));
    assert!(shown(&review).contains("take the last decision back"));
}

#[test]
fn a_screen_is_never_larger_than_its_terminal_and_what_a_server_said_does_not_steer_it() {
    let mut review = sitting();
    review.groups[0].control = Some("\x1b[2Jevil\u{202e}".repeat(50));
    loaded(&mut review);
    for (width, height) in [(20, 8), (40, 12), (200, 60)] {
        let text = screen(&review, Size { width, height }, false);
        assert!(!text.contains('\x1b') && !text.contains('\u{202e}'), "{text:?}");
        assert!(text.lines().count() <= height);
        assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
    }
    let coloured = screen(&review, SIZE, true);
    assert!(coloured.contains("\x1b[31m") && coloured.contains("\x1b[32m"));
    assert!(!coloured.contains("\x1b[2J"));
}
