//! What a person may have meant.

/// `; did you mean \`owner\`?` where a known name is near, nothing otherwise.
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(written, name), name))
        .filter(|(distance, name)| *distance <= (name.chars().count().max(3) / 3))
        .min();
    near.map(|(_, name)| format!("; did you mean `{name}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_proposed_and_a_far_one_is_not() {
        assert_eq!(did_you_mean("ownr", ["owner", "other"]), "; did you mean `owner`?");
        assert_eq!(did_you_mean("moderator", ["owner", "other"]), "");
        assert_eq!(did_you_mean("x", []), "");
    }
}
