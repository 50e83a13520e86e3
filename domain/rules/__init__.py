"""Rule sets: one frozen, dated set of law per jurisdiction, each line with its source."""
