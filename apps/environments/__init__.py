"""Environments: states, allocation, variables, rendering of their files, and what they do on their host."""
