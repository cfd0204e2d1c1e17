"""Measurements of Soundstage, each against a baseline of the same run."""
