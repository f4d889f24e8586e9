//! A page that is written piece by piece. Markup comes from templates in the source; every value is escaped.

use std::fmt::{self, Display, Write};

use crate::report::curl::is_deceptive;

/// Markup is added by [`put!`] only, whose template is a literal and whose arguments are escaped.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

/// `put!(page, "<td>{}</td>", value)`.
macro_rules! put {
    ($page:expr, $template:literal $(, $value:expr)* $(,)?) => {
        $page.append(format_args!($template $(, $crate::report::html::page::Escaped(&$value))*))
    };
}
pub(crate) use put;

impl Page {
    #[doc(hidden)]
    pub(crate) fn append(&mut self, piece: fmt::Arguments<'_>) {
        self.0.write_fmt(piece).expect("a string takes everything");
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }
}

/// A value for the text of an element or a quoted attribute. Characters that a page cannot hold, that act or that
/// reorder others become visible.
pub(crate) struct Escaped<'a, T: Display>(pub(crate) &'a T);

impl<T: Display> Display for Escaped<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut plain = 0;
        for (at, c) in text.char_indices() {
            let entity = match c {
                '&' => Some("&amp;"),
                '<' => Some("&lt;"),
                '>' => Some("&gt;"),
                '"' => Some("&quot;"),
                '\'' => Some("&#39;"),
                '\n' | '\t' => continue,
                c if c.is_control() || is_deceptive(c) => None,
                _ => continue,
            };
            self.0.write_str(&text[plain..at])?;
            match entity {
                Some(entity) => self.0.write_str(entity)?,
                None => write!(self.0, "⟨U+{:04X}⟩", u32::from(c))?,
            }
            plain = at + c.len_utf8();
        }
        self.0.write_str(&text[plain..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_becomes_markup() {
        let mut page = Page::default();
        put!(page, "<a title=\"{}\">{}</a>", "\" onclick='x'", "<b>&amp;\u{1b}\u{202e}\u{0}</b>\n");
        assert_eq!(
            page.finish(),
            "<a title=\"&quot; onclick=&#39;x&#39;\">&lt;b&gt;&amp;amp;⟨U+001B⟩⟨U+202E⟩⟨U+0000⟩&lt;/b&gt;\n</a>"
        );
    }
}
