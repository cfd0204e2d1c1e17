"""One adapter for each provider's official SDK. Its types and exceptions end here."""
