"""Figures of ours that are too high or too low for too long."""
