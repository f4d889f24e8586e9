"""Measures the reference estate: see `bench/estate --help`."""
