"""A slow, unit-by-unit simulator of the US rules, used as the oracle of the tests."""
