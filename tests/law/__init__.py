"""Cases of the law: histories with the result that the rules give, each with its source."""
