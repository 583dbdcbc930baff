"""A page to browse the images of a run, and the server behind it, on this machine only."""
