//! Asks the other side, off the client's path.
