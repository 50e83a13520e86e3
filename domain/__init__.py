"""The tax engine: pure functions of facts. No clock, no input or output, no floats."""
