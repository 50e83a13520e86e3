"""Laws of pools: the United Kingdom and Canada."""
