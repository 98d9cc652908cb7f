"""`python -m tonnage`: the same as the `tonnage` command."""

from tonnage.cli import main

if __name__ == "__main__":
    main(prog_name="tonnage")
