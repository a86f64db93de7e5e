"""What is done to an environment on its server: one file for the short actions, one for the end of its life."""
