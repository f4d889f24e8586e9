//! Templates as Express writes them.

use super::Problem;

/// Rewrites `:name` and `*name` to braces.
pub(super) fn express_to_braces(text: &str) -> Result<String, Problem> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let mut braces = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(at) = rest.find([':', '*', '{', '(', '\\']) {
        let (before, marked) = rest.split_at(at);
        let (mark, after) = marked.split_at(1);
        let end = after.find(|c| !is_name(c)).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        braces.push_str(before);
        match mark {
            ":" | "*" if after.starts_with('?') => return Err(Problem::Optional(format!("{mark}{name}?"))),
            ":" if after.starts_with('(') => {
                return Err(Problem::Constrained(format!(":{name}{after}"), name.to_owned()));
            }
            ":" if name.is_empty() => return Err(Problem::Nameless(marked.to_owned())),
            ":" if after.starts_with(['*', '+']) => {
                braces.push_str(&format!("{{{name}*}}"));
                rest = &after[1..];
                continue;
            }
            ":" => braces.push_str(&format!("{{{name}}}")),
            "*" if name.is_empty() => braces.push_str("{rest*}"),
            "*" => braces.push_str(&format!("{{{name}*}}")),
            "{" => return Err(Problem::Optional(marked.to_owned())),
            _ => return Err(Problem::Constrained(marked.to_owned(), "name".to_owned())),
        }
        rest = after;
    }
    braces.push_str(rest);
    Ok(braces)
}
