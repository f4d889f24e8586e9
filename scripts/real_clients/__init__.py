"""Real clients through a real proxy."""
