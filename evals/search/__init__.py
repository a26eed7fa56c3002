"""Searching what agents wrote, ran and saw, over all runs."""
