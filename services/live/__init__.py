"""The live engine: prices at which a rule can cross, so that a tick asks only whom it reaches."""
