"""The database, the event log, the ledger and the workspaces."""
