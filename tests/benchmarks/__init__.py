"""The benchmarks measure what they say: same work, same history, stable names."""
