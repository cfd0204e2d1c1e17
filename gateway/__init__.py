"""The one door to models: every call is reserved, sent, settled and written down."""
