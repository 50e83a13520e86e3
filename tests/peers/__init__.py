"""Other programs that count lots, on the same random histories: run by `make peers`."""
