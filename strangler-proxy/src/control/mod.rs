//! Moves endpoints: the store first, then the route table.
