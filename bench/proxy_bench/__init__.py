"""Compares reverse proxies: one core for the proxy, the other for the load and the upstreams."""
