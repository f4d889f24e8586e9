"""Measures mothership: see `bench/mothership --help`."""
