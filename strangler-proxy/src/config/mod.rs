//! `strangler.toml`, parsed and checked once. Each module owns its own plain config struct.
