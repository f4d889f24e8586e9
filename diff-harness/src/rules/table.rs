//! One table of a rules file, to a rule.

use std::collections::HashMap;
use std::ops::Range;

use http::HeaderName;
use serde::Deserialize;
use toml::Spanned;

use super::fault::{Fault, fault, position};
use super::{Action, Format, PathPattern, Rule, Scope, Target, Tolerance};

/// One `[[rules]]` table as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleTable {
    id: Spanned<String>,
    endpoint: Option<Spanned<OneOrMany>>,
    path: Option<Spanned<String>>,
    header: Option<Spanned<String>>,
    status: Option<Spanned<bool>>,
    action: Spanned<String>,
    by: Option<Spanned<String>>,
    format: Option<Spanned<String>>,
    absolute: Option<Spanned<f64>>,
    relative: Option<Spanned<f64>>,
    seconds: Option<Spanned<f64>>,
    #[serde(default)]
    allow_exposure: bool,
    reason: Spanned<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl RuleTable {
    pub(super) fn resolve(
        self,
        span: Range<usize>,
        seen: &mut HashMap<String, usize>,
        text: &str,
    ) -> Result<Rule, Fault> {
        self.check_id(seen, text)?;
        if self.reason.get_ref().trim().is_empty() {
            return Err(fault(&self.reason, "`reason` is empty", "say why this difference is right"));
        }
        let target = self.target(&span)?;
        let action = self.action(&target, &span)?;
        let endpoints = match &self.endpoint {
            None => Vec::new(),
            Some(written) => self.scopes(written)?,
        };
        Ok(Rule {
            id: self.id.into_inner(),
            endpoints,
            target,
            action,
            allow_exposure: self.allow_exposure,
            reason: self.reason.into_inner(),
        })
    }

    fn check_id(&self, seen: &mut HashMap<String, usize>, text: &str) -> Result<(), Fault> {
        let id = self.id.get_ref();
        if id.is_empty() || id.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(fault(
                &self.id,
                format!("`{}` is not an id: expected a word without blanks", id.escape_debug()),
                "reports and counters name the rule by it, such as `created-at`",
            ));
        }
        if let Some(first) = seen.insert(id.clone(), self.id.span().start) {
            return Err(fault(
                &self.id,
                format!("the id `{id}` is taken by the rule on line {}", position(text, first).0),
                "give every rule an id of its own",
            ));
        }
        Ok(())
    }

    fn scopes(&self, written: &Spanned<OneOrMany>) -> Result<Vec<Scope>, Fault> {
        let texts = match written.get_ref() {
            OneOrMany::One(text) => std::slice::from_ref(text),
            OneOrMany::Many(texts) => texts.as_slice(),
        };
        if texts.is_empty() {
            return Err(fault(written, "`endpoint` is an empty list", "leave it out to mean every endpoint"));
        }
        let parse = |text: &String| text.parse::<Scope>();
        texts.iter().map(parse).collect::<Result<_, _>>().map_err(|error| {
            fault(
                written,
                error.to_string(),
                "`strangler routes list` shows the endpoints as they are written",
            )
        })
    }

    fn target(&self, span: &Range<usize>) -> Result<Target, Fault> {
        match (&self.path, &self.header, &self.status) {
            (Some(path), None, None) => {
                PathPattern::parse(path.get_ref()).map(Target::Json).map_err(|error| {
                    fault(path, error.to_string(), "such as `$.tracks[*].created_at` or `$..created_at`")
                })
            }
            (None, Some(header), None) => {
                HeaderName::from_bytes(header.get_ref().as_bytes()).map(Target::Header).map_err(|_| {
                    fault(header, format!("`{}` is not a header name", header.get_ref()), "such as `etag`")
                })
            }
            (None, None, Some(status)) if *status.get_ref() => Ok(Target::Status),
            (None, None, Some(status)) => Err(fault(
                status,
                "`status` can only be true",
                "leave it out, and give a `path` or a `header`",
            )),
            _ => Err(Fault {
                span: span.clone(),
                message: format!(
                    "rule `{}` must have exactly one target: `path`, `header` or `status`",
                    self.id.get_ref()
                ),
                hint: "write one rule per target".to_owned(),
            }),
        }
    }

    fn action(&self, target: &Target, span: &Range<usize>) -> Result<Action, Fault> {
        let name = self.action.get_ref().as_str();
        let action = match name {
            "ignore" => Action::Ignore,
            "unordered" => Action::Unordered,
            "keyed" => Action::Keyed { by: self.key(span)? },
            "tolerance" => Action::Tolerance(self.tolerance(span)?),
            "format" => Action::Format(self.named_format(span)?),
            "compare" => Action::Compare,
            _ => {
                return Err(fault(
                    &self.action,
                    format!("`{name}` is not an action"),
                    "expected ignore, unordered, keyed, tolerance, format or compare",
                ));
            }
        };
        self.refuse_stray_parameters(name)?;
        let suits = match target {
            Target::Json(_) => !matches!(action, Action::Compare),
            Target::Header(_) => !matches!(action, Action::Unordered | Action::Keyed { .. }),
            Target::Status => matches!(action, Action::Ignore),
        };
        if !suits {
            let (target, actions) = match target {
                Target::Json(_) => ("a path", "ignore, unordered, keyed, tolerance or format"),
                Target::Header(_) => ("a header", "compare, ignore, tolerance or format"),
                Target::Status => ("the status", "ignore"),
            };
            return Err(fault(
                &self.action,
                format!("`{name}` does not apply to {target}"),
                format!("for {target}: {actions}"),
            ));
        }
        Ok(action)
    }

    fn key(&self, span: &Range<usize>) -> Result<Vec<String>, Fault> {
        let hint = "`by = \"$.id\"` or `by = \"id\"`: the member that elements are known by";
        let by = self.by.as_ref().ok_or_else(|| Fault {
            span: span.clone(),
            message: format!("`keyed` rule `{}` has no `by`", self.id.get_ref()),
            hint: hint.to_owned(),
        })?;
        let text = by.get_ref();
        if !text.starts_with('$') {
            let bad = text.is_empty();
            return if bad { Err(fault(by, "`by` is empty", hint)) } else { Ok(vec![text.clone()]) };
        }
        let pattern = PathPattern::parse(text).map_err(|error| fault(by, error.to_string(), hint))?;
        match pattern.members() {
            Some(members) if !members.is_empty() => Ok(members.into_iter().map(str::to_owned).collect()),
            _ => Err(fault(by, format!("`{text}` does not lead to one member of an element"), hint)),
        }
    }

    fn tolerance(&self, span: &Range<usize>) -> Result<Tolerance, Fault> {
        for value in [&self.absolute, &self.relative, &self.seconds].into_iter().flatten() {
            if !value.get_ref().is_finite() || *value.get_ref() < 0.0 {
                return Err(fault(
                    value,
                    "a tolerance cannot be negative or endless",
                    "such as `absolute = 0.5`",
                ));
            }
        }
        let value = |value: &Option<Spanned<f64>>| value.as_ref().map(|value| *value.get_ref());
        let tolerance = Tolerance {
            absolute: value(&self.absolute),
            relative: value(&self.relative),
            seconds: value(&self.seconds),
        };
        if tolerance == Tolerance::default() {
            return Err(Fault {
                span: span.clone(),
                message: format!("`tolerance` rule `{}` does not say how much", self.id.get_ref()),
                hint: "give `absolute` or `relative` for numbers, `seconds` for timestamps".to_owned(),
            });
        }
        Ok(tolerance)
    }

    fn named_format(&self, span: &Range<usize>) -> Result<Format, Fault> {
        let written = self.format.as_ref().ok_or_else(|| Fault {
            span: span.clone(),
            message: format!("`format` rule `{}` has no `format`", self.id.get_ref()),
            hint: "such as `format = \"timestamp\"`".to_owned(),
        })?;
        let parsed = written.get_ref().parse::<Format>();
        parsed.map_err(|error| fault(written, error, "formats are named; there are no patterns"))
    }

    /// A parameter of another action is a mistake that would otherwise pass unseen.
    fn refuse_stray_parameters(&self, action: &str) -> Result<(), Fault> {
        let parameters = [
            ("by", "keyed", self.by.as_ref().map(Spanned::span)),
            ("format", "format", self.format.as_ref().map(Spanned::span)),
            ("absolute", "tolerance", self.absolute.as_ref().map(Spanned::span)),
            ("relative", "tolerance", self.relative.as_ref().map(Spanned::span)),
            ("seconds", "tolerance", self.seconds.as_ref().map(Spanned::span)),
        ];
        for (parameter, owner, span) in parameters {
            if let Some(span) = span
                && owner != action
            {
                let message = format!("`{parameter}` belongs to `action = \"{owner}\"`, not to `{action}`");
                return Err(Fault { span, message, hint: "remove it, or change the action".to_owned() });
            }
        }
        Ok(())
    }
}
