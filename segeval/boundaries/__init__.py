"""Borders of classes: bands, trimaps and matched edges, as integers of a class and an image."""
