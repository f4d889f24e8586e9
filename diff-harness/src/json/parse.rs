//! Text to tree, on jiter's pull API, without recursion: depth costs memory, never stack.

use std::ops::Range;

use jiter::{Jiter, Peek};

use super::tree::{Contents, JsonType, Node, Span, Tree};

/// Why a text has no tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    #[error("not UTF-8 from byte {at}")]
    Utf8 { at: usize },
    #[error("not JSON at byte {at}: {what}")]
    Syntax { at: usize, what: String },
    #[error("nested deeper than {limit}")]
    TooDeep { limit: usize },
    /// Offsets are 32 bits wide.
    #[error("larger than 4 GiB")]
    TooLarge,
}

/// Parses one document. `depth_max` is how deeply arrays and objects may stand in each other.
pub fn parse(bytes: &[u8], depth_max: usize) -> Result<Tree<'_>, JsonError> {
    let mut builder = Builder::new(bytes, depth_max)?;
    builder.document(0..bytes.len())?;
    Ok(builder.tree)
}

/// Parses newline-delimited JSON into one array with an element per line. Blank lines are left out, as readers of
/// the format do.
pub fn parse_lines(bytes: &[u8], depth_max: usize) -> Result<Tree<'_>, JsonError> {
    let mut builder = Builder::new(bytes, depth_max)?;
    builder.push(JsonType::Array, 0..bytes.len(), Contents::default());
    let mut start = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if !line.trim_ascii().is_empty() {
            builder.document(start..start + line.len())?;
            builder.tree.nodes[0].len += 1;
        }
        start += line.len();
    }
    builder.tree.nodes[0].after = builder.tree.nodes.len() as u32;
    Ok(builder.tree)
}

struct Builder<'t> {
    tree: Tree<'t>,
    depth_max: usize,
}

impl<'t> Builder<'t> {
    fn new(bytes: &'t [u8], depth_max: usize) -> Result<Self, JsonError> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(JsonError::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|error| JsonError::Utf8 { at: error.valid_up_to() })?;
        // A guess that fits dense documents; growing the vector twice costs less than faulting in too much.
        let nodes = Vec::with_capacity(bytes.len() / 24 + 8);
        Ok(Self { tree: Tree { text, decoded: String::new(), nodes }, depth_max })
    }

    /// Adds the one document that stands in this part of the text.
    fn document(&mut self, range: Range<usize>) -> Result<(), JsonError> {
        let text = self.tree.text;
        let base = range.start;
        let mut jiter = Jiter::new(&text.as_bytes()[range]);
        let mut open: Vec<u32> = Vec::new();
        let mut key = Contents::default();
        let syntax = |error: jiter::JiterError| JsonError::Syntax {
            at: base + error.index,
            what: error.error_type.to_string(),
        };

        let mut peek = jiter.peek().map_err(syntax)?;
        'values: loop {
            let start = base + jiter.current_index();
            match peek {
                Peek::Array | Peek::Object => {
                    if open.len() == self.depth_max {
                        return Err(JsonError::TooDeep { limit: self.depth_max });
                    }
                    let json_type = if peek == Peek::Array { JsonType::Array } else { JsonType::Object };
                    open.push(self.push(json_type, start..start, key));
                    if peek == Peek::Array {
                        if let Some(first) = jiter.known_array().map_err(syntax)? {
                            (peek, key) = (first, Contents::default());
                            continue 'values;
                        }
                    } else if let Some(first) = jiter.known_object().map_err(syntax)? {
                        key = self.place(first);
                        peek = jiter.peek().map_err(syntax)?;
                        continue 'values;
                    }
                    self.close(&mut open, base + jiter.current_index());
                }
                Peek::String => {
                    let contents = jiter.known_str().map_err(syntax)?;
                    let contents = self.place(contents);
                    let node = self.push(JsonType::String, start..base + jiter.current_index(), key);
                    self.tree.nodes[node as usize].value = contents;
                }
                Peek::Null => {
                    jiter.known_null().map_err(syntax)?;
                    self.push(JsonType::Null, start..base + jiter.current_index(), key);
                }
                Peek::True | Peek::False => {
                    jiter.known_bool(peek).map_err(syntax)?;
                    self.push(JsonType::Boolean, start..base + jiter.current_index(), key);
                }
                // Only the length of the number is wanted, and its text is at hand.
                other => {
                    jiter.known_number_bytes(other).map_err(syntax)?;
                    self.push(JsonType::Number, start..base + jiter.current_index(), key);
                }
            }
            // A value has ended: go on with its siblings, or end what contains it.
            while let Some(&parent) = open.last() {
                self.tree.nodes[parent as usize].len += 1;
                if self.tree.nodes[parent as usize].json_type == JsonType::Array {
                    if let Some(next) = jiter.array_step().map_err(syntax)? {
                        (peek, key) = (next, Contents::default());
                        continue 'values;
                    }
                } else if let Some(next) = jiter.next_key().map_err(syntax)? {
                    key = self.place(next);
                    peek = jiter.peek().map_err(syntax)?;
                    continue 'values;
                }
                self.close(&mut open, base + jiter.current_index());
            }
            return jiter.finish().map_err(syntax);
        }
    }

    fn push(&mut self, json_type: JsonType, raw: Range<usize>, key: Contents) -> u32 {
        let id = self.tree.nodes.len() as u32;
        self.tree.nodes.push(Node {
            json_type,
            raw: span(raw),
            key,
            value: Contents::default(),
            len: 0,
            after: id + 1,
        });
        id
    }

    fn close(&mut self, open: &mut Vec<u32>, end: usize) {
        let after = self.tree.nodes.len() as u32;
        let id = open.pop().expect("only what was opened is closed");
        let node = &mut self.tree.nodes[id as usize];
        node.raw.end = end as u32;
        node.after = after;
    }

    /// Finds out whether jiter gave a slice of the text or of its own buffer of decoded escapes, which is kept.
    fn place(&mut self, string: &str) -> Contents {
        let offset = (string.as_ptr() as usize).wrapping_sub(self.tree.text.as_ptr() as usize);
        if offset < self.tree.text.len() {
            return Contents { span: span(offset..offset + string.len()), decoded: false };
        }
        let start = self.tree.decoded.len();
        self.tree.decoded.push_str(string);
        Contents { span: span(start..self.tree.decoded.len()), decoded: true }
    }
}

/// Both ends fit: texts over 4 GiB were refused, and decoding never makes a string longer.
fn span(range: Range<usize>) -> Span {
    Span { start: range.start as u32, end: range.end as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_keys_are_read_without_their_escapes() {
        let text = r#" {"plain":"text","":"","\u00e9\n":"a\"b","é":["\ud83d\ude00"]} "#;
        let tree = parse(text.as_bytes(), 9).unwrap();
        let members: Vec<_> =
            tree.children(tree.root()).map(|id| (tree.key(id), tree.string(id), tree.raw(id))).collect();
        let expected = [
            ("plain", "text", r#""text""#),
            ("", "", r#""""#),
            ("é\n", "a\"b", r#""a\"b""#),
            ("é", "", r#"["\ud83d\ude00"]"#),
        ];
        assert_eq!(members, expected);
        let array = tree.member(tree.root(), "é").unwrap();
        assert_eq!(tree.string(tree.children(array).next().unwrap()), "😀");
    }

    #[test]
    fn lines_become_elements() {
        let tree = parse_lines(b"{\"a\":1}\n\n [2]\r\n3", 9).unwrap();
        let raws: Vec<_> = tree.children(tree.root()).map(|id| tree.raw(id)).collect();
        assert_eq!(raws, [r#"{"a":1}"#, "[2]", "3"]);
        assert!(parse_lines(b"1\n{\n", 9).is_err());
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        for (text, at) in [
            (&b""[..], 0),
            (b"[1,]", 3),
            (b"{\"a\" 1}", 5),
            (b"[NaN]", 1),
            (b"01", 1),
            (b"1 2", 2),
            (b"\"\\ud800\"", 7),
            (b"[\"\xff\"]", 2),
            (b"nul", 3),
        ] {
            match parse(text, 9) {
                Err(JsonError::Utf8 { at: found } | JsonError::Syntax { at: found, .. }) => {
                    assert_eq!(found, at, "{}", text.escape_ascii());
                }
                other => panic!("{}: {other:?}", text.escape_ascii()),
            }
        }
    }

    #[test]
    fn depth_is_a_limit_and_never_an_overflow() {
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(deep(9).as_bytes(), 9).is_ok());
        assert_eq!(parse(deep(10).as_bytes(), 9).unwrap_err(), JsonError::TooDeep { limit: 9 });
        assert_eq!(parse(deep(10_000).as_bytes(), 9).unwrap_err(), JsonError::TooDeep { limit: 9 });
        assert!(parse(deep(100_000).as_bytes(), usize::MAX).is_ok());
        assert!(parse("{\"a\":".repeat(10_000).as_bytes(), usize::MAX).is_err());
    }
}
