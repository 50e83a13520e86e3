"""Tests of the sources, channels, stores and commands."""
