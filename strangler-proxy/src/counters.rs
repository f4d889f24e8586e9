//! What became of every request, counted in memory.
