"""``python -m symdiff``: the command line, for launchers such as torchrun."""

from symdiff.cli.main import main

if __name__ == "__main__":
    main()
