"""First light: Strangler in front of two real servers."""
