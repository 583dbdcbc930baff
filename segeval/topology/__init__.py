"""Topology: how the skeletons of classes overlap, and how many parts and holes these have."""
