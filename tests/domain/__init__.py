"""The tax engine: against the oracle, and piece by piece."""
