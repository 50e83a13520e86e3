"""Benchmarks: what the engine does in a second, each beside the limit measured in the same run."""
