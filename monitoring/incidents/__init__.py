"""What went wrong, from when to when, and what was done about it."""
