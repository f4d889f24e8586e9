//! Builds the proxy from its config and runs it.
