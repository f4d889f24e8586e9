//! Compares what both sides answered, redacts it, and hands batches to the store.
