"""Read models: one file each, with its table, its rows from the engine, and its queries."""
