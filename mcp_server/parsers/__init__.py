"""Processes that read source code, because a hostile source can end the process that parses it."""
