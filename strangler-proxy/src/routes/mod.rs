//! Which endpoint a request is for, and who answers it.
