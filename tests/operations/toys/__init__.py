"""Toy pipelines: small ones whose effects can be counted, for the tests of the engine and their worker processes."""
