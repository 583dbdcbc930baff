"""A page to browse the images of a run, served to this machine only, its pictures on demand."""
