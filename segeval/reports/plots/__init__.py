"""Scores as figures of Matplotlib: SVG, PNG or PDF."""
