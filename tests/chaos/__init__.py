"""The streaming edition as real processes, whole and while it is broken."""
