"""Questions in plain words, and the loop that learns to sort them."""
