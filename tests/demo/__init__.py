"""The demo: its data, its run through the product, and what it says at the end."""
