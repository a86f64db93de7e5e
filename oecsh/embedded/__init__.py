"""The embedded control plane: PostgreSQL, Valkey and the processes in a private folder, no system service touched."""
