"""Tests of the services, on real SQLite files."""
