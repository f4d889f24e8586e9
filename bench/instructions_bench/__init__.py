"""Instructions per request."""
