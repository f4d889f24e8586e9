//! Any template and any target: read or refused in words, and the matcher agrees with the template.

#![no_main]

use http::Method;
use libfuzzer_sys::fuzz_target;
use strangler_proxy::routes::{Encoded, Hazard, MatchPolicy, Matcher, PathPolicy, PathView, Template};

fuzz_target!(|input: (&str, &str, &str)| {
    let (first, second, target) = input;
    let lenient = PathPolicy {
        encoded_slash: Encoded::Opaque,
        backslash: Encoded::Opaque,
        dot_segments: Hazard::Control,
        duplicate_slash: Hazard::Control,
        path_parameters: Encoded::Opaque,
        non_ascii: Encoded::Opaque,
        absolute_form: Encoded::Opaque,
    };
    for policy in [PathPolicy::default(), lenient] {
        let Ok(view) = PathView::of(target, &policy) else { continue };
        assert!(view.as_str().starts_with('/') && view.as_str().is_ascii());
        let again = PathView::of(view.as_str(), &policy).expect("a view is unambiguous");
        assert_eq!(view.as_str(), again.as_str());

        let templates: Vec<_> =
            [first, second].into_iter().filter_map(|text| Template::parse(text).ok()).collect();
        let routes = templates.iter().map(|template| (Method::GET, template.clone(), template.clone()));
        let (matcher, ties) = Matcher::build(routes, MatchPolicy::default());
        assert_eq!(matcher.len() + ties.len(), templates.len());
        let matching = templates.iter().filter(|template| template.matches(&view)).count();
        assert_eq!(matcher.find(&Method::GET, &view).is_some(), matching > 0);
        if let [a, b] = &templates[..] {
            assert_eq!(ties.len() == 1, a.is_same_set(b));
            assert_eq!(a.overlaps(b), b.overlaps(a));
            assert!(matching < 2 || a.overlaps(b));
        }
    }
    if let Err(error) = Template::parse_express(first) {
        assert!(error.to_string().contains("is not a path template"));
    }
});
