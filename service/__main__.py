"""`python -m service` is `medsearch`."""

from service.cli import main

main()
