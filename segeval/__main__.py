"""``python -m segeval`` is the command line."""

from segeval.cli import main

if __name__ == "__main__":
    main()
