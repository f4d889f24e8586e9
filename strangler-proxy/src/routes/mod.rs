//! Which endpoint a request is for, and who answers it.

pub mod table;
pub mod decide;
