"""Reports for a return and for other books: pure functions from answers to rows and text."""
