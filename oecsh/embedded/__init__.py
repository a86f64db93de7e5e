"""The embedded control plane: its own PostgreSQL, Valkey and processes in a private folder, no system service touched."""
