"""Formats of the outside: what others hand in, and what they can take away."""
