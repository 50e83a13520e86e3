"""Tests of the whole product, as its user runs it."""
