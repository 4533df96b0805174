"""Telling people: what to whom, when, and that it arrives."""
