"""How moments and dates are written: as on every page of ours, and always with their zone."""
