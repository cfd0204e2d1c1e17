"""The vocabulary of Soundstage: frozen values, protocols and errors. No I/O, no SDK."""
