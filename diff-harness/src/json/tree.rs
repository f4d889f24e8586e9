//! The tree: nodes in one vector in document order, strings as slices of the text.

/// A JSON type, by the name that a `type` divergence shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonType {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl JsonType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }

    pub fn is_container(self) -> bool {
        matches!(self, Self::Array | Self::Object)
    }
}

/// A value in a [`Tree`]: only good for the tree that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeId(pub(super) u32);

/// A parsed document.
#[derive(Debug)]
pub struct Tree<'t> {
    pub(super) text: &'t str,
    /// Strings that were written with escapes, decoded, one after the other.
    pub(super) decoded: String,
    pub(super) nodes: Vec<Node>,
}

/// A value and the key it stands under.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) json_type: JsonType,
    /// Where the value stands in the text, quotes and brackets included.
    pub(super) raw: Span,
    pub(super) key: Contents,
    /// A string's contents.
    pub(super) value: Contents,
    /// Members or elements.
    pub(super) len: u32,
    /// The node after this one and all that it contains.
    pub(super) after: u32,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// A string without quotes and escapes: a part of the text, or of what was decoded.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Contents {
    pub(super) span: Span,
    pub(super) decoded: bool,
}

impl<'t> Tree<'t> {
    pub fn root(&self) -> NodeId {
        NodeId(0)
    }

    /// Values in the document, each of them counted.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    pub fn json_type(&self, id: NodeId) -> JsonType {
        self.node(id).json_type
    }

    /// The value as it was written.
    pub fn raw(&self, id: NodeId) -> &'t str {
        let raw = self.node(id).raw;
        &self.text[raw.start as usize..raw.end as usize]
    }

    /// Where the value begins in the text, in bytes.
    pub fn offset(&self, id: NodeId) -> usize {
        self.node(id).raw.start as usize
    }

    /// The contents of a string without quotes and escapes; empty for any other type.
    pub fn string(&self, id: NodeId) -> &str {
        self.contents(self.node(id).value)
    }

    /// The key that a member stands under; empty for what is not a member.
    pub fn key(&self, id: NodeId) -> &str {
        self.contents(self.node(id).key)
    }

    /// Members of an object or elements of an array.
    pub fn len(&self, id: NodeId) -> usize {
        self.node(id).len as usize
    }

    /// Members or elements in document order, duplicates included.
    pub fn children(&self, id: NodeId) -> Children<'_> {
        Children { nodes: &self.nodes, next: id.0 + 1, left: self.node(id).len }
    }

    /// The first member of an object with this key.
    pub fn member(&self, id: NodeId, key: &str) -> Option<NodeId> {
        if self.json_type(id) != JsonType::Object {
            return None;
        }
        self.children(id).find(|child| self.key(*child) == key)
    }

    /// Null, or a string, array or object with nothing in it.
    pub fn is_empty(&self, id: NodeId) -> bool {
        let node = self.node(id);
        match node.json_type {
            JsonType::Null => true,
            JsonType::String => node.value.span.start == node.value.span.end,
            JsonType::Array | JsonType::Object => node.len == 0,
            JsonType::Boolean | JsonType::Number => false,
        }
    }

    fn contents(&self, contents: Contents) -> &str {
        let whole = if contents.decoded { &self.decoded } else { self.text };
        &whole[contents.span.start as usize..contents.span.end as usize]
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }
}

/// Iterates over members or elements.
#[derive(Clone, Debug)]
pub struct Children<'a> {
    nodes: &'a [Node],
    next: u32,
    left: u32,
}

impl Iterator for Children<'_> {
    type Item = NodeId;

    fn next(&mut self) -> Option<NodeId> {
        self.left = self.left.checked_sub(1)?;
        let id = NodeId(self.next);
        self.next = self.nodes[self.next as usize].after;
        Some(id)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Children<'_> {}
