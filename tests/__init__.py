"""The tests: a mirror of the tree, then whatever spans it."""
