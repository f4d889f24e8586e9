//! What every view must hold, whatever is in it.
