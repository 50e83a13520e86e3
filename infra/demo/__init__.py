"""Data of the demo scenario: real closes and made-up trades."""
