"""Books of pools: laws that average cost instead of identifying the units sold."""
