"""Distances of objects: how far the borders of matched ones are apart."""
