"""Distances between the borders of classes, kept so that every score of them is asked later."""
