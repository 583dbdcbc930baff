"""How scores go out. A report shows one document and never computes a score."""
