"""Tests of the read models, on real SQLite files."""
