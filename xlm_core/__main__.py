"""Run the command line: ``python -m xlm_core``."""

from xlm_core.cli import main

if __name__ == "__main__":
    main()
